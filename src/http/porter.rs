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

use super::body::{Bounds, Inbound};
use super::identity::Identities;
use super::ids::Named;
use super::limits::{Allowance, Limits};
use super::request_log::{self, Line};
use super::visit::Visit;
use super::{answer, query};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::exchange::ids::Id;
use crate::rejection::Rejection;
use crate::tls::names::ClientNames;

/// What the porter needs.
pub(super) struct Porter {
    pub(super) clock: Clock,
    pub(super) chance: Chance,
    pub(super) identities: Identities,
    pub(super) limits: Limits,
    pub(super) tasks: TaskTracker,
    /// Most bytes of a body that nobody reads.
    pub(super) max_body: u64,
    /// Longest time for a request to arrive and be answered.
    pub(super) time: Duration,
    /// Longest silence within a body.
    pub(super) pause: Duration,
    /// Counts the refusal of somebody unknown.
    pub(super) count_refusal: CountRefusal,
}

/// Told the address and the reason.
pub(super) type CountRefusal = Box<dyn Fn(IpAddr, &Rejection) + Send + Sync>;

/// The middleware around every address, known or not.
pub(super) async fn meet(State(porter): State<Arc<Porter>>, request: Request, next: Next) -> Response {
    let received_at = porter.clock.now();
    let (parts, body) = request.into_parts();
    let pretty = query::is_pretty(&parts.uri);
    let fresh = || Id::new(received_at, &porter.chance).uuid().to_string();
    let named = Arc::new(Named::read(&parts.headers, fresh));
    let inbound = Arc::new(Inbound::new(body, &parts.headers));
    let certified = parts.extensions.get::<ClientNames>().cloned().unwrap_or_default();
    let sender = porter.identities.sender(&parts.headers, &certified).await;
    let allowance = sender.as_ref().and_then(|sender| porter.limits.of_source(&sender.source));
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
    let mut answer = match (sender, allowance.map_or(Ok(()), Allowance::admit)) {
        (None, _) => porter.turn_away(&parts, &Rejection::Unauthenticated),
        (Some(_), Err(retry_after)) => porter.turn_away(&parts, &Rejection::TooMany { retry_after }),
        (Some(sender), Ok(())) => {
            let visit = Visit {
                sender,
                named: Arc::clone(&named),
                request: format!("{} {}", line.method, line.route),
                received_at,
                inbound: Arc::clone(&inbound),
                bounds: porter.bounds(allowance),
                max_entries: allowance.map_or(usize::MAX, |allowance| allowance.max_entries),
            };
            guarded(visit, parts, next).await
        }
    };
    if pretty {
        answer = answer::pretty(answer).await;
    }
    inbound.drain(&porter.tasks, porter.max_body);
    named.mirror(answer.headers_mut());
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    line.status = Some(answer.status());
    answer
}

impl Porter {
    /// Refuses without a row of its own in the register: such refusals are counted by address.
    fn turn_away(&self, parts: &Parts, rejection: &Rejection) -> Response {
        if let Some(ConnectInfo(address)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() {
            (self.count_refusal)(address.ip(), rejection);
        }
        answer::rejected(rejection)
    }

    fn bounds(&self, allowance: Option<&Allowance>) -> Bounds {
        let size = allowance.map_or(self.max_body, |allowance| allowance.max_body);
        Bounds { size, time: self.time, pause: self.pause, deadline: Instant::now() + self.time }
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
