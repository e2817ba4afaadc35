//! TS, the time stamp (HL7 v2.4 §2.9.47): digits to the precision known. FHIR instants become local time without an
//! offset, because that is how receivers read them; dates stay what they are.

use chrono::{DateTime, Utc};
use signalbox_validator::json::Value;

use super::{Unmapped, uk};

/// An instant in local time, to the second.
pub(super) fn local(instant: DateTime<Utc>) -> String {
    instant.with_timezone(&uk::ZONE).format("%Y%m%d%H%M%S").to_string()
}

/// A FHIR `date`, `dateTime` or `instant`; empty when the element is absent.
///
/// # Errors
/// When it is none of them.
pub(super) fn read(element: Option<Value<'_>>, path: &str) -> Result<String, Unmapped> {
    let Some(element) = element else { return Ok(String::new()) };
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|instant| local(instant.to_utc()));
    let read = element.as_str().and_then(|text| date(&text).or_else(|| instant(&text)));
    read.ok_or_else(|| Unmapped::new(format!("{path}: not a FHIR date or dateTime")))
}

/// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, without the dashes.
fn date(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let digits = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let shape = matches!(lengths[..], [4] | [4, 2] | [4, 2, 2]);
    (digits && shape).then(|| parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalbox_validator::json::Document;

    fn stamp(text: &str) -> Result<String, Unmapped> {
        let json = format!("\"{text}\"");
        read(Some(Document::read(json.as_bytes()).unwrap().root()), "X.y")
    }

    #[test]
    fn instants_become_london_time_and_dates_stay() {
        let cases = [
            ("1965", "1965"),
            ("1965-12", "196512"),
            ("1965-12-13", "19651213"),
            ("2026-01-02T12:36:00Z", "20260102123600"),
            ("2026-07-02T12:36:00Z", "20260702133600"),
            ("2026-07-02T23:36:00.123+00:00", "20260703003600"),
            ("2026-03-29T00:59:59Z", "20260329005959"),
            ("2026-03-29T01:00:00Z", "20260329020000"),
            ("2026-10-25T00:30:00Z", "20261025013000"),
            ("2026-10-25T01:30:00Z", "20261025013000"),
        ];
        for (fhir, v2) in cases {
            assert_eq!(stamp(fhir).as_deref(), Ok(v2), "{fhir}");
        }
    }

    #[test]
    fn anything_else_is_refused_without_being_quoted() {
        for wrong in ["65-12-13", "1965-12-13T10", "yesterday", "1965-1", ""] {
            assert_eq!(stamp(wrong).unwrap_err().to_string(), "X.y: not a FHIR date or dateTime", "{wrong}");
        }
    }
}
