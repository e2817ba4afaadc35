//! What a FHIR server's answer means. Of an [OperationOutcome](https://hl7.org/fhir/R4/operationoutcome.html) only codes
//! and expressions are kept: its texts may quote the patient.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER};
use signalbox_validator::json::{Document, Value};

use crate::delivery::destination::{Acknowledgement, DeliveryError};
use crate::delivery::replies::{Reply, ReplySlot};

/// Most of an answer that is read to find out why.
const MOST: usize = 64 * 1024;
/// Most of an answer that is read to be relayed.
const MOST_RELAYED: usize = 16 * 1024 * 1024;

/// Judges an answer; all of it is kept only for somebody who waits for it.
pub(super) async fn judge(
    answer: Response,
    now: DateTime<Utc>,
    wanted: Option<&ReplySlot>,
) -> Result<Acknowledgement, DeliveryError> {
    let status = answer.status().as_u16();
    let told = wanted.map(|slot| (slot, head(&answer)));
    let retry_after =
        answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| delay(text, now));
    match status {
        200..=299 => {
            if let Some((slot, head)) = told {
                // The partner has taken it, whatever becomes of the rest of its answer.
                let body = start_of(answer, MOST_RELAYED).await;
                slot.put(Reply { body: body.into(), ..head });
            }
            Ok(Acknowledgement { code: status.to_string(), note: String::new() })
        }
        // An operator mends credentials; the patient's record is not to blame and must not become a dead letter at once.
        401 | 403 => Err(DeliveryError::transient(format!(
            "answered {status}: our credentials are not accepted (settings.token)"
        ))),
        408 | 425 | 429 | 500..=599 => {
            Err(DeliveryError::Transient { reason: format!("answered {status}"), retry_after })
        }
        _ => {
            let body = start_of(answer, MOST).await;
            let why = codes(&body);
            if let Some((slot, head)) = told {
                slot.put(Reply { body: body.into(), ..head });
            }
            Err(DeliveryError::refused(if why.is_empty() {
                format!("answered {status}")
            } else {
                format!("answered {status}: {why}")
            }))
        }
    }
}

fn head(answer: &Response) -> Reply {
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Reply {
        status: answer.status().as_u16(),
        // One that is relative is meant from where it was asked, not from where it is relayed to (RFC 9110 §10.2.2).
        location: header(LOCATION).map(|location| answer.url().join(&location).map_or(location, String::from)),
        etag: header(ETAG),
        content_type: header(CONTENT_TYPE),
        body: Bytes::new(),
    }
}

async fn start_of(mut answer: Response, most: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > most {
            break;
        }
    }
    body
}

/// `error invalid (CODE) at Patient.name; …` of an OperationOutcome; empty for anything else.
fn codes(body: &[u8]) -> String {
    let Ok(document) = Document::read(body) else { return String::new() };
    let issues = document.root().get("issue");
    let issues = issues.into_iter().flat_map(Value::items).take(5);
    let texts = issues.map(|issue| {
        let word = |value: Option<std::borrow::Cow<'_, str>>| {
            value.filter(|text| is_word(text)).map(std::borrow::Cow::into_owned)
        };
        let mut text = word(issue.str_at(&["severity"])).unwrap_or_default();
        if let Some(code) = word(issue.str_at(&["code"])) {
            text = format!("{text} {code}");
        }
        if let Some(detail) = word(issue.str_at(&["details", "coding", "code"])) {
            text = format!("{text} ({detail})");
        }
        let place = issue.get("expression").and_then(|list| list.items().next()).and_then(Value::as_str);
        match place.filter(|place| is_path(place)) {
            Some(place) => format!("{text} at {place}"),
            None => text,
        }
    });
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
}

fn is_word(text: &str) -> bool {
    text.len() <= 64 && text.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '_' || letter == '-')
}

/// A path of element names and small indexes: nothing in it can be a value.
fn is_path(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphabetic() || ".[]()".contains(letter);
    let digits = text.split(|letter: char| !letter.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    text.len() <= 200 && digits <= 3 && text.chars().all(|letter| plain(letter) || letter.is_ascii_digit())
}

/// `Retry-After`: seconds, or a date ([RFC 9110 §10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
fn delay(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(text.trim()).ok()?;
    (date.to_utc() - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_and_paths_of_an_outcome_are_kept() {
        let outcome = br#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid",
            "details":{"coding":[{"code":"INVALID_VALUE"}],"text":"Ashworth is not allowed"},
            "diagnostics":"9990000018","expression":["Patient.name[0].family"]},
            {"severity":"error","code":"9990000018","expression":["Patient.where(id='9990000018')"]}]}"#;
        assert_eq!(codes(outcome), "error invalid (INVALID_VALUE) at Patient.name[0].family; error");
        assert_eq!(codes(b"<html>Ashworth</html>"), "");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = DateTime::from_timestamp(1_445_412_480, 0).unwrap();
        assert_eq!(delay("120", now), Some(Duration::from_mins(2)));
        assert_eq!(delay("Wed, 21 Oct 2015 07:29:00 GMT", now), Some(Duration::from_mins(1)));
        assert_eq!(delay("soon", now), None);
    }
}
