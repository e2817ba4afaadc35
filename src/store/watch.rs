//! What those who watch the gateway ask of the database: is it as this program needs it, and what is waiting.

use chrono::{DateTime, Days, Utc};
use sqlx::PgConnection;

use super::bodies::RETENTION_CLASSES;
use crate::exchange::state::DeliveryState;

pub(super) const BACKLOG: &str = "
select n.name, d.state, count(*), min(d.created_at)
  from deliveries d join destinations n on n.id = d.destination
 where d.state <> 'delivered' and d.state in ('waiting', 'ready', 'leased', 'parked', 'quarantined', 'unknown', 'refused',
                                                'dead')
 group by 1, 2 order by 1, 2";

pub(super) const SCHEMA: &str = "select coalesce(max(version), 0) from _sqlx_migrations where success";

pub(super) const PARTITIONS: &str = "
select count(*) from unnest($1::text[]) as wanted (name) where to_regclass(wanted.name) is not null";

/// One destination's deliveries in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The destination's name.
    pub destination: String,
    /// The state; never `delivered`.
    pub state: DeliveryState,
    /// How many.
    pub count: i64,
    /// Since when the oldest is there.
    pub oldest: DateTime<Utc>,
}

/// What has not been delivered, by destination and state.
///
/// # Errors
/// When the database does not answer.
pub async fn backlog(db: &mut PgConnection) -> sqlx::Result<Vec<Waiting>> {
    let rows: Vec<(String, DeliveryState, i64, DateTime<Utc>)> = sqlx::query_as(BACKLOG).fetch_all(db).await?;
    let waiting = |(destination, state, count, oldest)| Waiting { destination, state, count, oldest };
    Ok(rows.into_iter().map(waiting).collect())
}

/// Whether the last migration that ran is the last one this program knows.
///
/// # Errors
/// When the database does not answer.
pub async fn is_migrated(db: &mut PgConnection) -> sqlx::Result<bool> {
    let found: i64 = sqlx::query_scalar(SCHEMA).fetch_one(db).await?;
    Ok(Some(found) == super::schema::newest())
}

/// Whether bodies that come today and tomorrow have a place.
///
/// # Errors
/// When the database does not answer.
pub async fn has_partitions_ahead(db: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let days = [now.date_naive(), now.date_naive() + Days::new(1)];
    let wanted: Vec<String> =
        days.iter().flat_map(|day| RETENTION_CLASSES.map(|class| super::bodies::partition_name(class, *day))).collect();
    let found: i64 = sqlx::query_scalar(PARTITIONS).bind(&wanted).fetch_one(db).await?;
    Ok(usize::try_from(found) == Ok(wanted.len()))
}
