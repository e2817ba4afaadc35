//! Tables `destinations` and `search_keys`: the numbers that stand for names and secrets elsewhere.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub(super) const REGISTER: &str = "
insert into destinations (name) select unnest($1::text[]) on conflict do nothing";

pub(super) const RENAME: &str = "
update destinations set name = t.after
  from unnest($1::text[], $2::text[]) as t (before, after)
 where name = t.before and not exists (select from destinations where name = t.after)";

pub(super) const LIST: &str = "select id, name from destinations order by id";

pub(super) const REGISTER_KEY: &str =
    "insert into search_keys (key_id, introduced_at) values ($1, $2) on conflict do nothing";

pub(super) const OTHER_KEYS_WAITING: &str = "
select count(*) from deliveries d
 where d.key_id <> $1 and d.keys <> '' and exists (select from delivery_keys k where k.seq = d.seq)";

/// Gives every name a number and returns all numbers with their names.
///
/// # Errors
/// When the database refuses.
pub async fn register(db: &mut PgConnection, names: &[String]) -> sqlx::Result<Vec<(i32, String)>> {
    let mut names = names.to_vec();
    names.sort();
    sqlx::query(REGISTER).bind(names).execute(&mut *db).await?;
    sqlx::query_as(LIST).fetch_all(db).await
}

/// Gives destinations other names, from the first to the second; what waits for them keeps its place. A name that is taken
/// is not given.
///
/// # Errors
/// When the database refuses.
pub async fn rename(db: &mut PgConnection, names: &[(&str, &str)]) -> sqlx::Result<u64> {
    let (before, after): (Vec<_>, Vec<_>) = names.iter().copied().unzip();
    Ok(sqlx::query(RENAME).bind(before).bind(after).execute(db).await?.rows_affected())
}

/// Records that keys are made with this secret now, and says how many unsettled deliveries were keyed with another:
/// their order cannot be compared with new ones.
///
/// # Errors
/// When the database refuses.
pub async fn register_search_key(db: &mut PgConnection, key_id: i32, now: DateTime<Utc>) -> sqlx::Result<i64> {
    sqlx::query(REGISTER_KEY).bind(key_id).bind(now).execute(&mut *db).await?;
    sqlx::query_scalar(OTHER_KEYS_WAITING).bind(key_id).fetch_one(db).await
}
