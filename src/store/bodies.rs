//! Table `bodies`: what was received, byte for byte, in partitions by retention class and UTC day. Bodies are
//! written by [`super::batch`].

use bytes::Bytes;
use chrono::{DateTime, Days, NaiveDate, Utc};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::exchange::Conditions;

/// The retention classes; each has a partition of its own in the first migration.
pub const RETENTION_CLASSES: [&str; 2] = ["accepted", "refused"];

/// Days ahead of today for which partitions are made.
pub const DAYS_AHEAD: u64 = 7;

pub(super) const FETCH: &str = "
select e.id, b.content, b.conditions ->> 'if_none_exist', b.conditions ->> 'if_match'
  from exchanges e
  join bodies b on b.retention = e.body_retention and b.day = e.body_day and b.exchange = e.id
 where e.id = any ($1)";

pub(super) const PARTITIONS: &str = "
select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid
 where i.inhparent = to_regclass($1) order by 1";

/// Days with bodies that an unsettled delivery still needs: their partitions must stay.
pub(super) const NEEDED_DAYS: &str = "
select distinct e.body_day from deliveries d join exchanges e on e.id = d.exchange
 where e.body_day < $1
   and (d.state in ('waiting', 'ready', 'leased', 'parked', 'quarantined', 'unknown')
        or exists (select from delivery_keys k where k.seq = d.seq))";

/// A body with the preconditions it came with.
pub struct Body {
    /// The exchange it belongs to.
    pub exchange: Uuid,
    /// The bytes as received.
    pub content: Bytes,
    /// The sender's preconditions.
    pub conditions: Conditions,
}

/// The bodies of these exchanges; one that has been purged is not among them.
///
/// # Errors
/// When the database does not answer.
pub async fn fetch(db: &mut PgConnection, exchanges: &[Uuid]) -> sqlx::Result<Vec<Body>> {
    type Row = (Uuid, Vec<u8>, Option<String>, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(FETCH).bind(exchanges).fetch_all(db).await?;
    let body = |(exchange, content, if_none_exist, if_match)| Body {
        exchange,
        content: Bytes::from(content),
        conditions: Conditions { if_none_exist, if_match },
    };
    Ok(rows.into_iter().map(body).collect())
}

/// Makes the partitions of today and the days ahead; returns how many were missing. Needs the owner role.
///
/// # Errors
/// When the database refuses.
pub async fn make_partitions(owner: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<usize> {
    let mut made = 0;
    for class in RETENTION_CLASSES {
        let existing: Vec<String> =
            sqlx::query_scalar(PARTITIONS).bind(format!("bodies_{class}")).fetch_all(&mut *owner).await?;
        for ahead in 0..=DAYS_AHEAD {
            let day = now.date_naive() + Days::new(ahead);
            let name = partition_name(class, day);
            if !existing.contains(&name) {
                let next = day + Days::new(1);
                let sql = format!(
                    "create table if not exists {name} partition of bodies_{class} for values from ('{day}') to ('{next}')"
                );
                match sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *owner).await {
                    Ok(_) => made += 1,
                    // `if not exists` looks before it makes: another gateway came between.
                    Err(error) if is_there(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(made)
}

/// Whether somebody else made the same table at the same moment
/// ([error codes](https://www.postgresql.org/docs/current/errcodes-appendix.html): duplicate table, unique violation in a
/// catalogue).
fn is_there(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| matches!(&*code, "42P07" | "23505"))
}

/// Drops the partitions of `class` that hold only days before `first_kept`, save days an unsettled delivery needs.
/// Returns their names. Needs the owner role.
///
/// # Errors
/// When the database refuses.
pub async fn drop_partitions(
    owner: &mut PgConnection,
    class: &str,
    first_kept: NaiveDate,
) -> sqlx::Result<Vec<String>> {
    let needed: Vec<NaiveDate> = sqlx::query_scalar(NEEDED_DAYS).bind(first_kept).fetch_all(&mut *owner).await?;
    let kept: Vec<String> = needed.into_iter().map(|day| partition_name(class, day)).collect();
    let first = partition_name(class, first_kept);
    let existing: Vec<String> =
        sqlx::query_scalar(PARTITIONS).bind(format!("bodies_{class}")).fetch_all(&mut *owner).await?;
    let old: Vec<String> = existing.into_iter().filter(|name| *name < first && !kept.contains(name)).collect();
    for name in &old {
        sqlx::raw_sql(AssertSqlSafe(format!("drop table if exists {name}"))).execute(&mut *owner).await?;
    }
    Ok(old)
}

/// Names sort by day within a class.
pub(super) fn partition_name(class: &str, day: NaiveDate) -> String {
    format!("bodies_{class}_{}", day.format("%Y%m%d"))
}
