//! `/livez`: the process answers; restart it when it does not. `/readyz`: messages can be accepted now; send none while
//! they cannot. Two questions, because a gateway whose database is away must not be restarted for it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sqlx::PgConnection;

use super::Watch;
use crate::store::watch;

/// Longest wait for the database: shorter than the patience of those who ask.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn lives() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": "alive" }))).into_response()
}

pub(super) async fn is_ready(State(watch): State<Arc<Watch>>) -> Response {
    let found = match tokio::time::timeout(PATIENCE, checks(&watch)).await {
        Ok(Ok([migrations, partitions])) => {
            [("database", true), ("migrations", migrations), ("partitions", partitions)]
        }
        // Why is in the log of what failed; the answer is open to anybody.
        Ok(Err(_)) | Err(_) => [("database", false), ("migrations", false), ("partitions", false)],
    };
    // A full disk lets itself be asked about and takes nothing.
    let own = [("commits", watch.metrics.can_store()), ("running", !watch.stopping.is_cancelled())];
    let checks = found.into_iter().chain(own);
    let checks: Vec<(&str, bool)> = checks.collect();
    let ready = checks.iter().all(|(_, holds)| *holds);
    let (status, word) = if ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    let checks: serde_json::Map<_, _> =
        checks.into_iter().map(|(name, holds)| (name.to_owned(), json!(holds))).collect();
    (status, [(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": word, "checks": checks }))).into_response()
}

async fn checks(watch: &Watch) -> sqlx::Result<[bool; 2]> {
    let mut db = watch.pool.acquire().await?;
    let db: &mut PgConnection = &mut db;
    Ok([watch::is_migrated(db).await?, watch::has_partitions_ahead(db, watch.clock.now()).await?])
}
