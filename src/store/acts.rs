//! What an operator's act does to one delivery.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::exchange::state::DeliveryState;

pub(super) const LOCK: &str = "
select d.seq, d.exchange, d.destination, n.name as destination_name, d.state, d.keys, e.correlation_id
  from deliveries d
  join destinations n on n.id = d.destination
  join exchanges e on e.id = d.exchange
 where d.id = $1
   for update of d";

pub(super) const SET: &str = "
update deliveries set state = $2, due = $3, give_up_at = coalesce($4, give_up_at), updated_at = $3 where seq = $1";

pub(super) const TAKE_PLACE: &str = "
insert into delivery_keys (destination, key, seq)
select destination, key, $3 from unnest($1::integer[], $2::bytea[]) as t (destination, key)
    on conflict do nothing";

// Locked in order, or two operators deadlock.
pub(super) const EXTEND: &str = "
with recursive behind (seq) as (
    select unnest($1::bigint[])
    union
    select k.seq
      from behind b
      join delivery_keys o on o.seq = b.seq
      join delivery_keys k on (k.destination, k.key) = (o.destination, o.key) and k.seq > o.seq
), short as (
    select seq from deliveries
     where seq in (select seq from behind) and state = 'waiting' and give_up_at < $2
     order by seq
       for update
)
update deliveries d set give_up_at = $2 from short where d.seq = short.seq returning d.seq";

pub(super) const NOTIFY: &str = "select pg_notify('signalbox_ready', '')";

/// A delivery an operator acts on.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Target {
    /// Place in the order.
    pub seq: i64,
    /// Its exchange.
    pub exchange: Uuid,
    /// Number of its destination.
    pub destination: i32,
    /// Name of its destination.
    pub destination_name: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Its keys, 32 bytes each.
    pub keys: Vec<u8>,
    /// The exchange's correlation id.
    pub correlation_id: String,
}

/// Reads a delivery and keeps others from changing it until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(db: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Target>> {
    sqlx::query_as(LOCK).bind(id).fetch_optional(db).await
}

/// Sets the state of a delivery, due at once; with a new end of its life, if one is given.
///
/// # Errors
/// When the database refuses.
pub async fn set(
    db: &mut PgConnection,
    seq: i64,
    state: DeliveryState,
    now: DateTime<Utc>,
    give_up_at: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    sqlx::query(SET).bind(seq).bind(state).bind(now).bind(give_up_at).execute(db).await?;
    Ok(())
}

/// Gives what waits behind these deliveries, and behind that, until `give_up_at`, where it has less: it could not be tried
/// as long as they stood before it. Returns which were given it. The keys of these deliveries must still be held, and the
/// keys of all be promoted after the commit: a promotion passes over what is locked here.
///
/// # Errors
/// When the database refuses.
pub async fn extend(db: &mut PgConnection, seqs: &[i64], give_up_at: DateTime<Utc>) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar(EXTEND).bind(seqs).bind(give_up_at).fetch_all(db).await
}

/// Puts a delivery back in its old place among those that share its keys.
///
/// # Errors
/// When the database refuses.
pub async fn take_place(db: &mut PgConnection, keys: &[(i32, Vec<u8>)], seq: i64) -> sqlx::Result<()> {
    sqlx::query(TAKE_PLACE)
        .bind(keys.iter().map(|(destination, _)| *destination).collect::<Vec<_>>())
        .bind(keys.iter().map(|(_, key)| &key[..]).collect::<Vec<_>>())
        .bind(seq)
        .execute(db)
        .await?;
    Ok(())
}

/// Wakes the workers of every process.
///
/// # Errors
/// When the database refuses.
pub async fn notify(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(NOTIFY).execute(db).await?;
    Ok(())
}
