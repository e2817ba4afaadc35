//! [uri](https://hl7.org/fhir/R4/datatypes.html#uri) and the types made from it: no white space, and the two URN
//! schemes FHIR uses written as their RFCs say.

use super::Verdict;

pub(super) fn uri(text: &str) -> Verdict {
    if text.is_empty() {
        return Err("it is empty; leave the property out instead");
    }
    if text.bytes().any(|byte| byte <= b' ') || (!text.is_ascii() && text.chars().any(char::is_whitespace)) {
        return Err("a URI holds no white space");
    }
    if text.starts_with("urn:uuid:") {
        return uuid(text.split('#').next().unwrap_or_default());
    }
    if text.starts_with("urn:oid:") { oid(text) } else { Ok(()) }
}

/// [canonical](https://hl7.org/fhir/R4/references.html#canonical): absolute, or a fragment for what is contained.
pub(super) fn canonical(text: &str) -> Verdict {
    uri(text)?;
    if text.starts_with('#') || scheme(text).is_some() { Ok(()) } else { Err("a canonical URL is absolute, or '#id'") }
}

pub(super) fn oid(text: &str) -> Verdict {
    let well_formed = text.strip_prefix("urn:oid:").is_some_and(|arcs| {
        let mut arcs = arcs.split('.');
        let first = arcs.next().is_some_and(|arc| matches!(arc, "0" | "1" | "2"));
        let mut rest = arcs.peekable();
        let number = |arc: &str| {
            arc.bytes().all(|byte| byte.is_ascii_digit()) && !arc.is_empty() && (arc == "0" || !arc.starts_with('0'))
        };
        first && rest.peek().is_some() && rest.all(number)
    });
    if well_formed { Ok(()) } else { Err("expected urn:oid: and numbers joined by dots, the first of them 0, 1 or 2") }
}

pub(super) fn uuid(text: &str) -> Verdict {
    let well_formed = text.strip_prefix("urn:uuid:").is_some_and(|uuid| {
        uuid.len() == 36
            && uuid.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            })
    });
    if well_formed { Ok(()) } else { Err("expected urn:uuid: and a UUID in lower-case hexadecimal") }
}

/// The scheme an absolute URI begins with (RFC 3986 §3.1).
pub(super) fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let mut bytes = scheme.bytes();
    let well_formed = bytes.next()?.is_ascii_alphabetic()
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    well_formed.then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_holds_no_white_space() {
        for good in ["http://example.org/a", "urn:example:x", "#a", "a/b"] {
            assert_eq!(uri(good), Ok(()), "{good}");
        }
        for bad in ["", "a b", "a\tb", "a\u{a0}b", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520", "urn:oid:3.1"] {
            assert!(uri(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn oids_and_uuids_are_urns() {
        assert_eq!(oid("urn:oid:2.16.840.1.113883.2.1"), Ok(()));
        for bad in ["2.16", "urn:oid:2", "urn:oid:2.", "urn:oid:2.01", "urn:oid:2.a", "urn:oid:", "urn:oid:2..1"] {
            assert!(oid(bad).is_err(), "{bad}");
        }
        assert_eq!(uuid("urn:uuid:c757873d-ec9a-4326-a141-556f43239520"), Ok(()));
        for bad in ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:c757873dec9a4326a141556f43239520", "urn:uuid:"] {
            assert!(uuid(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_scheme_starts_with_a_letter() {
        assert_eq!(scheme("urn:oid:1.2"), Some("urn"));
        assert_eq!(scheme("http://example.org"), Some("http"));
        assert_eq!(["", "name", "#a:b", "1a:b", ":b", "a/b:c"].map(scheme), [None; 6]);
    }
}
