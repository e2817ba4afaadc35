//! What the body claims to be: `Content-Type` and `Content-Encoding`. Checked before the body is read
//! ([FHIR content types](https://hl7.org/fhir/R4/http.html#mime-type)).

use axum::http::{HeaderMap, header};

use super::media_type::MediaType;
use crate::rejection::Rejection;

/// Checks that the body is FHIR JSON of R4 in UTF-8 and not compressed.
///
/// # Errors
/// `UnsupportedMediaType`, also when the header is missing or sent twice.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Rejection> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let first = types.next().and_then(|value| value.to_str().ok());
    let known = types.next().is_none() && first.and_then(MediaType::parse).is_some_and(|media| is_ours(&media));
    let plain = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"));
    if known && plain { Ok(()) } else { Err(Rejection::UnsupportedMediaType) }
}

fn is_ours(media: &MediaType) -> bool {
    (media.is("application/fhir+json") || media.is("application/json")) && media.is_r4() && media.is_utf8()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn checked(types: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in types {
            headers.append(header::CONTENT_TYPE, HeaderValue::from_static(value));
        }
        check(&headers).is_ok()
    }

    #[test]
    fn fhir_json_in_utf8_is_taken() {
        assert!(checked(&["application/fhir+json"]) && checked(&["application/json; charset=UTF-8"]));
        assert!(checked(&["application/fhir+json; fhirVersion=4.0"]));
    }

    #[test]
    fn other_bodies_are_unsupported() {
        let others = ["text/plain", "application/fhir+xml", "application/json; charset=utf-16", "*/*", "json"];
        assert!(others.into_iter().all(|other| !checked(&[other])));
        assert!(!checked(&["application/fhir+json; fhirVersion=3.0"]));
        assert!(!checked(&[]));
        assert!(!checked(&["application/fhir+json", "application/fhir+json"]));
    }

    #[test]
    fn a_compressed_body_is_unsupported() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/fhir+json"));
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
        assert!(check(&headers).is_ok());
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(check(&headers).is_err());
    }
}
