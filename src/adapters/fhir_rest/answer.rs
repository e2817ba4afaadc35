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

/// Most of an answer that is read to find out what it means.
const MOST: usize = 1024 * 1024;
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
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let retry_after = header(RETRY_AFTER).and_then(|text| delay(text, now));
    let kind = header(CONTENT_TYPE).map(str::to_owned);
    match status {
        // An operator mends credentials; the patient's record is not to blame and must not become a dead letter at once.
        401 | 403 => Err(DeliveryError::transient(format!(
            "answered {status}: our credentials are not accepted (settings.token)"
        ))),
        // So it is with an address.
        300..=399 => Err(DeliveryError::transient(format!(
            "answered {status}: it sends us elsewhere, and no redirect is followed (settings.base_url)"
        ))),
        408 | 425 | 429 | 500..=599 => {
            Err(DeliveryError::Transient { reason: format!("answered {status}"), retry_after })
        }
        _ => {
            let most = if told.is_some() { MOST_RELAYED } else { MOST };
            let body = start_of(answer, most).await;
            let result = meaning(status, kind.as_deref(), &body);
            let relayed = match &result {
                Ok(_) => true,
                // Not one that says 200 all the same, nor one that will be followed by another.
                Err(DeliveryError::Refused { .. }) => status >= 400,
                Err(_) => false,
            };
            if let Some((slot, head)) = told.filter(|_| relayed) {
                slot.put(Reply { body: body.bytes.into(), ..head });
            }
            result
        }
    }
}

/// What a status means together with the body it came with.
fn meaning(status: u16, kind: Option<&str>, body: &Start) -> Result<Acknowledgement, DeliveryError> {
    let told = || match codes(&body.bytes) {
        why if why.is_empty() => format!("answered {status}"),
        why => format!("answered {status}: {why}"),
    };
    match status {
        // The partner has taken it, whatever becomes of the rest of its answer, unless somebody else answered for it.
        200..=299 => match stranger(kind, body) {
            Some(what) => {
                let sentence = format!("answered {status} with {what}: a page of a proxy or a login?");
                Err(DeliveryError::transient(sentence))
            }
            None if tells_of_failure(&body.bytes) => Err(DeliveryError::refused(told())),
            None => Ok(Acknowledgement { code: status.to_string(), note: String::new() }),
        },
        // Another writer was faster, or has it in hand: no fault of the record.
        409 | 423 => Err(DeliveryError::transient(told())),
        // A proxy answers so while the server behind it is replaced.
        404 | 410 if !is_outcome(&body.bytes) => Err(DeliveryError::transient(format!(
            "answered {status} without an OperationOutcome: does the server stand at settings.base_url?"
        ))),
        _ => Err(DeliveryError::refused(told())),
    }
}

/// What a body is that no FHIR server sends; `None` for JSON, XML and nothing. Without a `Content-Type` it is judged by
/// whether it reads as JSON.
fn stranger(kind: Option<&str>, body: &Start) -> Option<String> {
    if body.bytes.trim_ascii().is_empty() && body.whole {
        return None;
    }
    let Some(kind) = kind else {
        let json = if body.whole {
            Document::read(&body.bytes).is_ok()
        } else {
            matches!(body.bytes.trim_ascii_start().first(), Some(b'{') | None)
        };
        return (!json).then(|| "a text that is not JSON".to_owned());
    };
    let name = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_name = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphabetic() || b"/+-.".contains(&byte));
    (!KNOWN.contains(&name.as_str())).then(|| if is_name { name } else { "an unknown Content-Type".to_owned() })
}

/// What FHIR servers answer with ([content types](https://hl7.org/fhir/R4/http.html#mime-type)), with the names of
/// earlier versions.
const KNOWN: [&str; 8] = [
    "application/fhir+json",
    "application/json",
    "application/json+fhir",
    "text/json",
    "application/fhir+xml",
    "application/xml",
    "application/xml+fhir",
    "text/xml",
];

fn is_outcome(body: &[u8]) -> bool {
    Document::read(body).is_ok_and(|document| is_outcome_in_json(&document)) || is_outcome_in_xml(body)
}

fn is_outcome_in_json(document: &Document) -> bool {
    document.root().str_at(&["resourceType"]).as_deref() == Some("OperationOutcome")
}

fn is_outcome_in_xml(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<') && holds(body, b"<OperationOutcome")
}

/// Whether it is an OperationOutcome with an issue of
/// [severity](https://hl7.org/fhir/R4/valueset-issue-severity.html) error or fatal.
fn tells_of_failure(body: &[u8]) -> bool {
    if is_outcome_in_xml(body) {
        return [&b"<severity value=\"error\""[..], b"<severity value=\"fatal\""].iter().any(|tag| holds(body, tag));
    }
    let Ok(document) = Document::read(body) else { return false };
    let mut issues = document.root().get("issue").into_iter().flat_map(Value::items);
    let severe = |issue: Value<'_>| matches!(issue.str_at(&["severity"]).as_deref(), Some("error" | "fatal"));
    is_outcome_in_json(&document) && issues.any(severe)
}

fn holds(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
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

/// A body as far as it was read.
struct Start {
    bytes: Vec<u8>,
    /// Nothing is missing.
    whole: bool,
}

async fn start_of(mut answer: Response, most: usize) -> Start {
    let mut bytes = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Start { bytes, whole: true },
            Err(_) => return Start { bytes, whole: false },
        }
        if bytes.len() > most {
            return Start { bytes, whole: false };
        }
    }
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

    fn of(status: u16, kind: Option<&str>, body: &str) -> Result<Acknowledgement, DeliveryError> {
        meaning(status, kind, &Start { bytes: body.as_bytes().to_vec(), whole: true })
    }

    #[test]
    fn a_page_of_somebody_else_is_no_acknowledgement() {
        let page = "<html>Maintenance, please log in</html>";
        for (kind, body, what) in [
            (Some("text/html"), page, "text/html"),
            (Some("Text/HTML; charset=utf-8"), page, "text/html"),
            (Some("text/plain"), "OK", "text/plain"),
            (Some("9990000018 Ashworth"), "OK", "an unknown Content-Type"),
            (None, page, "a text that is not JSON"),
        ] {
            let told = of(200, kind, body).unwrap_err();
            assert_eq!(
                told,
                DeliveryError::transient(format!("answered 200 with {what}: a page of a proxy or a login?")),
                "{kind:?}"
            );
        }
        for (kind, body) in [
            (Some("text/html"), ""),
            (None, ""),
            (None, "\r\n"),
            (None, " {\"resourceType\":\"Patient\"}"),
            (Some("application/fhir+json;charset=UTF-8"), "{\"resourceType\":\"Patient\"}"),
            (Some("APPLICATION/JSON"), "{}"),
            (Some("application/fhir+xml; fhirVersion=4.0"), "<Patient xmlns=\"http://hl7.org/fhir\"/>"),
        ] {
            assert_eq!(of(201, kind, body).unwrap().code, "201", "{kind:?} {body}");
        }
        let cut = |text: &str| meaning(201, None, &Start { bytes: text.into(), whole: false });
        assert!(cut("").is_ok() && cut("{\"resou").is_ok() && cut("<htm").is_err());
    }

    #[test]
    fn an_outcome_with_an_error_is_a_refusal_whatever_its_status() {
        let outcome = |severity: &str| {
            format!(
                "{{\"resourceType\":\"OperationOutcome\",\"issue\":[{{\"severity\":\"information\",\"code\":\"informational\"}},\
                     {{\"severity\":\"{severity}\",\"code\":\"processing\"}}]}}"
            )
        };
        let in_xml = |severity: &str| {
            format!(
                "<?xml version=\"1.0\"?><OperationOutcome xmlns=\"http://hl7.org/fhir\"><issue><severity value=\"{severity}\"/>\
                     <code value=\"processing\"/></issue></OperationOutcome>"
            )
        };
        for severity in ["error", "fatal"] {
            let refused = format!("answered 200: information informational; {severity} processing");
            let (json, xml) = (Some("application/fhir+json"), Some("application/fhir+xml"));
            assert_eq!(of(200, json, &outcome(severity)), Err(DeliveryError::refused(&refused)));
            assert_eq!(of(200, None, &outcome(severity)), Err(DeliveryError::refused(&refused)));
            assert_eq!(of(200, xml, &in_xml(severity)), Err(DeliveryError::refused("answered 200")));
        }
        for severity in ["warning", "information"] {
            assert!(of(200, None, &outcome(severity)).is_ok());
            assert!(of(200, Some("text/xml"), &in_xml(severity)).is_ok());
        }
        assert!(of(404, None, &outcome("error")).unwrap_err().to_string().contains("error processing"));
        assert!(matches!(of(404, None, &outcome("error")), Err(DeliveryError::Refused { .. })));
        assert!(matches!(of(410, None, "<html/>"), Err(DeliveryError::Transient { .. })));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = DateTime::from_timestamp(1_445_412_480, 0).unwrap();
        assert_eq!(delay("120", now), Some(Duration::from_mins(2)));
        assert_eq!(delay("Wed, 21 Oct 2015 07:29:00 GMT", now), Some(Duration::from_mins(1)));
        assert_eq!(delay("soon", now), None);
    }
}
