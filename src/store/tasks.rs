//! What a source asks of its own exchanges: found by id, status and time, newest first.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{reports, stories};
use crate::exchange::state::ExchangeStatus;
use crate::exchange::{ExchangeId, Interaction};

// Ids begin with the time they were made, so the primary key serves both the order and the period. An identifier is looked
// up first: the condition that may be absent (`$7 is null or ...`) is served by no index.
macro_rules! search {
    ($way:literal) => {
        concat!(
            "
select e.id, e.received_at, e.interaction, e.resource_type, e.correlation_id
  from exchanges e
 where ",
            $way,
            "
   and e.source = $1 and e.outcome in ('accepted', 'quarantined')
   and e.id >= $2 and e.id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
   and e.received_at >= $4 and ($5::timestamptz is null or e.received_at < $5)
   and ($6::uuid is null or e.id = $6)
   and ($9::text[] is null or
        case when exists (select from deliveries d where d.exchange = e.id and d.state = 'quarantined') then 'on-hold'
             when exists (select from deliveries d where d.exchange = e.id
                           and d.state in ('waiting', 'ready', 'leased', 'parked', 'unknown')) then 'in-progress'
             when not exists (select from deliveries d where d.exchange = e.id and d.state <> 'delivered')
                  then 'completed'
             when not exists (select from deliveries d where d.exchange = e.id and d.state <> 'cancelled')
                  then 'cancelled'
             else 'failed' end = any($9))
 order by e.id desc
 limit $10"
        )
    };
}

pub(super) const SEARCH: &str = search!("$7::text is null and $8::uuid is null");

pub(super) const SEARCH_IDENTIFIER: &str = search!(
    "e.id in (select id from exchanges where correlation_id = $7 and substr(correlation_id, 15, 1) <> '8'
              union all select id from exchanges where request_id = $8
              union all select $8::uuid)"
);

// A correlation id that no index has: of the exchanges since it was made. All statements here have the same parameters, and
// each must be named for its type to be known.
pub(super) const SEARCH_OWN_IDENTIFIER: &str = search!("e.correlation_id = $7 and ($8::uuid is null or true)");

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// This one.
    pub id: Option<Uuid>,
    /// The correlation id, or in [`Wanted::identifier_uuid`] the exchange or the sender's request id.
    pub identifier: Option<String>,
    /// The identifier, when it is a UUID.
    pub identifier_uuid: Option<Uuid>,
    /// Of these statuses; empty: of any.
    pub statuses: Vec<String>,
    /// Received then or later.
    pub from: DateTime<Utc>,
    /// Received before.
    pub to: Option<DateTime<Utc>>,
    /// Older than this one.
    pub before: Option<Uuid>,
    /// As many as make a page.
    pub count: u16,
}

type Row = (Uuid, DateTime<Utc>, String, Option<String>, String);

async fn ask(db: &mut PgConnection, statement: &'static str, source: &str, wanted: &Wanted) -> sqlx::Result<Vec<Row>> {
    let begin = wanted.identifier.as_deref().filter(|_| statement == SEARCH_OWN_IDENTIFIER).and_then(stories::begin_of);
    sqlx::query_as(statement)
        .bind(source)
        .bind(begin.max(Some(ExchangeId::first_at(wanted.from).uuid())))
        .bind(wanted.before)
        .bind(wanted.from)
        .bind(wanted.to)
        .bind(wanted.id)
        .bind(&wanted.identifier)
        .bind(wanted.identifier_uuid)
        .bind(Some(&wanted.statuses).filter(|statuses| !statuses.is_empty()))
        .bind(i64::from(wanted.count) + 1)
        .fetch_all(db)
        .await
}

/// The exchanges of a source, and one more than asked for when there are more.
///
/// # Errors
/// When the database does not answer.
pub async fn search(db: &mut PgConnection, source: &str, wanted: &Wanted) -> sqlx::Result<Vec<ExchangeStatus>> {
    let own = wanted.identifier.as_deref().is_some_and(stories::is_unindexed);
    let statement = if wanted.identifier.is_some() { SEARCH_IDENTIFIER } else { SEARCH };
    let mut rows = ask(db, statement, source, wanted).await?;
    if own && rows.is_empty() {
        // No exchange and no request has it.
        rows = ask(db, SEARCH_OWN_IDENTIFIER, source, wanted).await?;
    }
    let mut found = Vec::with_capacity(rows.len());
    for (id, received_at, interaction, resource_type, correlation_id) in rows {
        let Some(id) = ExchangeId::from_uuid(id) else { continue };
        found.push(ExchangeStatus {
            id,
            received_at,
            interaction: Interaction::from_code(&interaction).unwrap_or(Interaction::Create),
            resource_type: resource_type.unwrap_or_default(),
            correlation_id,
            deliveries: reports::deliveries(db, id).await?,
        });
    }
    Ok(found)
}
