//! What is in quarantine, and what an operator's decision does to the deliveries of one exchange.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::outcome::Issue;

/// Exchanges in quarantine in their order, with how many later deliveries wait behind each.
pub(super) const LIST: &str = "
with held as (
    select d.exchange, array_agg(d.seq) as seqs, min(d.seq) as first, string_agg(n.name, ', ' order by d.seq) as names
      from deliveries d join destinations n on n.id = d.destination
     where d.state = 'quarantined'
     group by d.exchange order by min(d.seq) limit $1
)
select e.id, e.received_at, e.source, e.interaction, e.resource_type, e.correlation_id, e.issues, held.names,
       (select count(distinct k.seq)
          from delivery_keys o
          join delivery_keys k on (k.destination, k.key) = (o.destination, o.key) and k.seq > o.seq
         where o.seq = any (held.seqs)) as behind
  from held join exchanges e on e.id = held.exchange
 order by held.first";

pub(super) const COUNT: &str = "select count(distinct exchange) from deliveries where state = 'quarantined'";

pub(super) const IS_HELD: &str = "select exists (select from deliveries where exchange = $1 and state = 'quarantined')";

pub(super) const LOCK: &str = "
select d.seq, d.id, n.name as destination, e.correlation_id
  from deliveries d
  join destinations n on n.id = d.destination
  join exchanges e on e.id = d.exchange
 where d.exchange = $1 and d.state = 'quarantined'
 order by d.seq
   for update of d";

pub(super) const KEYS: &str = "
select k.destination, k.key from delivery_keys k join deliveries d on d.seq = k.seq where d.exchange = $1";

/// They go as if they had just been accepted, in their old place.
pub(super) const RELEASE: &str = "
update deliveries
   set state = case when keys = '' then 'ready'::delivery_state else 'waiting' end, due = $2, give_up_at = $3,
       note = null, updated_at = $2
 where seq = any ($1)";

pub(super) const REFUSE: &str = "
update deliveries set state = 'cancelled', due = 'infinity', note = $3, updated_at = $2 where seq = any ($1)";

/// One exchange in quarantine.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Held {
    /// The exchange.
    pub id: Uuid,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// Who sent it.
    pub source: String,
    /// What was asked.
    pub interaction: String,
    /// Resource type.
    pub resource_type: Option<String>,
    /// Correlation id.
    pub correlation_id: String,
    /// What was found.
    pub issues: Json<Vec<Issue>>,
    /// Where it would go.
    #[sqlx(rename = "names")]
    pub destinations: String,
    /// Later deliveries that wait behind it.
    pub behind: i64,
}

/// A delivery that is decided on.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Locked {
    /// Place in the order.
    pub seq: i64,
    /// The delivery.
    pub id: Uuid,
    /// Name of its destination.
    pub destination: String,
    /// The exchange's correlation id.
    pub correlation_id: String,
}

/// The exchanges in quarantine, in their order.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<Held>> {
    sqlx::query_as(LIST).bind(limit).fetch_all(db).await
}

/// How many exchanges are in quarantine.
///
/// # Errors
/// When the database does not answer.
pub async fn count(db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT).fetch_one(db).await
}

/// Whether an exchange is in quarantine now.
///
/// # Errors
/// When the database does not answer.
pub async fn is_held(db: &mut PgConnection, exchange: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar(IS_HELD).bind(exchange).fetch_one(db).await
}

/// Reads the deliveries of an exchange that are in quarantine, and keeps others from deciding on them until the
/// transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(db: &mut PgConnection, exchange: Uuid) -> sqlx::Result<Vec<Locked>> {
    sqlx::query_as(LOCK).bind(exchange).fetch_all(db).await
}

/// The keys that an exchange's deliveries hold.
///
/// # Errors
/// When the database does not answer.
pub async fn keys(db: &mut PgConnection, exchange: Uuid) -> sqlx::Result<Vec<(i32, Vec<u8>)>> {
    sqlx::query_as(KEYS).bind(exchange).fetch_all(db).await
}

/// Lets these deliveries go, until `give_up_at`; they wait where earlier ones stand before them.
///
/// # Errors
/// When the database refuses.
pub async fn release(
    db: &mut PgConnection,
    seqs: &[i64],
    now: DateTime<Utc>,
    give_up_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(RELEASE).bind(seqs).bind(now).bind(give_up_at).execute(db).await?;
    Ok(())
}

/// Cancels these deliveries; their sender reads `note`.
///
/// # Errors
/// When the database refuses.
pub async fn refuse(db: &mut PgConnection, seqs: &[i64], now: DateTime<Utc>, note: &str) -> sqlx::Result<()> {
    sqlx::query(REFUSE).bind(seqs).bind(now).bind(note).execute(db).await?;
    Ok(())
}
