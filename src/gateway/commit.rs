//! Group commit: concurrent accepts share a Postgres commit. A writer takes what is queued, and where another is at work
//! already, what comes in the next moment, and writes it in ONE statement: message ids, exchanges, bodies, deliveries with
//! their keys, audit. Nobody is answered before it is committed (P1).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::{Mutex, mpsc, oneshot};
use uuid::Uuid;

use super::gather::AtWork;
use super::in_flight::InFlight;
use crate::clock::Clock;
use crate::delivery::promoter::{DestinationKey, Promotions};
use crate::exchange::rows::{AuditRow, DeliveryRow, ExchangeRow};
use crate::exchange::{ExchangeId, ids::Id};
use crate::store::batch::{self, Stamp};
use crate::store::message_keys::{Claim, Holder};
use crate::store::{audit, exchanges, message_keys};
use crate::telemetry::Metrics;

/// One message to commit.
pub(super) struct Commit {
    pub(super) row: ExchangeRow,
    /// Accepted messages claim their message id; refused ones may come again.
    pub(super) claims: bool,
    pub(super) reply: oneshot::Sender<Committed>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Committed {
    /// It is in the database.
    Yes,
    /// Its message id is held by this exchange; nothing was stored but the audit record. `same`: for the same request.
    Held { exchange: ExchangeId, same: bool },
    /// The database refused this one; logged.
    Failed,
    /// The database did not answer in time; it may or may not have been stored.
    Unavailable,
}

/// What all writers share.
pub(super) struct Writers {
    pub(super) options: PgConnectOptions,
    pub(super) promotions: Promotions,
    pub(super) clock: Clock,
    pub(super) config_hash: String,
    /// Of rows that say nothing else.
    pub(super) packs: String,
    pub(super) key_id: i32,
    pub(super) batch: usize,
    pub(super) metrics: Metrics,
    pub(super) in_flight: InFlight,
    pub(super) at_work: AtWork,
}

/// What became of a batch.
struct Written {
    outcomes: Vec<Committed>,
    /// Destinations that have something new to send.
    ready: BTreeSet<i32>,
    /// Keys of what waits behind something: to be promoted.
    waiting: Vec<DestinationKey>,
}

/// The queue that writers share.
pub(super) type Queue = Arc<Mutex<mpsc::Receiver<Commit>>>;

/// How long a batch is tried while the database is away; then the senders are told.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs one writer until the queue is closed and empty.
pub(super) async fn run(writers: Arc<Writers>, queue: Queue) {
    // What goes wrong here is told when there is something to write.
    let mut db = writers.connect().await.ok();
    loop {
        let batch = writers.at_work.gather(&queue, writers.batch).await;
        if batch.is_empty() {
            return;
        }
        let _work = writers.at_work.begin();
        writers.write(&mut db, batch).await;
    }
}

impl Writers {
    /// Connects, and writes nothing once: or the first message waits until the statement is planned and the server has
    /// read what it needs to know of the tables.
    async fn connect(&self) -> sqlx::Result<PgConnection> {
        let mut db = self.options.connect().await?;
        let mut tx = db.begin().await?;
        let stamp =
            Stamp { config_hash: &self.config_hash, key_id: self.key_id, batch: Uuid::nil(), at: self.clock.now() };
        batch::write(&mut tx, &[], &[], &[], stamp).await?;
        tx.rollback().await?;
        Ok(db)
    }

    async fn write(&self, db: &mut Option<PgConnection>, batch: Vec<Commit>) {
        match self.attempt(db, &batch, false).await {
            Ok(written) => self.answer(batch, written),
            // One poisoned row fails its batch: find it, so that the others get through.
            Err(error) => {
                tracing::warn!(%error, size = batch.len(), "a batch failed; writing it row by row");
                for commit in batch {
                    self.write_alone(db, commit).await;
                }
            }
        }
    }

    async fn write_alone(&self, db: &mut Option<PgConnection>, commit: Commit) {
        let single = [commit];
        let patience = tokio::time::Instant::now() + PATIENCE;
        let written = loop {
            match self.attempt(db, &single, true).await {
                Ok(written) => break written,
                Err(sqlx::Error::Database(error)) if !is_passing(error.code().as_deref()) => {
                    let correlation_id = &single[0].row.ids.correlation;
                    tracing::error!(
                        correlation_id,
                        code = error.code().as_deref(),
                        "an exchange could not be committed"
                    );
                    break Written::nothing(Committed::Failed);
                }
                Err(error) if tokio::time::Instant::now() >= patience => {
                    tracing::error!(%error, "the database is away or has no room; telling the sender");
                    self.metrics.not_stored();
                    break Written::nothing(Committed::Unavailable);
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        };
        self.answer(single.into(), written);
    }

    fn answer(&self, batch: Vec<Commit>, Written { outcomes, ready, waiting }: Written) {
        for (commit, outcome) in batch.into_iter().zip(outcomes) {
            // A sender that hung up gets its answer when it sends the message again.
            let _ = commit.reply.send(outcome);
        }
        for destination in ready {
            self.promotions.wake(destination);
        }
        self.promotions.look_at(waiting);
    }

    /// Writes a batch in one transaction. `again`: an earlier try may have been committed without our knowing.
    async fn attempt(&self, db: &mut Option<PgConnection>, batch: &[Commit], again: bool) -> sqlx::Result<Written> {
        let mut connection = match db.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        if again && exchanges::exists(&mut connection, batch[0].row.id.uuid()).await? {
            *db = Some(connection);
            // That commit was not followed by a promotion, and nobody was told.
            return Ok(Written::of(vec![Committed::Yes], &[&batch[0].row], None));
        }
        let started = tokio::time::Instant::now();
        let result = self.write_all(&mut connection, batch).await;
        // After any error the connection is not trusted again.
        if result.is_ok() {
            self.metrics.commit(batch.len(), started.elapsed());
            *db = Some(connection);
        }
        result
    }

    /// Writes the batch in one statement. Where somebody holds one of its message ids nothing is written by that, and
    /// the repeats are told from the rest.
    async fn write_all(&self, db: &mut PgConnection, batch: &[Commit]) -> sqlx::Result<Written> {
        let claims = Claims::of(batch, self.clock.now());
        if !claims.repeated {
            let rows: Vec<&ExchangeRow> = batch.iter().map(|commit| &commit.row).collect();
            let entered = self.in_flight.enter(rows.iter().flat_map(|row| &row.deliveries));
            match batch::write(db, &rows, &claims.sorted(), &entered.first, self.stamp(batch)).await {
                Ok(waiting) => return Ok(Written::of(vec![Committed::Yes; batch.len()], &rows, Some(&waiting))),
                Err(error) if batch::is_claimed(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let mut tx = db.begin().await?;
        let holders = message_keys::claim(&mut tx, &claims.sorted()).await?;
        let outcomes: Vec<Committed> = batch.iter().map(|commit| outcome(commit, &claims, &holders)).collect();
        let kept = batch.iter().zip(&outcomes).filter(|(_, is)| **is == Committed::Yes);
        let kept: Vec<&ExchangeRow> = kept.map(|(each, _)| &each.row).collect();
        let stamp = self.stamp(batch);
        let entered = self.in_flight.enter(kept.iter().flat_map(|row| &row.deliveries));
        let waiting = match kept[..] {
            [] => Vec::new(),
            _ => batch::write(&mut tx, &kept, &[], &entered.first, stamp).await?,
        };
        let repeats =
            batch.iter().zip(&outcomes).filter_map(|(commit, outcome)| repeat(&commit.row, *outcome, stamp.at));
        let repeats: Vec<AuditRow> = repeats.collect();
        audit::insert(&mut tx, stamp.batch, &repeats, &self.config_hash, &self.packs).await?;
        tx.commit().await?;
        Ok(Written::of(outcomes, &kept, Some(&waiting)))
    }

    fn stamp(&self, batch: &[Commit]) -> Stamp<'_> {
        let (config_hash, key_id) = (&*self.config_hash, self.key_id);
        Stamp { config_hash, key_id, batch: batch[0].row.id.uuid(), at: self.clock.now() }
    }
}

/// The message ids that a batch claims, each by the message that was received first.
struct Claims<'b> {
    by_id: BTreeMap<(&'b str, &'b str, String), Claim<'b>>,
    /// Two messages of the batch claim one id.
    repeated: bool,
}

impl<'b> Claims<'b> {
    fn of(batch: &'b [Commit], now: DateTime<Utc>) -> Self {
        let (mut by_id, mut repeated) = (BTreeMap::new(), false);
        for row in batch.iter().filter(|commit| commit.claims).map(|commit| &commit.row) {
            let Some(message_id) = row.ids.request else { continue };
            let (source, endpoint, body_hash) = (row.sender.source.as_str(), &*row.endpoint, &row.body_hash);
            let claim = Claim { source, endpoint, message_id, body_hash, exchange: row.id, seen_at: now };
            match by_id.entry((source, endpoint, message_id.to_string())) {
                Entry::Vacant(place) => drop(place.insert(claim)),
                Entry::Occupied(_) => repeated = true,
            }
        }
        Self { by_id, repeated }
    }

    /// Sorted and without repeats, or two writers deadlock.
    fn sorted(&self) -> Vec<Claim<'b>> {
        self.by_id.values().copied().collect()
    }
}

impl Written {
    fn nothing(outcome: Committed) -> Self {
        Self { outcomes: vec![outcome], ready: BTreeSet::new(), waiting: Vec::new() }
    }

    /// What is to be done once these rows are committed; `waiting` names the deliveries that wait, where that is known.
    fn of(outcomes: Vec<Committed>, rows: &[&ExchangeRow], waiting: Option<&[Uuid]>) -> Self {
        let waits = |each: &DeliveryRow| waiting.is_none_or(|ids| ids.contains(&each.id.uuid()));
        let goes = |each: &DeliveryRow| waiting.is_none_or(|ids| !ids.contains(&each.id.uuid()));
        let deliveries = || rows.iter().flat_map(|row| &row.deliveries).filter(|each| each.held.is_none());
        let keys =
            |each: &DeliveryRow| each.keys.iter().map(|key| (each.destination, key.to_vec())).collect::<Vec<_>>();
        Self {
            outcomes,
            ready: deliveries().filter(|each| goes(each)).map(|each| each.destination).collect(),
            waiting: deliveries().filter(|each| waits(each)).flat_map(keys).collect(),
        }
    }
}

fn outcome(commit: &Commit, claims: &Claims<'_>, holders: &[Holder]) -> Committed {
    let row = &commit.row;
    let Some(request) = row.ids.request.filter(|_| commit.claims) else { return Committed::Yes };
    let id = request.to_string();
    let earlier = |holder: &&Holder| {
        holder.message_id == id && holder.source == row.sender.source && *holder.endpoint == *row.endpoint
    };
    if let Some(holder) = holders.iter().find(earlier) {
        let exchange = Id::from_uuid(holder.exchange).unwrap_or(row.id);
        return Committed::Held { exchange, same: holder.body_hash == row.body_hash };
    }
    match claims.by_id.get(&(row.sender.source.as_str(), &*row.endpoint, id)) {
        Some(claim) if claim.exchange != row.id => {
            Committed::Held { exchange: claim.exchange, same: *claim.body_hash == row.body_hash }
        }
        _ => Committed::Yes,
    }
}

/// A repeat leaves its trace in the register too, under the first exchange. One with another body is refused, and
/// recorded, by the caller.
fn repeat(row: &ExchangeRow, outcome: Committed, now: DateTime<Utc>) -> Option<AuditRow> {
    let Committed::Held { exchange, same: true } = outcome else { return None };
    let mut audit = AuditRow::new("exchange", "repeated", row.received_at, now);
    audit.status = Some(row.status);
    audit.exchange = Some(exchange.uuid());
    audit.endpoint = Some(row.endpoint.clone().into_owned());
    audit.sender = Some(row.sender.clone());
    audit.end_user_ods = row.end_user_ods.as_ref().map(ToString::to_string);
    audit.request_id = row.ids.request;
    audit.correlation_id = Some(row.ids.correlation.clone());
    audit.body_hash = Some(row.body_hash);
    audit.packs = Some(Arc::clone(&row.packs));
    Some(audit)
}

/// Errors of the server that may pass: shutting down, out of resources, serialisation.
fn is_passing(code: Option<&str>) -> bool {
    code.is_some_and(|code| ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class)))
}
