//! What those who run the gateway watch and steer it by. For machines: whether it lives, whether it is ready, and its
//! figures; nothing of a patient stands there, so no credential is asked for. For people: pages, rendered here and kept
//! up to date by [server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html); `access` says who
//! may see them.

mod access;
mod act;
mod assets;
mod body;
mod chart;
mod dead_letters;
mod destinations;
mod exchange;
mod exchanges;
mod figures;
mod find;
mod flow;
mod form;
mod health;
mod home;
mod live;
mod notice;
mod overview;
mod page;
pub mod password;
mod quarantine;
pub mod role;
mod sign_in;
mod stray;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{get, post};
use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::exchange::keys::SearchKey;
use crate::exchange::rows::AuditRow;
use crate::store::audit;
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

/// What the pages need beside what is watched.
pub struct Steering {
    /// Randomness for sessions.
    pub chance: Chance,
    /// Finds patients.
    pub search_key: SearchKey,
    /// The system of a number that is looked for without one.
    pub patient_system: String,
    /// Every resource type there is.
    pub resource_types: Vec<String>,
    /// Recorded with every act.
    pub config_hash: String,
    /// Recorded with every act.
    pub packs: String,
    /// Browsers come by TLS, ours or a proxy's.
    pub secure: bool,
    /// Others than this machine can come.
    pub exposed: bool,
}

/// What all pages share.
struct Pages {
    pool: PgPool,
    clock: Clock,
    chance: Chance,
    metrics: Metrics,
    destinations: Vec<String>,
    stopping: CancellationToken,
    search_key: SearchKey,
    patient_system: String,
    resource_types: Vec<String>,
    config_hash: String,
    packs: String,
    secure: bool,
    exposed: bool,
    throttle: sign_in::Throttle,
    board: live::Board,
    flow: flow::Flow,
}

impl Pages {
    /// Name of the session's cookie; with the prefix, browsers take it from this host over TLS only.
    fn cookie(&self) -> &'static str {
        if self.secure { "__Host-signalbox" } else { "signalbox" }
    }

    /// Writes what a person did to the register.
    async fn record(
        &self,
        db: &mut PgConnection,
        event: &'static str,
        outcome: &str,
        actor: &str,
        reason: &str,
    ) -> sqlx::Result<()> {
        let now = self.clock.now();
        let mut row = AuditRow::new(event, outcome, now, now);
        row.actor = Some(actor.to_owned());
        row.reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
        self.insert(db, row).await
    }

    async fn insert(&self, db: &mut PgConnection, row: AuditRow) -> sqlx::Result<()> {
        let batch = Uuid::from_bytes(self.chance.bytes());
        audit::insert(db, batch, &[row], &self.config_hash, &self.packs).await
    }
}

/// Every address of the watch and of the pages, beside those of the front door. What keeps the live page up to date runs
/// in `tasks`.
pub fn beside(door: Router, watch: Watch, steering: Steering, tasks: &TaskTracker) -> Router {
    let pages = Arc::new(Pages {
        pool: watch.pool.clone(),
        clock: watch.clock.clone(),
        chance: steering.chance,
        metrics: watch.metrics.clone(),
        destinations: watch.destinations.clone(),
        stopping: watch.stopping.clone(),
        search_key: steering.search_key,
        patient_system: steering.patient_system,
        resource_types: steering.resource_types,
        config_hash: steering.config_hash,
        packs: steering.packs,
        secure: steering.secure,
        exposed: steering.exposed,
        throttle: sign_in::Throttle::default(),
        board: live::Board::default(),
        flow: flow::Flow::default(),
    });
    tasks.spawn(live::keep(Arc::clone(&pages), watch.stopping.clone()));
    let watched = Router::new()
        .route("/livez", get(health::lives))
        .route("/readyz", get(health::is_ready))
        .route("/metrics", get(figures::tell))
        .with_state(Arc::new(watch));
    let strays = from_fn_with_state(Arc::clone(&pages), stray::meet);
    door.merge(watched).merge(of_people(pages)).layer(strays)
}

/// The addresses that take forms lead whoever asks for them to the page where the form stands.
fn of_people(pages: Arc<Pages>) -> Router {
    let to = |page: &'static str| move || async move { Redirect::to(page) };
    let guarded = Router::new()
        .route("/", get(home::show))
        .route("/live", get(live::watch))
        .route("/exchanges", get(exchanges::show))
        .route("/exchanges/find", post(find::find).get(to("/exchanges")))
        .route("/exchanges/{id}", get(exchange::show))
        .route("/exchanges/{id}/body", post(body::show).get(body::elsewhere))
        .route("/dead-letters", get(dead_letters::show))
        .route("/dead-letters/{verb}", post(dead_letters::decide).get(to("/dead-letters")))
        .route("/quarantine", get(quarantine::show))
        .route("/quarantine/{id}/{verb}", post(quarantine::decide).get(to("/quarantine")))
        .route("/deliveries/{id}/{verb}", post(act::decide).get(to("/dead-letters")))
        .route("/destinations/{name}/{verb}", post(destinations::switch).get(to("/")))
        .route("/sign-out", post(sign_in::leave).get(to("/")))
        .layer(from_fn_with_state(Arc::clone(&pages), access::guard));
    Router::new()
        .route("/sign-in", get(sign_in::form).post(sign_in::enter))
        .route("/assets/signalbox.css", get(assets::style))
        .route("/assets/signalbox.js", get(assets::script))
        .route("/assets/icon.svg", get(assets::icon))
        .route("/favicon.ico", get(assets::icon))
        .layer(from_fn_with_state(Arc::clone(&pages), access::own_forms))
        .merge(guarded)
        .with_state(pages)
}
