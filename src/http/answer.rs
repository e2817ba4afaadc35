//! Answers: a FHIR resource with its status and headers, or the OperationOutcome of a rejection
//! ([status codes](https://hl7.org/fhir/R4/http.html#Status-Codes)).

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::preference::Return;
use crate::gateway::Accepted;
use crate::outcome::{Issue, OperationOutcome};
use crate::rejection::Rejection;

/// What our answers are.
pub(super) const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";

/// A resource as FHIR JSON.
pub(super) fn resource(status: StatusCode, resource: &impl Serialize) -> Response {
    let content_type = HeaderValue::from_static(FHIR_JSON);
    match serde_json::to_vec(resource) {
        Ok(body) => (status, [(header::CONTENT_TYPE, content_type)], Body::from(body)).into_response(),
        // None of ours has a key that is no string.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The answer to a message that is stored: what there is to say of it, the resource as it was received, or nothing.
pub(super) fn accepted(returned: Option<Return>, accepted: &Accepted, body: &Bytes) -> Response {
    match returned {
        Some(Return::Minimal) => StatusCode::ACCEPTED.into_response(),
        Some(Return::Representation) => {
            let content_type = HeaderValue::from_static(FHIR_JSON);
            (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, content_type)], Body::from(body.clone())).into_response()
        }
        Some(Return::OperationOutcome) | None => resource(StatusCode::ACCEPTED, &OperationOutcome(&remarks(accepted))),
    }
}

/// Where to ask how a stored message fares.
pub(super) fn task(base_url: &str, accepted: &Accepted) -> String {
    format!("{base_url}/Task/{}", accepted.exchange)
}

/// What there is to say of a stored message.
pub(super) fn remarks(accepted: &Accepted) -> Vec<Issue> {
    let exchange = accepted.exchange;
    let held = accepted.quarantined;
    let mut stored = match accepted.destinations.as_slice() {
        destinations if held => {
            format!(
                "Stored as exchange {exchange} and held in quarantine: an operator decides whether it goes to {}.",
                destinations.join(", ")
            )
        }
        [] => format!("Stored as exchange {exchange}; no destination is configured for it."),
        destinations => format!("Stored as exchange {exchange}; it goes to {}.", destinations.join(", ")),
    };
    if !held && accepted.issues.iter().any(Issue::is_error) {
        stored.push_str(" It is not valid: that was agreed to be accepted from this source, and is flagged.");
    }
    let first = Issue::information("informational", stored);
    let held =
        held.then(|| Issue { severity: "warning".to_owned(), code: "business-rule".to_owned(), ..first.clone() });
    let mut issues = vec![held.unwrap_or(first)];
    issues.extend(accepted.issues.iter().cloned());
    issues
}

/// The same answer with line ends and indents, when it is JSON of ours; numbers stay as they are written.
pub(super) async fn pretty(answer: Response) -> Response {
    if answer.headers().get(header::CONTENT_TYPE).is_none_or(|held| held.as_bytes() != FHIR_JSON.as_bytes()) {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        return rejected(&Rejection::Fault);
    };
    let indented = serde_json::from_slice::<Value>(&body).and_then(|value| serde_json::to_vec_pretty(&value));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, indented.map_or_else(|_| Body::from(body), Body::from))
}

/// The status of a rejection.
pub(super) fn status_of(rejection: &Rejection) -> StatusCode {
    StatusCode::from_u16(rejection.rendering().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The answer to a message that is not accepted.
pub(super) fn rejected(rejection: &Rejection) -> Response {
    let mut answer = resource(status_of(rejection), &OperationOutcome(&rejection.issues()));
    let headers = answer.headers_mut();
    if let Some(wait) = rejection.retry_after() {
        // Rounded up: a sender that comes back early is refused again.
        put(headers, header::RETRY_AFTER, &wait.as_millis().div_ceil(1000).max(1).to_string());
    }
    match rejection {
        Rejection::Unauthenticated => put(headers, header::WWW_AUTHENTICATE, "Bearer"),
        Rejection::MethodNotAllowed { allow } => put(headers, header::ALLOW, allow),
        _ => {}
    }
    answer
}

/// Sets a header; a value that HTTP cannot carry is left out.
pub(super) fn put(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;
    use crate::exchange::ExchangeId;
    use crate::rejection::samples;
    use chrono::DateTime;
    use std::fmt::Write;

    async fn shown(answer: Response) -> String {
        let (parts, body) = answer.into_parts();
        let mut text = format!("{}\n", parts.status);
        for (name, value) in &parts.headers {
            writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
        }
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        writeln!(text, "{}", serde_json::to_string_pretty(&body).unwrap()).unwrap();
        text
    }

    #[tokio::test]
    async fn every_rejection_reads_as_an_operation_outcome_with_its_status() {
        let mut text = String::new();
        for rejection in samples::all() {
            writeln!(text, "{}", shown(rejected(&rejection)).await).unwrap();
        }
        insta::assert_snapshot!(text);
    }

    #[tokio::test]
    async fn an_accepted_message_is_told_its_destinations_and_its_warnings() {
        let warning =
            Issue { severity: "warning".to_owned(), ..Issue::error("code-invalid", "not in the value set").at(3, 5) };
        let mut accepted = Accepted {
            exchange: ExchangeId::new(DateTime::UNIX_EPOCH, &Chance::seeded(1)),
            repeated: false,
            issues: vec![warning],
            destinations: vec!["pas".to_owned(), "archive".to_owned()],
            quarantined: false,
            expected: Vec::new(),
        };
        let first = shown(super::accepted(None, &accepted, &Bytes::new())).await;
        insta::assert_snapshot!(first);
        accepted.repeated = true;
        assert_eq!(shown(super::accepted(None, &accepted, &Bytes::new())).await, first);
    }

    #[tokio::test]
    async fn a_message_in_quarantine_and_one_that_is_flagged_say_so_first() {
        let mut accepted = Accepted {
            exchange: ExchangeId::new(DateTime::UNIX_EPOCH, &Chance::seeded(1)),
            repeated: false,
            issues: vec![Issue::error("code-invalid", "not in the value set").at(3, 5)],
            destinations: vec!["pas".to_owned()],
            quarantined: true,
            expected: Vec::new(),
        };
        let held = shown(super::accepted(None, &accepted, &Bytes::new())).await;
        accepted.quarantined = false;
        let flagged = shown(super::accepted(None, &accepted, &Bytes::new())).await;
        insta::assert_snapshot!(format!("{held}\n{flagged}"));
    }
}
