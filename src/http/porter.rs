//! The porter: what happens to every request before and after its interaction. Reads the ids, asks for the credential,
//! keeps the body until somebody reads it, turns panics into answers, mirrors the ids and writes the log.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderValue, header, request::Parts};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::answer;
use super::body::{Bounds, Inbound};
use super::ids::Named;
use super::request_log::{self, Line};
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
    let fresh = || Id::new(received_at, &porter.chance).uuid().to_string();
    let named = Arc::new(Named::read(&parts.headers, fresh));
    let inbound = Arc::new(Inbound::new(body, &parts.headers));
    let sender = porter.tokens.sender(&parts.headers).cloned();
    let mut line = Line {
        method: request_log::method(&parts.method),
        route: parts.extensions.get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned(),
        source: sender.as_ref().map(|sender| sender.source.clone()),
        correlation_id: named.ids.correlation.clone(),
        received_at,
        clock: porter.clock.clone(),
        inbound: Arc::clone(&inbound),
        status: None,
    };
    let mut answer = match sender {
        None => porter.turn_away(&parts),
        Some(sender) => {
            let visit = Visit {
                sender,
                named: Arc::clone(&named),
                request: format!("{} {}", line.method, line.route),
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
    line.status = Some(answer.status());
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
