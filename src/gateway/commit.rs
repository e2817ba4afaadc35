//! Group commit: concurrent accepts share a Postgres commit. Each writer takes what is queued, without waiting for more,
//! and writes it in ONE transaction: message ids, exchanges, bodies, deliveries with their keys, audit. Nobody is
//! answered before the commit (P1).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::clock::Clock;
use crate::delivery::promoter::{DestinationKey, Promotions};
use crate::exchange::rows::{AuditRow, ExchangeRow};
use crate::exchange::{ExchangeId, ids::Id};
use crate::store::message_keys::{Claim, Holder};
use crate::store::{audit, bodies, deliveries, exchanges, message_keys};
use crate::telemetry::Metrics;

/// One message to commit.
pub(super) struct Commit {
    pub(super) row: ExchangeRow,
    pub(super) audit: AuditRow,
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
}

/// The queue that writers share.
pub(super) type Queue = Arc<Mutex<mpsc::Receiver<Commit>>>;

/// How long a batch is tried while the database is away; then the senders are told.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs one writer until the queue is closed and empty.
pub(super) async fn run(writers: Arc<Writers>, queue: Queue) {
    let mut db = None;
    loop {
        let mut batch = Vec::new();
        if queue.lock().await.recv_many(&mut batch, writers.batch).await == 0 {
            return;
        }
        writers.write(&mut db, batch).await;
    }
}

impl Writers {
    async fn write(&self, db: &mut Option<PgConnection>, batch: Vec<Commit>) {
        match self.attempt(db, &batch, false).await {
            Ok(outcomes) => self.answer(batch, outcomes),
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
        let outcome = loop {
            match self.attempt(db, &single, true).await {
                Ok(outcomes) => break outcomes,
                Err(sqlx::Error::Database(error)) if !is_passing(error.code().as_deref()) => {
                    let correlation_id = &single[0].row.ids.correlation;
                    tracing::error!(
                        correlation_id,
                        code = error.code().as_deref(),
                        "an exchange could not be committed"
                    );
                    break (vec![Committed::Failed], Vec::new());
                }
                Err(error) if tokio::time::Instant::now() >= patience => {
                    tracing::error!(%error, "the database is away; telling the sender");
                    break (vec![Committed::Unavailable], Vec::new());
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        };
        self.answer(single.into(), outcome);
    }

    fn answer(&self, batch: Vec<Commit>, (outcomes, keys): (Vec<Committed>, Vec<DestinationKey>)) {
        for (commit, outcome) in batch.into_iter().zip(outcomes) {
            if outcome == Committed::Yes {
                let unkeyed = commit.row.deliveries.iter().filter(|delivery| delivery.keys.is_empty());
                unkeyed.for_each(|delivery| self.promotions.wake(delivery.destination));
            }
            // A sender that hung up gets its answer when it sends the message again.
            let _ = commit.reply.send(outcome);
        }
        self.promotions.look_at(keys);
    }

    /// Writes a batch in one transaction. `again`: an earlier try may have been committed without our knowing.
    async fn attempt(
        &self,
        db: &mut Option<PgConnection>,
        batch: &[Commit],
        again: bool,
    ) -> sqlx::Result<(Vec<Committed>, Vec<DestinationKey>)> {
        let mut connection = match db.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        if again && exchanges::exists(&mut connection, batch[0].row.id.uuid()).await? {
            *db = Some(connection);
            // That commit was not followed by a promotion.
            let deliveries = batch[0].row.deliveries.iter();
            let keys = deliveries.flat_map(|each| each.keys.iter().map(|key| (each.destination, key.to_vec())));
            return Ok((vec![Committed::Yes], keys.collect()));
        }
        let started = tokio::time::Instant::now();
        let result = self.transaction(&mut connection, batch).await;
        // After any error the connection is not trusted again.
        if result.is_ok() {
            self.metrics.commit(batch.len(), started.elapsed());
            *db = Some(connection);
        }
        result
    }

    async fn transaction(
        &self,
        connection: &mut PgConnection,
        batch: &[Commit],
    ) -> sqlx::Result<(Vec<Committed>, Vec<DestinationKey>)> {
        let batch_id = batch[0].row.id.uuid();
        let mut tx = connection.begin().await?;
        let outcomes = self.claim(&mut tx, batch).await?;
        let kept: Vec<&ExchangeRow> =
            batch.iter().zip(&outcomes).filter(|(_, is)| **is == Committed::Yes).map(|(each, _)| &each.row).collect();
        let mut keys = Vec::new();
        if !kept.is_empty() {
            exchanges::insert(&mut tx, &kept, &self.config_hash, self.key_id).await?;
            bodies::insert(&mut tx, &kept).await?;
            keys = deliveries::insert(&mut tx, &kept, self.key_id).await?;
        }
        let audited: Vec<AuditRow> =
            batch.iter().zip(&outcomes).filter_map(|(commit, outcome)| audit_row(commit, *outcome)).collect();
        audit::insert(&mut tx, batch_id, &audited, &self.config_hash, &self.packs).await?;
        tx.commit().await?;
        Ok((outcomes, keys))
    }

    /// Claims the batch's message ids: sorted and without repeats, or two writers deadlock.
    async fn claim(&self, tx: &mut PgConnection, batch: &[Commit]) -> sqlx::Result<Vec<Committed>> {
        let now = self.clock.now();
        let mut claims: BTreeMap<(&str, &str, String), Claim<'_>> = BTreeMap::new();
        for row in batch.iter().filter(|commit| commit.claims).map(|commit| &commit.row) {
            if let Some(message_id) = row.ids.request {
                let claim = Claim {
                    source: &row.sender.source,
                    endpoint: &row.endpoint,
                    message_id,
                    body_hash: &row.body_hash,
                    exchange: row.id,
                    seen_at: now,
                };
                // The first of a batch is the one that was received first.
                claims.entry((claim.source, claim.endpoint, message_id.to_string())).or_insert(claim);
            }
        }
        let sorted: Vec<Claim<'_>> = claims.values().copied().collect();
        let holders = message_keys::claim(tx, &sorted).await?;
        Ok(batch.iter().map(|commit| outcome(commit, &claims, &holders)).collect())
    }
}

fn outcome(commit: &Commit, claims: &BTreeMap<(&str, &str, String), Claim<'_>>, holders: &[Holder]) -> Committed {
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
    match claims.get(&(row.sender.source.as_str(), &*row.endpoint, id)) {
        Some(claim) if claim.exchange != row.id => {
            Committed::Held { exchange: claim.exchange, same: *claim.body_hash == row.body_hash }
        }
        _ => Committed::Yes,
    }
}

/// A repeat leaves its trace in the register too, under the first exchange. One with another body is refused, and
/// recorded, by the caller.
fn audit_row(commit: &Commit, outcome: Committed) -> Option<AuditRow> {
    match outcome {
        Committed::Held { exchange, same: true } => {
            let mut row = commit.audit.clone();
            "repeated".clone_into(&mut row.outcome);
            row.exchange = Some(exchange.uuid());
            Some(row)
        }
        Committed::Held { same: false, .. } => None,
        _ => Some(commit.audit.clone()),
    }
}

/// Errors of the server that may pass: shutting down, out of resources, serialisation.
fn is_passing(code: Option<&str>) -> bool {
    code.is_some_and(|code| ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class)))
}
