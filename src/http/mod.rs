//! The FHIR front door ([RESTful API](https://hl7.org/fhir/R4/http.html)): one interaction per file. Start with
//! [`router`], which lists every address; [`porter`] is what happens to each request before and after.
//!
//! Checked in this order, so that nothing of a body is read for somebody unknown or a request that cannot be served:
//! credential, address, content type, answer format, headers, size, body.

mod accept;
mod answer;
mod batch;
mod body;
mod capability;
mod conditions;
mod content;
mod create;
mod ids;
mod media_type;
mod not_served;
mod place;
mod porter;
#[cfg(test)]
mod porter_tests;
mod query;
mod request_log;
mod single;
mod submission;
mod system;
mod task;
mod task_resource;
mod tokens;
mod update;
mod validate;
mod visit;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};
use axum::{Extension, Router};
use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use tokens::{InvalidToken, TokenTable};

use crate::chance::Chance;
use crate::clock::Clock;
use crate::config;
use crate::gateway::Gateway;
use crate::rejection::Rejection;
use place::Place;
use porter::Porter;
use visit::Visit;

/// What the front door is made of.
pub struct Door {
    /// Where messages go.
    pub gateway: Gateway,
    /// The clock.
    pub clock: Clock,
    /// Makes the correlation ids of requests that have none.
    pub chance: Chance,
    /// The `[http]` section.
    pub settings: config::http::Http,
    /// Base URL in answers, such as `http://127.0.0.1:8080/fhir`.
    pub base_url: String,
    /// Who may enter.
    pub tokens: TokenTable,
    /// Tracks what goes on for a few seconds after an answer.
    pub tasks: TaskTracker,
}

/// What the interactions share.
struct Desk {
    gateway: Gateway,
    /// Without a slash at its end.
    base_url: String,
    /// Most entries of a batch.
    max_entries: usize,
    /// When this front door was opened.
    since: DateTime<Utc>,
}

impl Desk {
    fn place(&self, uri: &Uri) -> Place {
        Place::of(uri, |name| self.gateway.is_resource_type(name))
    }

    /// Writes a refusal to the register and answers it.
    async fn turn_away(&self, visit: &Visit, place: &Place, rejection: Rejection) -> Response {
        let refused = visit.refused(place.known_type());
        answer::rejected(&self.gateway.refuse(refused, rejection).await)
    }
}

/// Every address of the front door.
pub fn router(door: Door) -> Router {
    let Door { gateway, clock, chance, settings, base_url, tokens, tasks } = door;
    let since = clock.now();
    let register = gateway.clone();
    let porter = Porter {
        clock,
        chance,
        tokens,
        tasks,
        max_body: settings.max_body.0,
        time: settings.timeout.0,
        count_refusal: Box::new(move |address, rejection| register.count_refusal(address, rejection)),
    };
    let base_url = base_url.trim_end_matches('/').to_owned();
    let desk = Arc::new(Desk { gateway, base_url, max_entries: settings.max_entries, since });
    // `/fhir/Task/{id}` hides `/fhir/{type}/…` for tasks, so `$validate` is listed again.
    let router = Router::new()
        .route("/fhir", post(system::bundle).fallback(not_served::system))
        .route("/fhir/", post(system::bundle).fallback(not_served::system))
        .route("/fhir/metadata", fixed(get(capability::read), "GET, HEAD"))
        .route("/fhir/$validate", fixed(post(validate::of_any), "POST"))
        .route("/fhir/{type}", typed(post(create::create).put(update::without_id), "POST"))
        .route("/fhir/{type}/$validate", typed(post(validate::of_type), "POST"))
        .route("/fhir/{type}/{id}", typed(put(update::update), "PUT"))
        .route("/fhir/Task/$validate", fixed(post(validate::of_type), "POST"))
        .route("/fhir/Task/{id}", typed(get(task::read).put(update::update), "GET, HEAD, PUT"))
        .fallback(not_served::address)
        .with_state(desk);
    attended(router, porter)
}

/// Puts the porter before every address, known or not.
fn attended(router: Router, porter: Porter) -> Router {
    router.layer(from_fn_with_state(Arc::new(porter), porter::meet))
}

fn fixed(methods: MethodRouter<Arc<Desk>>, allow: &'static str) -> MethodRouter<Arc<Desk>> {
    methods.fallback(move |desk: State<Arc<Desk>>, visit: Extension<Arc<Visit>>, uri: Uri| {
        not_served::method(desk, visit, uri, allow)
    })
}

fn typed(methods: MethodRouter<Arc<Desk>>, allow: &'static str) -> MethodRouter<Arc<Desk>> {
    methods.fallback(move |desk: State<Arc<Desk>>, visit: Extension<Arc<Visit>>, uri: Uri| {
        not_served::method_of_type(desk, visit, uri, allow)
    })
}

/// Serves until `shutdown`, then lets the requests under way end.
///
/// # Errors
/// When the listener is not on loopback (this version has no TLS), or fails.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) -> io::Result<()> {
    if !listener.local_addr()?.ip().is_loopback() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the front door listens on loopback addresses only"));
    }
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
}
