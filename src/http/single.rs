//! Headers that may be sent once: two values would leave it to chance which one counts.

use axum::http::{HeaderMap, HeaderName};

use crate::rejection::Rejection;

/// The value of a header, `None` when it was not sent.
///
/// # Errors
/// `InvalidValue` naming the header, when it was sent twice or is not printable ASCII.
pub(super) fn single<'h>(headers: &'h HeaderMap, name: &HeaderName, shown: &str) -> Result<Option<&'h str>, Rejection> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Rejection::InvalidValue(format!("the header {shown} may be sent once only")));
    }
    // `to_str` lets tabs pass.
    let text = first.to_str().ok().filter(|text| text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    text.map(Some).ok_or_else(|| Rejection::InvalidValue(format!("the header {shown} must be printable ASCII")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, header::IF_MATCH};

    #[test]
    fn a_header_sent_twice_or_unprintable_is_refused_by_name() {
        let mut headers = HeaderMap::new();
        assert_eq!(single(&headers, &IF_MATCH, "If-Match").unwrap(), None);
        headers.append(IF_MATCH, HeaderValue::from_static("W/\"1\""));
        assert_eq!(single(&headers, &IF_MATCH, "If-Match").unwrap(), Some("W/\"1\""));
        headers.append(IF_MATCH, HeaderValue::from_static("W/\"1\""));
        assert!(single(&headers, &IF_MATCH, "If-Match").unwrap_err().to_string().contains("If-Match"));
        headers.insert(IF_MATCH, HeaderValue::from_bytes(b"a\tb").unwrap());
        assert!(single(&headers, &IF_MATCH, "If-Match").unwrap_err().to_string().contains("If-Match"));
    }
}
