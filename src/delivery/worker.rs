//! The worker of one destination: leases what is due under the order rule (one short transaction), sends it with no
//! transaction open, and hands the end to the settler. Any number of processes may run one per destination; each has a
//! breaker of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::breaker::{Breaker, Leave};
use super::destination::{Acknowledgement, Delivery, DeliveryError, Destination};
use super::policy::{Moment, Policy};
use super::promoter::Wakes;
use super::replies::{Replies, ReplySlot};
use super::settle::{Ended, ExchangeIds, Settlements};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::exchange::ids::Id;
use crate::exchange::{Interaction, Sender};
use crate::store::bodies::{self, Body};
use crate::store::deliveries::{self, Lease, Leased, Next};
use crate::telemetry::Metrics;

/// One destination as its worker knows it.
pub struct Line {
    /// Number in the store.
    pub number: i32,
    /// Name in the configuration.
    pub name: String,
    /// Where to send.
    pub destination: Arc<dyn Destination>,
    /// What follows from each end.
    pub policy: Policy,
    /// Deliveries under way at once.
    pub concurrency: usize,
    /// Longest wait for an answer.
    pub timeout: Duration,
}

/// What all workers share.
#[derive(Clone)]
pub struct Shared {
    /// This process.
    pub node: Uuid,
    /// How workers connect.
    pub database: PgConnectOptions,
    /// Time.
    pub clock: Clock,
    /// Jitter.
    pub chance: Chance,
    /// Wake-up calls.
    pub wakes: Wakes,
    /// Where ends go.
    pub settlements: Settlements,
    /// Who waits for a partner's answer.
    pub replies: Replies,
    /// What is counted.
    pub metrics: Metrics,
    /// How often the backlog is looked at when nothing wakes the worker.
    pub poll: Duration,
    /// Deliveries under way run here, so that a shutdown can wait for them.
    pub tasks: TaskTracker,
    /// Cancelled when they are waited for no longer.
    pub abandon: CancellationToken,
}

/// Beyond the timeout: the adapter closes its socket first, and the settlement is committed before the lease lapses.
const GRACE: Duration = Duration::from_secs(5);
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// The breaker of a line, and a call when it may have closed, or let the next one go.
struct Gate {
    breaker: Mutex<Breaker>,
    changed: Notify,
}

impl Gate {
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A delivery under way, however it ends.
struct UnderWay {
    gate: Arc<Gate>,
    called: bool,
}

impl UnderWay {
    /// Tells the breaker how the call ended, and the log when that opened or closed it.
    fn called(
        &mut self,
        line: &Line,
        shared: &Shared,
        delivery: Uuid,
        result: &Result<Acknowledgement, DeliveryError>,
    ) {
        let asked = match result {
            Err(DeliveryError::Transient { retry_after, .. }) => retry_after.map(|wait| line.policy.bounded(wait)),
            _ => None,
        };
        self.called = true;
        let (before, after) = {
            let mut breaker = self.gate.breaker();
            let before = breaker.open();
            breaker.ended(delivery, result, asked, shared.clock.now());
            shared.metrics.spaced(&line.name, breaker.open());
            (before, breaker.open())
        };
        let destination = &line.name;
        match (before, after) {
            (None, Some(count)) => {
                tracing::warn!(destination, count, "it takes nothing; calls are spaced until it does");
            }
            (Some(count), None) => tracing::info!(destination, count, "it answers again"),
            _ => {}
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.called {
            self.gate.breaker().left();
        }
        self.gate.changed.notify_one();
    }
}

/// Runs a destination's worker until `stop`; deliveries under way go on in `shared.tasks`.
pub async fn run(line: Line, shared: Shared, stop: CancellationToken) {
    let line = Arc::new(line);
    let slots = Arc::new(Semaphore::new(line.concurrency.max(1)));
    let wake = shared.wakes.of(line.number);
    let breaker = Mutex::new(Breaker::new(line.policy.retry.first.0));
    let gate = Arc::new(Gate { breaker, changed: Notify::new() });
    shared.metrics.spaced(&line.name, None);
    let mut connection = None;
    loop {
        let slot = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            slot = Arc::clone(&slots).acquire_owned() => slot,
        };
        let Ok(slot) = slot else { return };
        let leased = take(&line, &shared, &gate, &mut connection, 1 + slots.available_permits()).await;
        let (sleep, call) = match leased {
            Ok(Taken::Work(work)) => {
                start(&line, &shared, &gate, &slots, slot, work);
                continue;
            }
            Ok(Taken::Nothing(Next::Due(due))) => (until(due, shared.clock.now()).min(shared.poll), &wake.called),
            Ok(Taken::Nothing(Next::Nothing)) => (shared.poll, &wake.called),
            // What comes meanwhile is nothing to it.
            Ok(Taken::Nothing(Next::Paused)) => (shared.poll, &wake.recalled),
            Ok(Taken::Held(then)) => {
                let rest = then.map_or(shared.poll, |then| until(then, shared.clock.now()));
                (rest.min(shared.poll), &gate.changed)
            }
            Err(error) => {
                tracing::warn!(%error, destination = line.name, "leasing failed; trying again");
                connection = None;
                (shared.poll, &wake.called)
            }
        };
        drop(slot);
        tokio::select! {
            () = call.notified() => {}
            () = tokio::time::sleep(sleep) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// What was found for a destination.
enum Taken {
    /// Leased deliveries with their bodies.
    Work(Vec<(Leased, Option<Body>)>),
    /// No delivery that may go now.
    Nothing(Next),
    /// Something is due, and its turn is when the breaker lets it go: then, or after what is under way.
    Held(Option<DateTime<Utc>>),
}

async fn take(
    line: &Line,
    shared: &Shared,
    gate: &Gate,
    connection: &mut Option<PgConnection>,
    limit: usize,
) -> sqlx::Result<Taken> {
    let db = match connection {
        Some(db) => db,
        None => connection.insert(shared.database.connect().await?),
    };
    let now = shared.clock.now();
    // One question where there is nothing to do, which is most of the time.
    let next = deliveries::next(db, line.number).await?;
    if next == Next::Paused {
        // Who resumes it expects it to be tried.
        gate.breaker().forget_waits();
    }
    if !matches!(next, Next::Due(due) if due <= now) {
        return Ok(Taken::Nothing(next));
    }
    let allowed = gate.breaker().leave(now);
    let limit = match allowed {
        Leave::All => limit,
        Leave::One => 1,
        Leave::NotBefore(then) => return Ok(Taken::Held(Some(then))),
        Leave::AfterThis => return Ok(Taken::Held(None)),
    };
    let lease = Lease { node: shared.node, now, until: now + line.timeout + GRACE + LEASE_MARGIN };
    // Leases and bodies together: a lease without its body would be sent by nobody until it lapses, as if unknown.
    let mut tx = db.begin().await?;
    let leased = deliveries::lease(&mut tx, line.number, i64::try_from(limit).unwrap_or(1), lease).await?;
    if leased.is_empty() {
        // Another worker was faster, or somebody paused the destination.
        tx.commit().await?;
        return Ok(Taken::Nothing(Next::Nothing));
    }
    let exchanges: Vec<Uuid> = leased.iter().map(|each| each.exchange).collect();
    let fetched = bodies::fetch(&mut tx, &exchanges).await?;
    tx.commit().await?;
    let mut bodies: HashMap<Uuid, Body> = fetched.into_iter().map(|body| (body.exchange, body)).collect();
    let work = leased
        .into_iter()
        .map(|each| {
            let body = bodies.remove(&each.exchange);
            (each, body)
        })
        .collect();
    Ok(Taken::Work(work))
}

fn start(
    line: &Arc<Line>,
    shared: &Shared,
    gate: &Arc<Gate>,
    slots: &Arc<Semaphore>,
    first: OwnedSemaphorePermit,
    work: Vec<(Leased, Option<Body>)>,
) {
    let mut first = Some(first);
    gate.breaker().leased(work.len());
    for (leased, body) in work {
        // As many were leased as there were free slots.
        let slot = first.take().or_else(|| Arc::clone(slots).try_acquire_owned().ok());
        let mut under_way = UnderWay { gate: Arc::clone(gate), called: false };
        let (line, shared_) = (Arc::clone(line), shared.clone());
        shared.tasks.spawn(async move {
            tokio::select! {
                () = send(&line, &shared_, &mut under_way, leased, body) => {}
                // Its lease stays, and tells that it is not known whether it was taken.
                () = shared_.abandon.cancelled() => {}
            }
            drop(under_way);
            drop(slot);
        });
    }
}

async fn send(line: &Line, shared: &Shared, under_way: &mut UnderWay, leased: Leased, body: Option<Body>) {
    let started_at = shared.clock.now();
    let slot = shared.replies.slot(leased.id);
    let result = match body.ok_or_else(purged).and_then(|body| delivery(&leased, body, slot.clone())) {
        Err(error) => Err(error),
        Ok(delivery) => {
            let result = bounded(line, &delivery).await;
            under_way.called(line, shared, leased.id, &result);
            result
        }
    };
    let now = shared.clock.now();
    let (attempt, give_up_at, jitter) = (leased.attempts, leased.give_up_at, shared.chance.unit());
    let decision = line.policy.decide(&result, Moment { now, attempt, give_up_at, jitter });
    let ended = Ended {
        seq: leased.seq,
        delivery: leased.id,
        attempt,
        started_at,
        ended_at: now,
        decision,
        destination: line.name.clone(),
        exchange: ExchangeIds {
            exchange: leased.exchange,
            sender: sender(&leased),
            end_user_ods: leased.end_user_ods,
            request_id: leased.request_id,
            correlation_id: leased.correlation_id,
        },
    };
    let (outcome, time) = (ended.decision.outcome.as_str(), (now - started_at).to_std().unwrap_or_default());
    shared.metrics.attempt(&line.name, outcome, time);
    let (delivery, state, note, settled) =
        (ended.delivery, ended.decision.state, ended.decision.note.clone(), ended.decision.settled);
    shared.settlements.settle(ended).await;
    if let Some(slot) = slot.filter(|_| settled) {
        shared.replies.settled(delivery, state, note, &slot);
    }
}

/// The adapter keeps the timeout itself, because only it knows whether anything was sent; this is the net beneath it.
async fn bounded(line: &Line, delivery: &Delivery) -> Result<Acknowledgement, DeliveryError> {
    let sent = tokio::time::timeout(line.timeout + GRACE, line.destination.deliver(delivery));
    sent.await.unwrap_or_else(|_| Err(DeliveryError::unknown("no answer within the destination's timeout")))
}

fn delivery(leased: &Leased, body: Body, reply: Option<ReplySlot>) -> Result<Delivery, DeliveryError> {
    let damaged = || DeliveryError::refused("its record in the database cannot be read");
    let attempt = u32::try_from(leased.attempts).map_err(|_| damaged())?;
    let interaction = Interaction::from_code(&leased.interaction).ok_or_else(damaged)?;
    Ok(Delivery {
        id: Id::from_uuid(leased.id).ok_or_else(damaged)?,
        exchange: Id::from_uuid(leased.exchange).ok_or_else(damaged)?,
        attempt,
        interaction,
        resource_type: leased.resource_type.clone().ok_or_else(damaged)?,
        conditions: body.conditions,
        sender: sender(leased).ok_or_else(damaged)?,
        correlation_id: leased.correlation_id.clone(),
        received_at: leased.received_at,
        options: leased.options.clone(),
        body: body.content,
        reply,
    })
}

fn sender(leased: &Leased) -> Option<Sender> {
    Some(Sender { source: leased.source.clone(), ods: leased.ods.parse().ok()? })
}

fn purged() -> DeliveryError {
    DeliveryError::refused("its body has been purged by the retention policy")
}

fn until(due: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (due - now).to_std().unwrap_or_default()
}
