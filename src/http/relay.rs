//! The answer of a destination that a route marks `reply`, relayed to the sender that waits for it: its status,
//! `Location`, `ETag` and body.

use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use tokio::time::timeout;

use super::answer;
use crate::delivery::replies::{Expected, Reply, Settlement};
use crate::exchange::state::DeliveryState;
use crate::outcome::{Issue, OperationOutcome};

/// The answer, when everybody asked has settled within `patience`; of several, the first that refused, else the first.
pub(super) async fn reply(expected: &mut [Expected], patience: Duration) -> Option<Response> {
    if expected.is_empty() || patience.is_zero() {
        return None;
    }
    let settled = timeout(patience, join_all(expected.iter_mut().map(Expected::settlement))).await.ok()?;
    let settled: Vec<(Settlement, &str)> =
        settled.into_iter().zip(expected.iter().map(|each| each.destination.as_str())).collect();
    let failed = |settlement: &Settlement| settlement.state != DeliveryState::Delivered;
    let told = settled.iter().find(|(settlement, _)| failed(settlement)).or(settled.first());
    told.map(|(settlement, destination)| render(settlement, destination))
}

fn render(settlement: &Settlement, destination: &str) -> Response {
    if let Some(reply) = &settlement.reply {
        return relayed(reply);
    }
    let taken = settlement.state == DeliveryState::Delivered;
    let (status, severity, code) = if taken {
        (StatusCode::OK, "information", "informational")
    } else {
        (StatusCode::UNPROCESSABLE_ENTITY, "error", "processing")
    };
    let note = if settlement.note.is_empty() { String::new() } else { format!(": {}", settlement.note) };
    let message = format!("{destination}: {}{note}", settlement.state.as_str());
    let issue = Issue { severity: severity.to_owned(), ..Issue::error(code, message) };
    answer::resource(status, &OperationOutcome(&[issue]))
}

fn relayed(reply: &Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut answer = (status, Body::from(reply.body.clone())).into_response();
    let headers = answer.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in
        [(header::CONTENT_TYPE, &reply.content_type), (header::LOCATION, &reply.location), (header::ETAG, &reply.etag)]
    {
        if let Some(value) = value {
            answer::put(headers, name, value);
        }
    }
    answer
}
