//! Table `deliveries`: what is still to be sent, leased, and how it ended. They are
//! written by [`super::batch`]; the order rule is in [`super::ordering`].

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::exchange::state::DeliveryState;

/// One statement: the partial index finds what is due, `skip locked` keeps workers out of each other's way. What another
/// process accepted at the same moment, or an operator put back, may stand before what is ready: that goes first.
pub(super) const LEASE: &str = "
with due as (
    select seq from deliveries d
     where destination = $1 and state in ('ready', 'unknown') and due <= $2
       and exists (select from destinations n where n.id = $1 and n.paused_at is null)
       and not exists (
           select from delivery_keys k
            cross join lateral (
                  select from delivery_keys b
                   where (b.destination, b.key) = (k.destination, k.key) and b.seq < k.seq limit 1) as earlier
            where k.seq = d.seq)
     order by due, seq
     limit $3
       for update skip locked
)
update deliveries d
   set state = 'leased', attempts = attempts + 1, leased_by = $4, lease_until = $5, updated_at = $2
  from due, exchanges e
 where d.seq = due.seq and e.id = d.exchange
returning d.seq, d.id, d.exchange, d.attempts, d.options, d.give_up_at, e.interaction, e.resource_type, e.source, e.ods,
          e.end_user_ods, e.request_id, e.correlation_id, e.received_at";

// In the order of the partial index, so that one entry is read however long the backlog is and however old the
// planner's figures are; for a paused destination none is read.
pub(super) const NEXT: &str = "
select n.paused_at is not null, d.due
  from destinations n
  left join lateral (
       select due from deliveries
        where n.paused_at is null and destination = $1 and state in ('ready', 'unknown') and due < 'infinity'
        order by destination, due, seq
        limit 1) d on true
 where n.id = $1";

pub(super) const HASTEN: &str = "
update deliveries set due = $2
 where destination = $1 and state in ('ready', 'unknown') and due > $3 and due < 'infinity'";

/// Only a lease still held may be settled: the attempt number says which lease it was.
pub(super) const SETTLE: &str = "
update deliveries d
   set state = t.state, due = coalesce(t.due, 'infinity'), note = t.note, leased_by = null, lease_until = null,
       updated_at = t.at
  from unnest($1::bigint[], $2::integer[], $3::delivery_state[], $4::timestamptz[], $5::text[], $6::timestamptz[])
       as t (seq, attempt, state, due, note, at)
 where d.seq = t.seq and d.state = 'leased' and d.attempts = t.attempt and d.leased_by = $7
returning d.seq";

/// Leases whose holder is gone: whether those messages were sent is not known.
pub(super) const LOST: &str = "
update deliveries d
   set leased_by = $3, lease_until = $4
  from exchanges e
 where e.id = d.exchange and d.seq in (
       select seq from deliveries
        where state = 'leased' and (lease_until < $1 or (leased_by <> $3 and $2))
        order by seq limit 500 for update skip locked)
returning d.seq, d.id, d.exchange, d.destination, d.attempts, d.give_up_at, d.updated_at, e.source, e.ods,
          e.end_user_ods, e.request_id, e.correlation_id";

/// A delivery whose lease was just taken, with what is needed of its exchange.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Leased {
    /// Place in the order.
    pub seq: i64,
    /// Id on every attempt.
    pub id: Uuid,
    /// The exchange.
    pub exchange: Uuid,
    /// Number of this attempt, from 1.
    pub attempts: i32,
    /// What the route says beside the destination's name.
    pub options: serde_json::Value,
    /// When it becomes a dead letter.
    pub give_up_at: DateTime<Utc>,
    /// What the sender asked.
    pub interaction: String,
    /// Resource type.
    pub resource_type: Option<String>,
    /// Source's name.
    pub source: String,
    /// Source's ODS code.
    pub ods: String,
    /// On whose behalf.
    pub end_user_ods: Option<String>,
    /// The sender's request id.
    pub request_id: Option<Uuid>,
    /// Correlation id.
    pub correlation_id: String,
    /// When the exchange arrived.
    pub received_at: DateTime<Utc>,
}

/// A delivery whose lease was lost.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Lost {
    /// Place in the order.
    pub seq: i64,
    /// Id on every attempt.
    pub id: Uuid,
    /// The exchange.
    pub exchange: Uuid,
    /// Number of the destination.
    pub destination: i32,
    /// The attempt that was under way.
    pub attempts: i32,
    /// When it becomes a dead letter.
    pub give_up_at: DateTime<Utc>,
    /// When it was leased.
    pub updated_at: DateTime<Utc>,
    /// Source's name.
    pub source: String,
    /// Source's ODS code.
    pub ods: String,
    /// On whose behalf.
    pub end_user_ods: Option<String>,
    /// The sender's request id.
    pub request_id: Option<Uuid>,
    /// Correlation id.
    pub correlation_id: String,
}

/// The new state of a leased delivery.
#[derive(Debug, Clone)]
pub struct Settled {
    /// Place in the order.
    pub seq: i64,
    /// Which attempt this is the end of.
    pub attempt: i32,
    /// The new state.
    pub state: DeliveryState,
    /// When it goes next; `None`: when an operator says so, or never.
    pub due: Option<DateTime<Utc>>,
    /// What the destination or the failure said.
    pub note: String,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Who takes leases, and until when they hold.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    /// This process.
    pub node: Uuid,
    /// Now.
    pub now: DateTime<Utc>,
    /// When the lease lapses.
    pub until: DateTime<Utc>,
}

/// Leases at most `limit` deliveries that are due, in order.
///
/// # Errors
/// When the database does not answer.
pub async fn lease(db: &mut PgConnection, destination: i32, limit: i64, lease: Lease) -> sqlx::Result<Vec<Leased>> {
    let mut leased: Vec<Leased> = sqlx::query_as(LEASE)
        .bind(destination)
        .bind(lease.now)
        .bind(limit)
        .bind(lease.node)
        .bind(lease.until)
        .fetch_all(db)
        .await?;
    leased.sort_by_key(|each| each.seq);
    Ok(leased)
}

/// What a destination has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Somebody paused it, or it is not there: nothing, until that is over.
    Paused,
    /// Its first delivery, when that is due.
    Due(DateTime<Utc>),
    /// Nothing.
    Nothing,
}

/// What a destination has to do next.
///
/// # Errors
/// When the database does not answer.
pub async fn next(db: &mut PgConnection, destination: i32) -> sqlx::Result<Next> {
    let found: Option<(bool, Option<DateTime<Utc>>)> =
        sqlx::query_as(NEXT).bind(destination).fetch_optional(db).await?;
    Ok(match found {
        Some((false, Some(due))) => Next::Due(due),
        Some((false, None)) => Next::Nothing,
        Some((true, _)) | None => Next::Paused,
    })
}

/// Settles leases still held by `node`; returns the `seq` of those that were.
///
/// # Errors
/// When the database refuses.
pub async fn settle(db: &mut PgConnection, node: Uuid, settled: &[Settled]) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar(SETTLE)
        .bind(settled.iter().map(|each| each.seq).collect::<Vec<_>>())
        .bind(settled.iter().map(|each| each.attempt).collect::<Vec<_>>())
        .bind(settled.iter().map(|each| each.state).collect::<Vec<DeliveryState>>())
        .bind(settled.iter().map(|each| each.due).collect::<Vec<_>>())
        .bind(settled.iter().map(|each| each.note.as_str()).collect::<Vec<_>>())
        .bind(settled.iter().map(|each| each.at).collect::<Vec<_>>())
        .bind(node)
        .fetch_all(db)
        .await
}

/// Makes due at `now` what is due after `latest`, which only a clock that went back can have left; returns how many.
///
/// # Errors
/// When the database refuses.
pub async fn hasten(
    db: &mut PgConnection,
    destination: i32,
    now: DateTime<Utc>,
    latest: DateTime<Utc>,
) -> sqlx::Result<u64> {
    Ok(sqlx::query(HASTEN).bind(destination).bind(now).bind(latest).execute(db).await?.rows_affected())
}

/// Takes over leases that have lapsed (with `alone`, every lease of another process: nobody else can be running).
///
/// # Errors
/// When the database refuses.
pub async fn take_lost(db: &mut PgConnection, lease: Lease, alone: bool) -> sqlx::Result<Vec<Lost>> {
    sqlx::query_as(LOST).bind(lease.now).bind(alone).bind(lease.node).bind(lease.until).fetch_all(db).await
}
