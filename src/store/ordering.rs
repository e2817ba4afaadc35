//! Table `delivery_keys` and the order rule: *commit, then promote*. A delivery becomes ready when it has the lowest
//! `seq` of each of its keys at its destination. Promotion runs in a new transaction after every commit that inserted or
//! deleted keys: the later of two has a snapshot that sees both commits, so no lock on the patient is needed. What nothing
//! stands before when it is written needs none: [`super::batch`].

use sqlx::PgConnection;

pub(super) const KEYS_OF: &str = "
select d.destination, substring(d.keys from part.at * 32 + 1 for 32)
  from deliveries d cross join generate_series(0, length(d.keys) / 32 - 1) as part (at)
 where d.seq = any ($1)";

pub(super) const RELEASE: &str = "delete from delivery_keys where seq = any ($1) returning destination, key";

// `order by ... skip locked` matters: without it concurrent promotes deadlock. The notification names
// who promoted, and wakes workers of other processes.
pub(super) const PROMOTE: &str = "
with heads as (
    select distinct h.seq
      from unnest($1::integer[], $2::bytea[]) as t (destination, key)
     cross join lateral (
           select seq from delivery_keys k
            where (k.destination, k.key) = (t.destination, t.key) order by seq limit 1) h
), free as (
    select d.seq
      from heads join deliveries d on d.seq = heads.seq
     where d.state = 'waiting'
       and not exists (
           select from delivery_keys k
             join delivery_keys b on (b.destination, b.key) = (k.destination, k.key) and b.seq < k.seq
            where k.seq = d.seq)
     order by d.seq
       for update of d skip locked
), promoted as (
    update deliveries d set state = 'ready' from free where d.seq = free.seq returning d.destination
)
select destination, pg_notify('signalbox_ready', $3)::text from (select distinct destination from promoted) as told";

/// The same for every key there is: heals a crash between a commit and its promotion.
pub(super) const SWEEP: &str = "
with heads as (
    select distinct on (destination, key) seq from delivery_keys order by destination, key, seq
), free as (
    select d.seq
      from (select distinct seq from heads) heads join deliveries d on d.seq = heads.seq
     where d.state = 'waiting'
       and not exists (
           select from delivery_keys k
             join delivery_keys b on (b.destination, b.key) = (k.destination, k.key) and b.seq < k.seq
            where k.seq = d.seq)
     order by d.seq
       for update of d skip locked
), promoted as (
    update deliveries d set state = 'ready' from free where d.seq = free.seq returning d.destination
)
select destination, pg_notify('signalbox_ready', $1)::text from (select distinct destination from promoted) as told";

/// Lets go of the keys of these deliveries and returns them, for [`promote`] after the commit.
///
/// # Errors
/// When the database refuses.
pub async fn release(db: &mut PgConnection, seqs: &[i64]) -> sqlx::Result<Vec<(i32, Vec<u8>)>> {
    if seqs.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_as(RELEASE).bind(seqs).fetch_all(db).await
}

/// Every key that these deliveries carry, held or released.
///
/// # Errors
/// When the database does not answer.
pub async fn keys_of(db: &mut PgConnection, seqs: &[i64]) -> sqlx::Result<Vec<(i32, Vec<u8>)>> {
    sqlx::query_as(KEYS_OF).bind(seqs).fetch_all(db).await
}

/// Makes ready what has become the head of all its keys; returns the destinations that have something new to send.
/// Belongs in a transaction of its own: inside the one that changed the keys it would lose wake-ups. Every process but
/// `by` is told.
///
/// # Errors
/// When the database refuses.
pub async fn promote(db: &mut PgConnection, keys: &[(i32, Vec<u8>)], by: &str) -> sqlx::Result<Vec<i32>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar(PROMOTE)
        .bind(keys.iter().map(|(destination, _)| *destination).collect::<Vec<_>>())
        .bind(keys.iter().map(|(_, key)| &key[..]).collect::<Vec<_>>())
        .bind(by)
        .fetch_all(&mut *db)
        .await
}

/// [`promote`] for every key there is; at start and every minute.
///
/// # Errors
/// When the database refuses.
pub async fn sweep(db: &mut PgConnection, by: &str) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar(SWEEP).bind(by).fetch_all(db).await
}
