//! The gateway: the one door every message passes, whatever protocol brought it. [`Gateway::accept`] is the pipeline of
//! the design: judge (read, validate, route), ONE COMMIT, answer.

mod accept;
mod commit;
mod gather;
mod in_flight;
mod judge;
mod message;
mod meter;
mod policy;
mod profiles;
mod refusals;
mod start;
mod status;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use signalbox_validator::json::Document;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::delivery::destination::Destination;
use crate::delivery::replies::{Expected, Replies};
use crate::exchange::state::ExchangeStatus;
use crate::exchange::{Arrival, ExchangeId, RequestIds, Sender};
use crate::outcome::Issue;
use crate::rejection::Rejection;
use crate::store::tasks::Wanted;
use crate::store::used_tokens;
use crate::telemetry::Metrics;
use crate::validation::terminology::Terminology;

pub use judge::{Judge, Judgement};
pub use meter::Meter;
pub use start::{Parts, start};

/// A handle on the running gateway; cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    clock: Clock,
    chance: Chance,
    judge: Judge,
    config_hash: String,
    queue: mpsc::Sender<commit::Commit>,
    pool: PgPool,
    refusals: refusals::Refusals,
    metrics: Metrics,
    replies: Replies,
    tasks: TaskTracker,
    terminology: Option<Terminology>,
}

/// What accepting needs to know of a destination.
#[derive(Clone)]
pub struct Known {
    /// Its number in the store.
    pub number: i32,
    /// Time after acceptance when a delivery becomes a dead letter.
    pub give_up_after: Duration,
    /// Whether everything goes there in one order.
    pub one_stream: bool,
    /// The adapter, asked what it can carry.
    pub destination: Arc<dyn Destination>,
}

impl Known {
    fn carries(&self, arrival: &Arrival, options: &serde_json::Value) -> bool {
        self.destination.carries(arrival.interaction, &arrival.conditions, options)
    }
}

/// A message that has been committed.
#[derive(Debug)]
pub struct Accepted {
    /// Id of the exchange; its Task has the same id.
    pub exchange: ExchangeId,
    /// The sender had sent it before: this is the first exchange, nothing new was stored.
    pub repeated: bool,
    /// Warnings and remarks of validation.
    pub issues: Vec<Issue>,
    /// Names of the destinations it goes to.
    pub destinations: Vec<String>,
    /// It is held until an operator releases or refuses it.
    pub quarantined: bool,
    /// Those of them that reply, when the sender waits.
    pub expected: Vec<Expected>,
}

/// A request of a known source that was turned away before its body was looked at.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Which door.
    pub endpoint: Cow<'static, str>,
    /// Who sent it.
    pub sender: Sender,
    /// What was asked, as method and route template: `POST /fhir/{type}`.
    pub request: String,
    /// Resource type in the URL when it is one FHIR has.
    pub resource_type: Option<String>,
    /// Ids of the request.
    pub ids: RequestIds,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
}

/// A question whether a resource is valid.
#[derive(Clone)]
pub struct Question {
    /// Which door.
    pub endpoint: Cow<'static, str>,
    /// Who asks.
    pub sender: Sender,
    /// Resource type in the URL, if any.
    pub resource_type: Option<String>,
    /// Ids of the request.
    pub ids: RequestIds,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// The resource, or a Parameters with a part named `resource`.
    pub body: Bytes,
}

impl Gateway {
    /// Validates, routes and commits one message. When this returns `Ok`, the exchange, its audit record and its
    /// deliveries are in one Postgres commit (P1); when it returns a [`Rejection`], that is committed to the register.
    ///
    /// # Errors
    /// Why the message was not accepted.
    pub async fn accept(&self, arrival: Arrival) -> Result<Accepted, Rejection> {
        let source = arrival.sender.source.clone();
        let accepted = self.to_the_end(|inner| async move { accept::accept(&inner, arrival).await });
        let ended = |accepted: &Accepted| match accepted {
            Accepted { repeated: true, .. } => "repeated",
            Accepted { quarantined: true, .. } => "quarantined",
            _ => "accepted",
        };
        let accepted = self.measured(&source, accepted, ended).await?;
        if !accepted.repeated {
            accepted.destinations.iter().for_each(|destination| self.0.metrics.routed(destination));
        }
        Ok(accepted)
    }

    /// A message that cannot be taken now: one that was accepted before gets its first answer again, any other is
    /// recorded as refused.
    ///
    /// # Errors
    /// The rejection.
    pub async fn accept_repeat(&self, arrival: Arrival, rejection: Rejection) -> Result<Accepted, Rejection> {
        let source = arrival.sender.source.clone();
        let turn = |inner: Arc<Inner>| async move { accept::turn_away(&inner, &arrival, rejection, Vec::new()).await };
        self.measured(&source, self.to_the_end(turn), |_| "repeated").await
    }

    /// Writes a message that is turned away before it is judged to the register, with its body, and gives the reason back.
    pub async fn reject(&self, arrival: Arrival, rejection: Rejection) -> Rejection {
        let source = arrival.sender.source.clone();
        let reject = |inner: Arc<Inner>| async move { Ok(accept::reject(&inner, &arrival, rejection).await) };
        let rejected = self.measured(&source, self.to_the_end(reject), |_| "refused").await;
        rejected.unwrap_or_else(|fault: Rejection| fault)
    }

    /// Validates a resource without accepting it (`$validate`); audited.
    ///
    /// # Errors
    /// When the body cannot be read as FHIR at all.
    pub async fn validate(&self, question: Question) -> Result<Vec<Issue>, Rejection> {
        let source = question.sender.source.clone();
        let validated = self.to_the_end(|inner| async move { accept::validate(&inner, question).await });
        self.measured(&source, validated, |_| "validated").await
    }

    /// Writes a refusal that needed no look at the body to the register, and gives it back.
    pub async fn refuse(&self, refused: Refused, rejection: Rejection) -> Rejection {
        let source = refused.sender.source.clone();
        let refuse = |inner: Arc<Inner>| async move { Ok(accept::refuse(&inner, refused, rejection).await) };
        let refused = self.measured(&source, self.to_the_end(refuse), |_| "refused").await;
        refused.unwrap_or_else(|fault: Rejection| fault)
    }

    /// Counts what comes of a message, and how long it took.
    async fn measured<T>(
        &self,
        source: &str,
        step: impl Future<Output = Result<T, Rejection>>,
        ended: impl FnOnce(&T) -> &'static str,
    ) -> Result<T, Rejection> {
        let started = tokio::time::Instant::now();
        let result = step.await;
        let outcome = match &result {
            Ok(done) => ended(done),
            Err(rejection) if rejection.rendering().status >= 500 => "failed",
            Err(_) => "refused",
        };
        self.0.metrics.message(source, outcome, started.elapsed());
        result
    }

    /// Runs a step as a task of its own: a sender that hangs up must not stop it half-way.
    async fn to_the_end<T, F>(&self, step: impl FnOnce(Arc<Inner>) -> F) -> Result<T, Rejection>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Rejection>> + Send + 'static,
    {
        // Boxed: the step is large, and a task is moved several times before it runs.
        self.0.tasks.spawn(Box::pin(step(Arc::clone(&self.0)))).await.unwrap_or(Err(Rejection::Fault))
    }

    /// Counts a refusal of someone who has not proved who they are; written as one row a minute per address.
    pub fn count_refusal(&self, address: IpAddr, rejection: &Rejection) {
        self.0.refusals.count(address, rejection);
        self.0.metrics.stranger();
    }

    /// Writes the counted refusals to the register; every minute and at the end.
    ///
    /// # Errors
    /// When the database refuses; they stay counted.
    pub async fn record_refusals(&self) -> sqlx::Result<()> {
        let now = self.0.clock.now();
        self.0
            .refusals
            .record(&self.0.pool, now, &self.0.config_hash, self.0.judge.guides.built_in().packs_hash())
            .await
    }

    /// What became of an exchange; `None` when there is none or another source sent it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn status(&self, sender: &Sender, exchange: ExchangeId) -> Result<Option<ExchangeStatus>, Rejection> {
        status::status(&self.0.pool, sender, exchange).await
    }

    /// The exchanges of a source that it looks for, newest first; one more than it asks for when there are more.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn tasks(&self, sender: &Sender, wanted: Wanted) -> Result<Vec<ExchangeStatus>, Rejection> {
        status::tasks(&self.0.pool, sender, &wanted).await
    }

    /// Takes a single-use token; `false` when it was used before, or when nobody can tell now.
    pub async fn claim_token(&self, issuer: &str, token: &str, ends: DateTime<Utc>) -> bool {
        let claim = async {
            let mut db = self.0.pool.acquire().await?;
            used_tokens::claim(&mut db, issuer, token, ends).await
        };
        claim.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a single-use token could not be checked and is refused");
            false
        })
    }

    /// Reads a body as the JSON that FHIR asks for, within the configured depth.
    ///
    /// # Errors
    /// `Unreadable`, with line and column.
    pub fn read<'b>(&self, body: &'b [u8]) -> Result<Document<'b>, Rejection> {
        judge::read(body, self.0.judge.max_depth)
    }

    /// Whether FHIR R4 has this resource type.
    #[must_use]
    pub fn is_resource_type(&self, name: &str) -> bool {
        self.0.judge.guides.built_in().is_resource_type(name)
    }

    /// Resource types that at least one route takes, sorted.
    #[must_use]
    pub fn routed_types(&self) -> Vec<String> {
        let all = || self.0.judge.guides.built_in().resource_types().into_iter();
        all().filter(|name| self.0.judge.routes.takes(name)).collect()
    }

    /// Name and version of every loaded profile pack.
    #[must_use]
    pub fn packs(&self) -> Vec<(String, String)> {
        self.0.judge.guides.packs()
    }
}
