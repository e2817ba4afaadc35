//! The headers that name a request: `X-Request-ID`, `X-Correlation-ID` and `NHSD-End-User-Organisation-ODS`. They are
//! read before anything else, mirrored in every answer, and a bad one is a 400 once the sender is known.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use super::single::single;
use crate::exchange::{OdsCode, RequestIds};
use crate::rejection::Rejection;

/// Longest correlation id, in characters.
const LONGEST: usize = 128;

/// What the headers say; where they are wrong, what stands in for them.
pub(super) struct Named {
    /// The ids of the request; a missing or bad correlation id is replaced by a fresh one.
    pub(super) ids: RequestIds,
    /// The organisation on whose behalf.
    pub(super) end_user_ods: Option<OdsCode>,
    /// The first header that is wrong, as a sentence.
    pub(super) fault: Option<String>,
    mirrored: Vec<(HeaderName, HeaderValue)>,
}

impl Named {
    /// Reads the headers; `fresh` makes a correlation id.
    pub(super) fn read(headers: &HeaderMap, fresh: impl FnOnce() -> String) -> Self {
        let mut reading = Reading { headers, fault: None, mirrored: Vec::new() };
        let request = reading.value("x-request-id", "X-Request-ID", "must be a UUID", uuid);
        let correlation = "must be 1 to 128 characters of printable ASCII";
        let correlation = reading.value("x-correlation-id", "X-Correlation-ID", correlation, correlation_id);
        let ods = "must be an ODS code: 1 to 12 upper-case letters and digits";
        let shown = "NHSD-End-User-Organisation-ODS";
        let end_user_ods = reading.value("nhsd-end-user-organisation-ods", shown, ods, |text| text.parse().ok());
        let correlation = correlation.unwrap_or_else(|| {
            let made = fresh();
            if let Ok(value) = HeaderValue::from_str(&made) {
                reading.mirrored.push((HeaderName::from_static("x-correlation-id"), value));
            }
            made
        });
        let ids = RequestIds { request, correlation };
        Self { ids, end_user_ods, fault: reading.fault, mirrored: reading.mirrored }
    }

    /// Refuses the request when one of the headers was wrong.
    ///
    /// # Errors
    /// `InvalidValue` naming the header.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        self.fault.clone().map_or(Ok(()), |fault| Err(Rejection::InvalidValue(fault)))
    }

    /// Puts the ids on an answer, as the sender wrote them.
    pub(super) fn mirror(&self, answer: &mut HeaderMap) {
        answer.extend(self.mirrored.iter().cloned());
    }
}

struct Reading<'h> {
    headers: &'h HeaderMap,
    fault: Option<String>,
    mirrored: Vec<(HeaderName, HeaderValue)>,
}

impl Reading<'_> {
    fn value<T>(
        &mut self,
        name: &'static str,
        shown: &str,
        rule: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let name = HeaderName::from_static(name);
        let (value, fault) = match single(self.headers, &name, shown) {
            Ok(None) => (None, None),
            Err(rejection) => (None, Some(rejection.to_string())),
            Ok(Some(text)) => match read(text) {
                Some(value) => (Some(value), None),
                None => (None, Some(format!("the header {shown} {rule}"))),
            },
        };
        self.fault = self.fault.take().or(fault);
        if value.is_some() {
            self.mirrored.extend(self.headers.get(&name).map(|value| (name, value.clone())));
        }
        value
    }
}

/// Only the usual form with hyphens: other forms would mirror as one thing and be stored as another.
fn uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::parse_str(text).ok()).flatten()
}

fn correlation_id(text: &str) -> Option<String> {
    (1..=LONGEST).contains(&text.len()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(pairs: &[(&'static str, &[u8])]) -> Named {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        Named::read(&headers, || "made-here".to_owned())
    }

    fn mirrored(named: &Named) -> Vec<(String, String)> {
        let mut answer = HeaderMap::new();
        named.mirror(&mut answer);
        answer.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
    }

    #[test]
    fn ids_are_read_and_mirrored_as_written() {
        let id = "F8A5BE28-7E1D-4D1E-9A4C-0C8F1D2A3B4C";
        let named = read(&[
            ("x-request-id", id.as_bytes()),
            ("x-correlation-id", b"ward 7 / 12"),
            ("nhsd-end-user-organisation-ods", b"RX809"),
        ]);
        assert!(named.check().is_ok());
        assert_eq!(named.ids.request, Some(Uuid::parse_str(id).unwrap()));
        assert_eq!(named.ids.correlation, "ward 7 / 12");
        assert_eq!(named.end_user_ods.as_ref().map(OdsCode::as_str), Some("RX809"));
        assert_eq!(
            mirrored(&named).iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(),
            [id, "ward 7 / 12", "RX809"]
        );
    }

    #[test]
    fn a_missing_correlation_id_is_made() {
        let named = read(&[]);
        assert!(named.check().is_ok() && named.ids.request.is_none());
        assert_eq!(mirrored(&named), [("x-correlation-id".to_owned(), "made-here".to_owned())]);
    }

    #[test]
    fn a_bad_header_is_named_and_not_mirrored() {
        let long = [b'a'; 129];
        let cases: [(&str, &[u8]); 8] = [
            ("x-request-id", b""),
            ("x-request-id", b"1"),
            ("x-request-id", b"f8a5be287e1d4d1e9a4c0c8f1d2a3b4c"),
            ("x-request-id", b"{f8a5be28-7e1d-4d1e-9a4c-0c8f1d2a3b}"),
            ("x-correlation-id", &long),
            ("x-correlation-id", b"a\tb"),
            ("x-correlation-id", b"caf\xe9"),
            ("nhsd-end-user-organisation-ods", b"rx809"),
        ];
        for (name, value) in cases {
            let named = read(&[(name, value)]);
            let sentence = named.check().unwrap_err().to_string();
            assert!(sentence.to_ascii_lowercase().contains(name), "{sentence}");
            assert_eq!(mirrored(&named), [("x-correlation-id".to_owned(), "made-here".to_owned())]);
        }
    }

    #[test]
    fn a_header_sent_twice_is_refused_even_with_one_value() {
        let id = b"f8a5be28-7e1d-4d1e-9a4c-0c8f1d2a3b4c";
        let named = read(&[("x-request-id", id), ("x-request-id", id)]);
        assert!(named.check().unwrap_err().to_string().contains("once"));
        assert_eq!(named.ids.request, None);
    }

    proptest! {
        #[test]
        fn no_bytes_get_through_unchecked(value in proptest::collection::vec(0x20_u8..=0xff, 0..200)) {
            prop_assume!(HeaderValue::from_bytes(&value).is_ok());
            let named = read(&[("x-correlation-id", &value)]);
            let good = (1..=LONGEST).contains(&value.len()) && value.iter().all(|byte| (b' '..=b'~').contains(byte));
            prop_assert_eq!(named.check().is_ok(), good);
            prop_assert_eq!(named.ids.correlation.as_bytes() == value, good);
        }
    }
}
