//! The request's one line in the log: method, route template, status and sizes. Never its address, query string, ids in
//! the path, or body. A request whose sender went away before the answer gets its line too.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use chrono::{DateTime, Utc};

use super::body::Inbound;
use crate::clock::Clock;

/// A line that is written when it is dropped.
pub(super) struct Line {
    pub(super) method: &'static str,
    pub(super) route: String,
    pub(super) source: Option<String>,
    pub(super) correlation_id: String,
    pub(super) received_at: DateTime<Utc>,
    pub(super) clock: Clock,
    pub(super) inbound: Arc<Inbound>,
    /// `None` until there is an answer.
    pub(super) status: Option<StatusCode>,
}

impl Drop for Line {
    fn drop(&mut self) {
        let message = if self.status.is_some() { "request" } else { "request given up by its sender" };
        tracing::info!(
            method = self.method,
            route = self.route,
            status = self.status.map(|status| status.as_u16()),
            duration_ms = (self.clock.now() - self.received_at).num_milliseconds().max(0),
            source = self.source,
            correlation_id = self.correlation_id,
            bytes_in = self.inbound.bytes(),
            "{message}"
        );
    }
}

/// The method for the log: a made-up one could hold anything.
pub(super) fn method(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    known.into_iter().find(|known| method == known).unwrap_or("other")
}
