//! What those who run the gateway watch it by: whether it lives, whether it is ready, and its figures. Nothing of a
//! patient stands here, so no credential is asked for; every other address of the program asks for one.

mod figures;
mod health;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::telemetry::Metrics;

/// What is watched.
pub struct Watch {
    /// Connections for reads.
    pub pool: PgPool,
    /// Time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Metrics,
    /// Names of the configured destinations.
    pub destinations: Vec<String>,
    /// Cancelled when the gateway has begun to stop.
    pub stopping: CancellationToken,
}

/// Every address of the watch.
pub fn router(watch: Watch) -> Router {
    Router::new()
        .route("/livez", get(health::lives))
        .route("/readyz", get(health::is_ready))
        .route("/metrics", get(figures::tell))
        .with_state(Arc::new(watch))
}
