//! The porter: what happens to every request before and after its interaction. Reads the ids, asks for the credential,
//! keeps the body until somebody reads it, turns panics into answers, mirrors the ids and writes the request's one line
//! in the log: its route template, never its address, query string, ids in the path, or body.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header, request::Parts};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::answer;
use super::body::{Bounds, Inbound};
use super::ids::Named;
use super::tokens::TokenTable;
use super::visit::Visit;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::exchange::ids::Id;
use crate::rejection::Rejection;

/// What the porter needs.
pub(super) struct Porter {
    pub(super) clock: Clock,
    pub(super) chance: Chance,
    pub(super) tokens: TokenTable,
    pub(super) tasks: TaskTracker,
    /// Most bytes of a body.
    pub(super) max_body: u64,
    /// Longest time for a request to arrive and be answered.
    pub(super) time: Duration,
    /// Counts the refusal of somebody unknown.
    pub(super) count_refusal: CountRefusal,
}

/// Told the address and the reason.
pub(super) type CountRefusal = Box<dyn Fn(IpAddr, &Rejection) + Send + Sync>;

/// The middleware around every address, known or not.
pub(super) async fn meet(State(porter): State<Arc<Porter>>, request: Request, next: Next) -> Response {
    let received_at = porter.clock.now();
    let (parts, body) = request.into_parts();
    let method = method(&parts.method);
    let route =
        parts.extensions.get::<MatchedPath>().map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let fresh = || Id::new(received_at, &porter.chance).uuid().to_string();
    let named = Arc::new(Named::read(&parts.headers, fresh));
    let inbound = Arc::new(Inbound::new(body, &parts.headers));
    let sender = porter.tokens.sender(&parts.headers).cloned();
    let source = sender.as_ref().map(|sender| sender.source.clone());
    let mut answer = match sender {
        None => porter.turn_away(&parts),
        Some(sender) => {
            let visit = Visit {
                sender,
                named: Arc::clone(&named),
                request: format!("{method} {route}"),
                received_at,
                inbound: Arc::clone(&inbound),
                bounds: porter.bounds(),
            };
            guarded(visit, parts, next).await
        }
    };
    inbound.drain(&porter.tasks, porter.max_body);
    named.mirror(answer.headers_mut());
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    tracing::info!(
        method,
        route,
        status = answer.status().as_u16(),
        duration_ms = elapsed(received_at, porter.clock.now()),
        source,
        correlation_id = named.ids.correlation,
        bytes_in = inbound.bytes(),
        "request"
    );
    answer
}

impl Porter {
    fn turn_away(&self, parts: &Parts) -> Response {
        let rejection = Rejection::Unauthenticated;
        if let Some(ConnectInfo(address)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() {
            (self.count_refusal)(address.ip(), &rejection);
        }
        answer::rejected(&rejection)
    }

    fn bounds(&self) -> Bounds {
        Bounds { size: self.max_body, time: self.time, deadline: Instant::now() + self.time }
    }
}

/// Lets the interaction answer; a panic becomes a 500 and takes nothing else down.
async fn guarded(visit: Visit, mut parts: Parts, next: Next) -> Response {
    let correlation_id = visit.named.ids.correlation.clone();
    parts.extensions.insert(Arc::new(visit));
    let answered = AssertUnwindSafe(next.run(Request::from_parts(parts, Body::empty()))).catch_unwind().await;
    answered.unwrap_or_else(|_| {
        // What the panic said may hold a piece of the payload.
        tracing::error!(correlation_id, "the handler of a request panicked");
        answer::rejected(&Rejection::Fault)
    })
}

/// The method for the log: a made-up one could hold anything.
fn method(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    known.into_iter().find(|known| method == known).unwrap_or("other")
}

fn elapsed(from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    (to - from).num_milliseconds().max(0)
}
