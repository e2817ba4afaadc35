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
mod identity;
mod ids;
mod issuers;
mod jwks;
mod limits;
mod listener;
mod media_type;
mod not_served;
mod opening;
mod place;
mod porter;
#[cfg(test)]
mod porter_tests;
mod preference;
mod query;
mod relay;
mod request_log;
mod single;
mod submission;
mod system;
mod task;
mod task_resource;
mod task_search;
mod tokens;
mod update;
mod validate;
mod visit;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};
use axum::{Extension, Router};
use chrono::{DateTime, Utc};
use tokio_util::task::TaskTracker;

pub use identity::Identities;
pub use issuers::Issuers;
pub use listener::{Listening, serve};
pub use tokens::{InvalidToken, TokenTable};

use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::Gateway;
use crate::rejection::Rejection;
use limits::Limits;
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
    /// The settings.
    pub config: Config,
    /// Base URL in answers, such as `http://127.0.0.1:8080/fhir`.
    pub base_url: String,
    /// Who may enter.
    pub identities: Identities,
    /// Tracks what goes on for a few seconds after an answer.
    pub tasks: TaskTracker,
}

/// What the interactions share.
struct Desk {
    gateway: Gateway,
    /// Without a slash at its end.
    base_url: String,
    /// How long answers wait for destinations that reply.
    wait: Duration,
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
    let Door { gateway, clock, chance, config, base_url, identities, tasks } = door;
    let settings = &config.http;
    let since = clock.now();
    let register = gateway.clone();
    let porter = Porter {
        clock,
        chance,
        identities,
        limits: Limits::of(&config),
        tasks,
        max_body: settings.max_body.0,
        time: settings.timeout.0,
        pause: settings.body_pause.0,
        count_refusal: Box::new(move |address, rejection| register.count_refusal(address, rejection)),
    };
    let base_url = base_url.trim_end_matches('/').to_owned();
    let desk = Arc::new(Desk { gateway, base_url, wait: settings.wait.0, since });
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
        .route(
            "/fhir/Task",
            typed(get(task_search::search).post(create::create).put(update::without_id), "GET, HEAD, POST"),
        )
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
