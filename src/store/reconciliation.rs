//! Does everything add up? Every accepted exchange has ended or waits for a stated reason (P2), and every exchange and
//! attempt is in the register (P6).

use sqlx::PgConnection;
use uuid::Uuid;

/// Deliveries that have not ended, apart from those that an operator must decide on, or that wait behind a refused, dead
/// or quarantined one an operator must decide on.
pub(super) const OPEN: &str = "
with recursive stuck (seq) as (
    select d.seq from deliveries d
     where d.state in ('refused', 'dead', 'quarantined') and exists (select from delivery_keys k where k.seq = d.seq)
    union
    select k.seq
      from stuck s
      join delivery_keys o on o.seq = s.seq
      join delivery_keys k on (k.destination, k.key) = (o.destination, o.key) and k.seq > o.seq
)
select count(*) from deliveries d
 where d.state in ('waiting', 'ready', 'leased', 'unknown', 'parked')
   and not (d.state = 'waiting' and d.seq in (select seq from stuck))";

pub(super) const UNAUDITED_EXCHANGES: &str = "
select count(*) from exchanges e
 where not exists (select from audit a where a.exchange = e.id and a.event = 'exchange')";

pub(super) const UNAUDITED_ATTEMPTS: &str = "
select count(*) from attempts t
 where not exists (select from audit a where a.delivery = t.delivery and a.attempt = t.number and a.event = 'attempt')";

pub(super) const STORED: &str =
    "select count(*) from exchanges where id = any ($1) and outcome in ('accepted', 'quarantined')";

pub(super) const STATES: &str = "
select n.name, d.state::text, count(*)
  from deliveries d join destinations n on n.id = d.destination
 group by 1, 2 order by 1, 2";

/// What does not add up; all zero when everything does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconciliation {
    /// Deliveries neither ended nor waiting for an operator's decision.
    pub open: i64,
    /// Exchanges without a record in the register.
    pub unaudited_exchanges: i64,
    /// Attempts without one.
    pub unaudited_attempts: i64,
}

/// Counts what does not add up.
///
/// # Errors
/// When the database does not answer.
pub async fn reconcile(db: &mut PgConnection) -> sqlx::Result<Reconciliation> {
    Ok(Reconciliation {
        open: open(db).await?,
        unaudited_exchanges: sqlx::query_scalar(UNAUDITED_EXCHANGES).fetch_one(&mut *db).await?,
        unaudited_attempts: sqlx::query_scalar(UNAUDITED_ATTEMPTS).fetch_one(&mut *db).await?,
    })
}

/// Deliveries neither ended nor waiting for an operator's decision.
///
/// # Errors
/// When the database does not answer.
pub async fn open(db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(OPEN).fetch_one(db).await
}

/// How many of these exchanges are stored as accepted.
///
/// # Errors
/// When the database does not answer.
pub async fn stored(db: &mut PgConnection, exchanges: &[Uuid]) -> sqlx::Result<i64> {
    sqlx::query_scalar(STORED).bind(exchanges).fetch_one(db).await
}

/// How many deliveries of each destination are in each state.
///
/// # Errors
/// When the database does not answer.
pub async fn states(db: &mut PgConnection) -> sqlx::Result<Vec<(String, String, i64)>> {
    sqlx::query_as(STATES).fetch_all(db).await
}
