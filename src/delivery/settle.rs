//! Settling: the end of an attempt becomes ONE COMMIT of attempt, new state, released keys and audit record. Ends that
//! come together share a commit; a worker hears of it only after the commit.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::policy::Decision;
use super::promoter::{DestinationKey, Promotions};
use crate::exchange::Sender;
use crate::exchange::rows::AuditRow;
use crate::store::attempts::{self, Attempt};
use crate::store::deliveries::{self, Settled};
use crate::store::{audit, ordering};

/// The end of one attempt.
pub struct Ended {
    /// Place in the order.
    pub seq: i64,
    /// Id of the delivery.
    pub delivery: Uuid,
    /// Number of the attempt.
    pub attempt: i32,
    /// When it was leased.
    pub started_at: DateTime<Utc>,
    /// When its end was known.
    pub ended_at: DateTime<Utc>,
    /// What follows.
    pub decision: Decision,
    /// The destination.
    pub destination: String,
    /// The exchange and its ids, for the register.
    pub exchange: ExchangeIds,
}

/// What the register wants to know of the exchange behind an attempt.
#[derive(Debug, Clone)]
pub struct ExchangeIds {
    /// Its id.
    pub exchange: Uuid,
    /// Who sent it.
    pub sender: Option<Sender>,
    /// On whose behalf.
    pub end_user_ods: Option<String>,
    /// The sender's request id.
    pub request_id: Option<Uuid>,
    /// Correlation id.
    pub correlation_id: String,
}

/// Hands ended attempts to the settler.
#[derive(Clone)]
pub struct Settlements(mpsc::Sender<(Ended, oneshot::Sender<()>)>);

/// What the settler works with.
pub struct Settler {
    /// This process.
    pub node: Uuid,
    /// How it connects.
    pub database: PgConnectOptions,
    /// Where released keys go.
    pub promotions: Promotions,
    /// Recorded with every row.
    pub config_hash: String,
    /// Recorded with every row.
    pub packs: String,
}

impl Settlements {
    /// Settles one attempt; returns after the commit, or when the settler has given up at shutdown (the lease then
    /// lapses and the outcome is unknown).
    pub async fn settle(&self, ended: Ended) {
        let (done, committed) = oneshot::channel();
        if self.0.send((ended, done)).await.is_ok() {
            let _ = committed.await;
        }
    }
}

const MOST_IN_ONE_COMMIT: usize = 256;

impl Settler {
    /// The handle, and the task to spawn. The task ends when every handle is gone, or, while the database is away, when
    /// `abandon` is cancelled.
    pub fn start(self, abandon: CancellationToken) -> (Settlements, impl Future<Output = ()>) {
        let (queue, received) = mpsc::channel(MOST_IN_ONE_COMMIT);
        (Settlements(queue), Arc::new(self).run(received, abandon))
    }

    async fn run(self: Arc<Self>, mut queue: mpsc::Receiver<(Ended, oneshot::Sender<()>)>, abandon: CancellationToken) {
        let mut connection = None;
        let mut batch = Vec::new();
        while queue.recv_many(&mut batch, MOST_IN_ONE_COMMIT).await > 0 {
            let (ended, done): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
            let mut again = false;
            while let Err(error) = self.commit(&mut connection, &ended, again).await {
                tracing::warn!(%error, count = ended.len(), "settling failed; trying again");
                (connection, again) = (None, true);
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(300)) => {}
                    () = abandon.cancelled() => return,
                }
            }
            for done in done {
                let _ = done.send(());
            }
        }
    }

    /// `again`: an earlier try may have been committed without our knowing.
    async fn commit(&self, connection: &mut Option<PgConnection>, ended: &[Ended], again: bool) -> sqlx::Result<()> {
        let db = match connection {
            Some(db) => db,
            None => connection.insert(self.database.connect().await?),
        };
        let released = if again && self.is_settled(db, ended).await? {
            ordering::keys_of(db, &ended.iter().map(|each| each.seq).collect::<Vec<_>>()).await?
        } else {
            self.transaction(db, ended).await?
        };
        self.promotions.look_at(released);
        for each in ended {
            log(each);
        }
        Ok(())
    }

    /// One commit settles all of them or none, so one tells of all.
    async fn is_settled(&self, db: &mut PgConnection, ended: &[Ended]) -> sqlx::Result<bool> {
        match ended.first() {
            Some(first) => attempts::is_recorded(db, self.node, &attempt_row(first)).await,
            None => Ok(true),
        }
    }

    async fn transaction(&self, db: &mut PgConnection, ended: &[Ended]) -> sqlx::Result<Vec<DestinationKey>> {
        let mut tx = db.begin().await?;
        let settled: Vec<Settled> = ended.iter().map(settled_row).collect();
        let held = deliveries::settle(&mut tx, self.node, &settled).await?;
        attempts::insert(&mut tx, self.node, &ended.iter().map(attempt_row).collect::<Vec<_>>()).await?;
        let audited: Vec<AuditRow> = ended.iter().map(|each| audit_row(each, held.contains(&each.seq))).collect();
        let batch = ended.first().map_or(Uuid::nil(), |each| each.delivery);
        audit::insert(&mut tx, batch, &audited, &self.config_hash, &self.packs).await?;
        let free: Vec<i64> = ended
            .iter()
            .filter(|each| each.decision.settled && held.contains(&each.seq))
            .map(|each| each.seq)
            .collect();
        let released = ordering::release(&mut tx, &free).await?;
        tx.commit().await?;
        Ok(released)
    }
}

fn settled_row(ended: &Ended) -> Settled {
    Settled {
        seq: ended.seq,
        attempt: ended.attempt,
        state: ended.decision.state,
        due: ended.decision.due,
        note: ended.decision.note.clone(),
        at: ended.ended_at,
    }
}

fn attempt_row(ended: &Ended) -> Attempt {
    Attempt {
        delivery: ended.delivery,
        number: ended.attempt,
        started_at: ended.started_at,
        ended_at: ended.ended_at,
        outcome: ended.decision.outcome,
        code: ended.decision.code.clone(),
        note: ended.decision.note.clone(),
    }
}

fn audit_row(ended: &Ended, held: bool) -> AuditRow {
    let mut row = AuditRow::new("attempt", ended.decision.outcome.as_str(), ended.started_at, ended.ended_at);
    row.code = Some(ended.decision.code.clone());
    row.exchange = Some(ended.exchange.exchange);
    row.delivery = Some(ended.delivery);
    row.attempt = Some(ended.attempt);
    row.sender.clone_from(&ended.exchange.sender);
    row.end_user_ods.clone_from(&ended.exchange.end_user_ods);
    row.request_id = ended.exchange.request_id;
    row.correlation_id = Some(ended.exchange.correlation_id.clone());
    row.destination = Some(ended.destination.clone());
    row.reason = Some(if held {
        ended.decision.note.clone()
    } else {
        format!("its lease had lapsed, so it counts as unknown: {}", ended.decision.note)
    });
    row
}

/// Notes come from partners' codes and our own words; they hold nothing of a patient.
fn log(ended: &Ended) {
    let Ended { destination, attempt, decision, exchange, .. } = ended;
    let (outcome, state) = (decision.outcome.as_str(), decision.state.as_str());
    let correlation_id = &exchange.correlation_id;
    if decision.outcome == crate::exchange::rows::AttemptOutcome::Acknowledged {
        tracing::debug!(destination, attempt, outcome, state, correlation_id, "attempt ended");
    } else {
        tracing::info!(destination, attempt, outcome, state, note = decision.note, correlation_id, "attempt ended");
    }
}
