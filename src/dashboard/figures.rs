//! `/metrics`: the counters of this process and the backlog of the database, as
//! [Prometheus](https://prometheus.io/docs/instrumenting/exposition_formats/) reads them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Watch;
use crate::exchange::state::DeliveryState;
use crate::store::watch::{self, Waiting};
use crate::telemetry::Backlog;

const PATIENCE: Duration = Duration::from_secs(5);
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) async fn tell(State(watch): State<Arc<Watch>>) -> Response {
    let Ok(Ok(backlog)) = tokio::time::timeout(PATIENCE, backlog(&watch)).await else {
        // A scrape that fails is seen at once; counters without the backlog would look like an empty one.
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response();
    };
    match watch.metrics.text(&backlog, is_waiting) {
        Ok(text) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn backlog(watch: &Watch) -> sqlx::Result<Vec<Backlog>> {
    let rows = watch::backlog(&mut *watch.pool.acquire().await?).await?;
    let now = watch.clock.now();
    let told = |Waiting { destination, state, count, oldest }| {
        let oldest = (now - oldest).to_std().unwrap_or_default();
        Backlog { destination, state: state.as_str(), count, oldest }
    };
    // Alerts need a zero, not an absence.
    let nothing = |destination: &String| {
        let state = DeliveryState::Ready.as_str();
        Backlog { destination: destination.clone(), state, count: 0, oldest: Duration::ZERO }
    };
    Ok(watch.destinations.iter().map(nothing).chain(rows.into_iter().map(told)).collect())
}

/// An ended delivery waits for an operator, if for anything, and so does one in quarantine.
fn is_waiting(state: &str) -> bool {
    let waits = |known: DeliveryState| !known.is_ended() && known != DeliveryState::Quarantined;
    DeliveryState::ALL.into_iter().any(|known| known.as_str() == state && waits(known))
}
