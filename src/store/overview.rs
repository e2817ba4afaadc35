//! What the first page and the list of dead letters ask of the database.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::exchange::state::DeliveryState;

/// Whole figures of a backlog are cheap: a partial index holds what is not delivered.
pub(super) const DESTINATIONS: &str = "
select n.name, n.paused_at, coalesce(n.paused_by, '') as paused_by, coalesce(n.paused_because, '') as paused_because,
       coalesce(d.to_send, 0) as to_send, coalesce(d.held, 0) as held, coalesce(d.unknown, 0) as unknown,
       coalesce(d.dead, 0) as dead, coalesce(d.quarantined, 0) as quarantined, coalesce(d.under_way, 0) as under_way,
       d.oldest, d.oldest_free, d.oldest_failing
  from destinations n
  left join (
       select destination,
              count(*) filter (where state = 'ready') as to_send,
              count(*) filter (where state = 'waiting') as held,
              count(*) filter (where state = 'unknown') as unknown,
              count(*) filter (where state in ('dead', 'refused')) as dead,
              count(*) filter (where state = 'quarantined') as quarantined,
              count(*) filter (where state = 'leased') as under_way,
              min(created_at) filter (where state in ('ready', 'waiting', 'unknown', 'leased')) as oldest,
              min(created_at) filter (where state in ('ready', 'unknown', 'leased')) as oldest_free,
              min(created_at) filter (where state in ('ready', 'unknown', 'leased') and attempts > 0 and note <> ''
                                        and (state <> 'unknown' or due < 'infinity')) as oldest_failing
         from deliveries
        where state <> 'delivered' and state in ('ready', 'waiting', 'unknown', 'dead', 'refused', 'leased',
                                                'quarantined')
        group by destination) d on d.destination = n.id
 order by n.name";

/// The newest failure of what is still tried, and the newest of what was given up.
pub(super) const LAST_FAILURES: &str = "
select n.name, s.ended, f.note, f.updated_at, f.attempts
  from destinations n
 cross join (values (false, '{ready,unknown,leased}'::delivery_state[]), (true, '{dead,refused}')) s (ended, states)
 cross join lateral (
       select note, updated_at, attempts from deliveries d
        where d.destination = n.id and d.state <> 'delivered' and d.state = any (s.states)
          and d.attempts > 0 and d.note <> '' and (d.state <> 'unknown' or d.due < 'infinity')
        order by d.updated_at desc limit 1) f";

/// How messages of the last hour ended at the door. Ids begin with the time.
pub(super) const DOOR: &str = "select outcome::text, count(*) from exchanges where id >= $1 group by 1 order by 1";

pub(super) const DEAD_LETTERS: &str = "
select n.name, d.state, coalesce(d.note, ''), count(*), min(d.updated_at), max(d.updated_at)
  from deliveries d join destinations n on n.id = d.destination
 where d.state <> 'delivered' and d.state in ('dead', 'refused')
 group by 1, 2, 3 order by 4 desc, 1, 3 limit 200";

pub(super) const DEAD_LETTERS_OF: &str = "
select d.id, d.exchange, d.attempts, d.updated_at, e.resource_type, e.source
  from deliveries d
  join destinations n on n.id = d.destination
  join exchanges e on e.id = d.exchange
 where d.state <> 'delivered' and d.state = $2 and n.name = $1 and coalesce(d.note, '') = $3
 order by d.seq limit $4";

pub(super) const BODY: &str = "
select b.content, e.source, e.correlation_id from exchanges e
  join bodies b on (b.retention, b.day, b.exchange) = (e.body_retention, e.body_day, e.id)
 where e.id = $1";

/// Figures of one destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DestinationFigures {
    /// Its name.
    pub name: String,
    /// Since when, by whom and why it is paused.
    pub paused: Option<(DateTime<Utc>, String, String)>,
    /// Deliveries that nothing stands before.
    pub to_send: i64,
    /// Deliveries behind an earlier one of the same patient.
    pub held: i64,
    /// Sent, and not known whether they were taken.
    pub unknown: i64,
    /// Refused, or given up.
    pub dead: i64,
    /// Held until an operator decides about their exchange.
    pub quarantined: i64,
    /// Being sent.
    pub under_way: i64,
    /// Since when the oldest of those that will be sent is there.
    pub oldest: Option<DateTime<Utc>>,
    /// Since when the oldest of those is there that nothing stands before.
    pub oldest_free: Option<DateTime<Utc>>,
    /// What the newest failure of what is still tried said, and since when the oldest that failed is there.
    pub failing: Option<(String, DateTime<Utc>)>,
    /// What the newest failure said, when, and after how many attempts.
    pub failure: Option<(String, DateTime<Utc>, i32)>,
}

#[derive(sqlx::FromRow)]
struct FiguresRow {
    name: String,
    paused_at: Option<DateTime<Utc>>,
    paused_by: String,
    paused_because: String,
    to_send: i64,
    held: i64,
    unknown: i64,
    dead: i64,
    quarantined: i64,
    under_way: i64,
    oldest: Option<DateTime<Utc>>,
    oldest_free: Option<DateTime<Utc>>,
    oldest_failing: Option<DateTime<Utc>>,
}

impl FiguresRow {
    /// With the newest failures of every destination: of what is still tried, and of what has ended.
    fn figures(self, failures: &[(String, bool, String, DateTime<Utc>, i32)]) -> DestinationFigures {
        let own = || failures.iter().filter(|(name, ..)| *name == self.name);
        let failing = own().find(|(_, ended, ..)| !ended).map(|(_, _, note, at, _)| (note, at));
        let newest = own().max_by_key(|(_, _, _, at, _)| *at);
        DestinationFigures {
            paused: self.paused_at.map(|at| (at, self.paused_by, self.paused_because)),
            to_send: self.to_send,
            held: self.held,
            unknown: self.unknown,
            dead: self.dead,
            quarantined: self.quarantined,
            under_way: self.under_way,
            oldest: self.oldest,
            oldest_free: self.oldest_free,
            failing: failing.map(|(note, at)| (note.clone(), self.oldest_failing.unwrap_or(*at))),
            failure: newest.map(|(_, _, note, at, attempts)| (note.clone(), *at, *attempts)),
            name: self.name,
        }
    }
}

/// Dead letters of one destination with one reason.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DeadLetters {
    /// The destination.
    #[sqlx(rename = "name")]
    pub destination: String,
    /// Refused, or given up.
    pub state: DeliveryState,
    /// What the last attempt came to.
    #[sqlx(rename = "coalesce")]
    pub reason: String,
    /// How many.
    pub count: i64,
    /// When the first ended.
    #[sqlx(rename = "min")]
    pub first: DateTime<Utc>,
    /// When the last ended.
    #[sqlx(rename = "max")]
    pub last: DateTime<Utc>,
}

/// One dead letter.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DeadLetter {
    /// The delivery.
    pub id: Uuid,
    /// Its exchange.
    pub exchange: Uuid,
    /// How often it was tried.
    pub attempts: i32,
    /// When it ended.
    pub updated_at: DateTime<Utc>,
    /// Resource type.
    pub resource_type: Option<String>,
    /// Who sent it.
    pub source: String,
}

/// The figures of every destination there ever was, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn destinations(db: &mut PgConnection) -> sqlx::Result<Vec<DestinationFigures>> {
    let rows: Vec<FiguresRow> = sqlx::query_as(DESTINATIONS).fetch_all(&mut *db).await?;
    let failures: Vec<(String, bool, String, DateTime<Utc>, i32)> = sqlx::query_as(LAST_FAILURES).fetch_all(db).await?;
    Ok(rows.into_iter().map(|row| row.figures(&failures)).collect())
}

/// How many messages ended how at the door, since the exchange id `since`.
///
/// # Errors
/// When the database does not answer.
pub async fn door(db: &mut PgConnection, since: Uuid) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(DOOR).bind(since).fetch_all(db).await
}

/// Dead letters by destination and reason, the most frequent first.
///
/// # Errors
/// When the database does not answer.
pub async fn dead_letters(db: &mut PgConnection) -> sqlx::Result<Vec<DeadLetters>> {
    sqlx::query_as(DEAD_LETTERS).fetch_all(db).await
}

/// The first of the dead letters with one destination, state and reason, in their order.
///
/// # Errors
/// When the database does not answer.
pub async fn dead_letters_of(
    db: &mut PgConnection,
    destination: &str,
    state: DeliveryState,
    reason: &str,
    limit: i64,
) -> sqlx::Result<Vec<DeadLetter>> {
    sqlx::query_as(DEAD_LETTERS_OF).bind(destination).bind(state).bind(reason).bind(limit).fetch_all(db).await
}

/// The body of an exchange, with its source and correlation id; `None` when none is kept any more.
///
/// # Errors
/// When the database does not answer.
pub async fn body(db: &mut PgConnection, exchange: Uuid) -> sqlx::Result<Option<(Vec<u8>, String, String)>> {
    sqlx::query_as(BODY).bind(exchange).fetch_optional(db).await
}
