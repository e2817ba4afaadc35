//! The query string of the interactions we serve: [`_format`](https://hl7.org/fhir/R4/http.html#parameters) asks for
//! JSON, which is what we answer. A parameter we do not know is refused, because ignoring it could change what is meant.

use axum::http::{HeaderMap, Uri};

use super::accept;
use crate::outcome::Issue;
use crate::rejection::Rejection;

/// Names under which `_format` may ask for JSON; an unescaped `+` reads as a space.
const JSON: [&str; 4] = ["json", "application/json", "application/fhir+json", "application/fhir json"];

/// Checks the query string and, unless `_format` overrides it, the `Accept` header.
///
/// # Errors
/// `NotAcceptable` for another format, `Unreadable` (not supported) for any other parameter.
pub(super) fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), Rejection> {
    check_with(uri, headers, &[])
}

/// The same for an interaction that knows more parameters: pairs of name and value that change nothing.
///
/// # Errors
/// As [`check`].
pub(super) fn check_with(uri: &Uri, headers: &HeaderMap, harmless: &[(&str, &str)]) -> Result<(), Rejection> {
    let mut formatted = false;
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if name == "_format" {
            formatted = true;
            if !JSON.contains(&value.as_ref()) {
                return Err(Rejection::NotAcceptable);
            }
        } else if !harmless.contains(&(name.as_ref(), value.as_ref())) {
            return Err(Rejection::Unreadable(vec![Issue::error("not-supported", UNKNOWN)]));
        }
    }
    if formatted { Ok(()) } else { accept::check(headers) }
}

const UNKNOWN: &str = "of query parameters, this interaction knows _format only";

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, header};

    fn checked(uri: &str, accept: &'static str) -> Result<(), Rejection> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        check(&uri.parse().unwrap(), &headers)
    }

    #[test]
    fn format_overrides_accept() {
        for format in ["json", "application%2Ffhir%2Bjson", "application/fhir+json", "application/json"] {
            assert!(checked(&format!("/fhir/Patient?_format={format}"), "application/fhir+xml").is_ok(), "{format}");
        }
        assert!(matches!(checked("/fhir/Patient?_format=xml", "*/*"), Err(Rejection::NotAcceptable)));
        assert!(matches!(checked("/fhir/Patient", "text/html"), Err(Rejection::NotAcceptable)));
    }

    #[test]
    fn a_parameter_we_do_not_know_is_refused_without_quoting_it() {
        let rejection = checked("/fhir/Patient?identifier=9990000001", "*/*").unwrap_err();
        assert_eq!(rejection.rendering().status, 400);
        let issue = &rejection.issues()[0];
        assert_eq!(issue.code, "not-supported");
        assert!(!issue.message.contains("identifier") && !issue.message.contains("999"));
    }
}
