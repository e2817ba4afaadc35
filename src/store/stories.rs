//! What operators ask of the register: lists of exchanges, and the whole story of one.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::exchange::ExchangeId;
use crate::exchange::ids::Id;
use crate::exchange::rows::{AttemptOutcome, ExchangeOutcome};
use crate::exchange::state::DeliveryState;

// One statement for each way to what is looked for: where a condition may be absent (`$6 is null or ...`) no index serves
// it, and the register is never emptied. Ids begin with the time they were made, so the primary key serves order and period.
macro_rules! list {
    ($way:literal) => {
        concat!(
            "
select e.id, e.received_at, e.source, e.interaction, e.resource_type, e.outcome, e.status, e.correlation_id,
       coalesce((select string_agg(n.name || ' ' || d.state, ', ' order by d.seq)
                   from deliveries d join destinations n on n.id = d.destination
                  where d.exchange = e.id), '') as deliveries
  from exchanges e
 where ",
            $way,
            "
   and e.id >= coalesce($8::uuid, '00000000-0000-0000-0000-000000000000')
   and e.id < coalesce($11::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
   and ($1::text is null or e.source = $1)
   and ($2::text is null or e.resource_type = $2)
   and ($3::exchange_outcome is null or e.outcome = $3)
   and (($4::delivery_state[] is null and $9::text is null)
        or exists (select from deliveries d join destinations n on n.id = d.destination
                    where d.exchange = e.id and ($4 is null or d.state = any ($4)) and ($9 is null or n.name = $9)))
 order by e.id desc
 limit $10"
        )
    };
}

pub(super) const LIST: &str = list!("$5::bytea is null and $6::uuid is null and $7::text is null");

pub(super) const LIST_OF_KEY: &str = list!(
    "e.id in (select exchange from exchange_keys where key = $5)
   and ($6::uuid is null or e.request_id = $6) and ($7::text is null or e.correlation_id = $7)"
);

pub(super) const LIST_OF_REQUEST: &str =
    list!("$5::bytea is null and e.request_id = $6 and ($7::text is null or e.correlation_id = $7)");

pub(super) const LIST_OF_CORRELATION: &str = list!(
    "$5::bytea is null and $6::uuid is null
   and e.correlation_id = $7 and substr(e.correlation_id, 15, 1) <> '8'"
);

// No index has them; the caller says from when.
pub(super) const LIST_OF_OWN_CORRELATION: &str =
    list!("$5::bytea is null and $6::uuid is null and e.correlation_id = $7");

pub(super) const LIST_NOT_ACCEPTED: &str =
    list!("$5::bytea is null and $6::uuid is null and $7::text is null and e.outcome <> 'accepted'");

pub(super) const LIST_NOT_DELIVERED: &str = list!(
    "$5::bytea is null and $6::uuid is null and $7::text is null
   and e.id in (select d.exchange from deliveries d join destinations n on n.id = d.destination
                 where d.state <> 'delivered' and d.state = any ($4) and ($9::text is null or n.name = $9))"
);

pub(super) const EXCHANGE: &str = "
select id, received_at, endpoint, source, ods, end_user_ods, request_id, correlation_id, interaction, resource_type,
       outcome, status, routes, issues, body_hash, body_length, body_retention, config_hash, packs
  from exchanges where id = $1";

pub(super) const DELIVERIES: &str = "
select d.seq, d.id, n.name as destination, d.route, d.state,
       case when d.due < 'infinity' then d.due end as due, d.give_up_at, d.attempts, d.note, d.updated_at,
       exists (select from delivery_keys k where k.seq = d.seq) as holds_its_place,
       n.paused_at, n.paused_by, n.paused_because
  from deliveries d join destinations n on n.id = d.destination
 where d.exchange = $1 order by d.seq";

pub(super) const ATTEMPTS: &str = "
select a.delivery, a.number, a.started_at, a.ended_at, a.outcome, a.code, a.note
  from attempts a join deliveries d on d.id = a.delivery
 where d.exchange = $1 order by a.delivery, a.number";

/// What stands before a waiting delivery: the first one, and how many in all.
pub(super) const BEFORE: &str = "
select b.id, b.exchange, b.state, b.note, count(*) over () as others
  from (select distinct o.seq
          from delivery_keys k
          join delivery_keys o on (o.destination, o.key) = (k.destination, k.key) and o.seq < k.seq
         where k.seq = $1) earlier
  join deliveries b on b.seq = earlier.seq
 order by b.seq limit 1";

pub(super) const ACTS: &str = "
select at, outcome as what, coalesce(actor, '') as who, coalesce(reason, '') as why,
       coalesce(destination, '') as destination, delivery, coalesce(code, '') as found
  from audit where exchange = $1 and event = 'operator' order by seq";

/// One line of a list.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Line {
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
    /// How it ended at the door.
    pub outcome: ExchangeOutcome,
    /// Status of the answer.
    pub status: i16,
    /// Correlation id.
    pub correlation_id: String,
    /// Each destination with its state.
    pub deliveries: String,
}

/// Which exchanges to list; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Source's name.
    pub source: Option<String>,
    /// Resource type.
    pub resource_type: Option<String>,
    /// How it ended at the door.
    pub outcome: Option<ExchangeOutcome>,
    /// A delivery, to [`Filter::destination`] where that is asked for, is in one of these states; empty: in any.
    pub states: Vec<DeliveryState>,
    /// It carries this key.
    pub key: Option<[u8; 32]>,
    /// The sender's request id.
    pub request_id: Option<Uuid>,
    /// Correlation id.
    pub correlation_id: Option<String>,
    /// Not older than.
    pub since: Option<DateTime<Utc>>,
    /// A delivery, in one of [`Filter::states`], goes to this destination.
    pub destination: Option<String>,
    /// Older than this one.
    pub before: Option<Uuid>,
}

impl Filter {
    /// The statement that reads least.
    fn statement(&self) -> &'static str {
        let undelivered = !self.states.is_empty() && !self.states.contains(&DeliveryState::Delivered);
        match self {
            Self { key: Some(_), .. } => LIST_OF_KEY,
            Self { request_id: Some(_), .. } => LIST_OF_REQUEST,
            Self { correlation_id: Some(id), .. } if is_unindexed(id) => LIST_OF_OWN_CORRELATION,
            Self { correlation_id: Some(_), .. } => LIST_OF_CORRELATION,
            Self { outcome: Some(outcome), .. } if *outcome != ExchangeOutcome::Accepted => LIST_NOT_ACCEPTED,
            _ if undelivered => LIST_NOT_DELIVERED,
            _ => LIST,
        }
    }
}

/// Whether no index has a correlation id: it is of the form of our own.
pub(super) fn is_unindexed(correlation_id: &str) -> bool {
    correlation_id.chars().nth(14) == Some('8')
}

/// The first id that an exchange with this correlation id can have: ours carry the time they were made.
pub(super) fn begin_of(correlation_id: &str) -> Option<Uuid> {
    let made = Id::from_uuid(correlation_id.parse().ok()?)?;
    Some(Id::first_at(made.time()).uuid())
}

/// The newest exchanges that pass the filter.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &mut PgConnection, filter: &Filter, limit: i64) -> sqlx::Result<Vec<Line>> {
    let since = filter.since.map(|since| ExchangeId::first_at(since).uuid());
    let begin = filter.correlation_id.as_deref().and_then(begin_of);
    sqlx::query_as(filter.statement())
        .bind(&filter.source)
        .bind(&filter.resource_type)
        .bind(filter.outcome)
        .bind(Some(&filter.states).filter(|states| !states.is_empty()))
        .bind(filter.key.as_ref().map(|key| &key[..]))
        .bind(filter.request_id)
        .bind(&filter.correlation_id)
        .bind(since.max(begin))
        .bind(&filter.destination)
        .bind(limit)
        .bind(filter.before)
        .fetch_all(db)
        .await
}

/// Everything known of an exchange.
#[derive(Debug, Clone)]
pub struct Story {
    /// The exchange itself.
    pub exchange: Told,
    /// Its deliveries, in order, each with its attempts and what it waits for.
    pub deliveries: Vec<(ToldDelivery, Vec<ToldAttempt>, Option<Before>)>,
    /// What operators did, in order.
    pub acts: Vec<ToldAct>,
}

/// An exchange as the register has it.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of `exchanges`, described in the migration")]
pub struct Told {
    pub id: Uuid,
    pub received_at: DateTime<Utc>,
    pub endpoint: String,
    pub source: String,
    pub ods: String,
    pub end_user_ods: Option<String>,
    pub request_id: Option<Uuid>,
    pub correlation_id: String,
    pub interaction: String,
    pub resource_type: Option<String>,
    pub outcome: ExchangeOutcome,
    pub status: i16,
    pub routes: Json<Vec<String>>,
    pub issues: Json<Vec<crate::outcome::Issue>>,
    pub body_hash: Vec<u8>,
    pub body_length: i64,
    pub body_retention: Option<String>,
    pub config_hash: String,
    pub packs: String,
}

/// A delivery as the backlog has it.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of `deliveries`, described in the migration")]
pub struct ToldDelivery {
    pub seq: i64,
    pub id: Uuid,
    pub destination: String,
    pub route: String,
    pub state: DeliveryState,
    pub due: Option<DateTime<Utc>>,
    pub give_up_at: DateTime<Utc>,
    pub attempts: i32,
    pub note: Option<String>,
    pub updated_at: DateTime<Utc>,
    /// Later deliveries of the same patient wait behind it.
    pub holds_its_place: bool,
    /// Since when its destination is paused, if it is.
    pub paused_at: Option<DateTime<Utc>>,
    pub paused_by: Option<String>,
    pub paused_because: Option<String>,
}

/// An attempt as it was recorded.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of `attempts`, described in the migration")]
pub struct ToldAttempt {
    pub delivery: Uuid,
    pub number: i32,
    pub started_at: DateTime<Utc>,
    pub ended_at: DateTime<Utc>,
    pub outcome: AttemptOutcome,
    pub code: String,
    pub note: String,
}

/// What an operator did.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ToldAct {
    /// When.
    pub at: DateTime<Utc>,
    /// What, such as `retry`.
    pub what: String,
    /// Operator's name.
    pub who: String,
    /// The reason given.
    pub why: String,
    /// At which destination; empty when it was about the whole exchange.
    pub destination: String,
    /// About which delivery.
    pub delivery: Option<Uuid>,
    /// The state it was found in, such as `was dead`; empty when none was.
    pub found: String,
}

/// What a waiting delivery waits for.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Before {
    /// The delivery that stands first.
    pub id: Uuid,
    /// Its exchange.
    pub exchange: Uuid,
    /// Where it stands.
    pub state: DeliveryState,
    /// What its last attempt came to.
    pub note: Option<String>,
    /// How many stand before, it included.
    pub others: i64,
}

/// The whole story of one exchange; `None` when there is none.
///
/// # Errors
/// When the database does not answer.
pub async fn tell(db: &mut PgConnection, exchange: Uuid) -> sqlx::Result<Option<Story>> {
    let Some(told) = sqlx::query_as(EXCHANGE).bind(exchange).fetch_optional(&mut *db).await? else { return Ok(None) };
    let found: Vec<ToldDelivery> = sqlx::query_as(DELIVERIES).bind(exchange).fetch_all(&mut *db).await?;
    let attempts: Vec<ToldAttempt> = sqlx::query_as(ATTEMPTS).bind(exchange).fetch_all(&mut *db).await?;
    let mut deliveries = Vec::new();
    for delivery in found {
        let before = match delivery.state {
            DeliveryState::Waiting => sqlx::query_as(BEFORE).bind(delivery.seq).fetch_optional(&mut *db).await?,
            _ => None,
        };
        let own = attempts.iter().filter(|attempt| attempt.delivery == delivery.id).cloned().collect();
        deliveries.push((delivery, own, before));
    }
    let acts = sqlx::query_as(ACTS).bind(exchange).fetch_all(db).await?;
    Ok(Some(Story { exchange: told, deliveries, acts }))
}
