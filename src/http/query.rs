//! The query string of the interactions we serve: [`_format`](https://hl7.org/fhir/R4/http.html#parameters) asks for
//! JSON, which is what we answer, and `_pretty` for line ends in it. A parameter we do not know is refused, because ignoring it could change what is meant.

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
    let parameters = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let shape = parameters.filter(|(name, value)| !harmless.contains(&(name.as_ref(), value.as_ref())));
    check_shape(&shape.collect::<Vec<_>>(), headers)
}

/// The same for parameters that have been read.
///
/// # Errors
/// As [`check`].
pub(super) fn check_shape<K: AsRef<str>, V: AsRef<str>>(
    parameters: &[(K, V)],
    headers: &HeaderMap,
) -> Result<(), Rejection> {
    let mut formatted = false;
    for (name, value) in parameters {
        match (name.as_ref(), value.as_ref()) {
            ("_format", value) if JSON.contains(&value) => formatted = true,
            ("_format", _) => return Err(Rejection::NotAcceptable),
            // The porter sees to it.
            ("_pretty", "true" | "false") => {}
            _ => return Err(Rejection::Unreadable(vec![Issue::error("not-supported", UNKNOWN)])),
        }
    }
    if formatted { Ok(()) } else { accept::check(headers) }
}

/// Whether the sender wants line ends in the answer.
pub(super) fn is_pretty(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "_pretty" && value == "true")
}

const UNKNOWN: &str = "of query parameters, this interaction knows _format and _pretty (true or false) only";

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
