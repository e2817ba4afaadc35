//! Tables `operators` and `sessions`: who may use the pages, and who is signed in.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub(super) const ADD: &str = "
insert into operators (name, password_hash, role, created_at)
select $1, $2, $3, $4 where not exists (select from operators where lower(name) = lower($1))
    on conflict do nothing";

pub(super) const SET_PASSWORD: &str = "update operators set password_hash = $2 where name = $1";

pub(super) const END_SESSIONS_OF: &str = "delete from sessions where operator = $1";

pub(super) const REMOVE: &str = "delete from operators where name = $1";

pub(super) const LIST: &str = "select name, role, created_at from operators order by name";

pub(super) const FIND: &str = "select password_hash from operators where name = $1";

pub(super) const ANY: &str = "select exists (select from operators)";

pub(super) const OPEN_SESSION: &str =
    "insert into sessions (token_hash, operator, created_at, used_at) values ($1, $2, $3, $3)";

/// A session that is idle or old is none; one that is used stays.
pub(super) const USE_SESSION: &str = "
update sessions s set used_at = greatest(s.used_at, $2)
  from operators o
 where s.token_hash = $1 and s.used_at >= $3 and s.created_at >= $4 and o.name = s.operator
returning o.name, o.role";

pub(super) const END_SESSION: &str = "delete from sessions where token_hash = $1 returning operator";

pub(super) const END_OLD_SESSIONS: &str = "delete from sessions where used_at < $1 or created_at < $2";

/// Adds an operator; `false` when there is one of this name already.
///
/// # Errors
/// When the database refuses.
pub async fn add(
    db: &mut PgConnection,
    name: &str,
    password_hash: &str,
    role: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query(ADD).bind(name).bind(password_hash).bind(role).bind(now).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// Gives an operator another password and signs out whoever was signed in with the old one; `false` when there is none
/// of this name. Belongs in one transaction.
///
/// # Errors
/// When the database refuses.
pub async fn set_password(db: &mut PgConnection, name: &str, password_hash: &str) -> sqlx::Result<bool> {
    let done = sqlx::query(SET_PASSWORD).bind(name).bind(password_hash).execute(&mut *db).await?;
    sqlx::query(END_SESSIONS_OF).bind(name).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// Removes an operator with its sessions; `false` when there was none.
///
/// # Errors
/// When the database refuses.
pub async fn remove(db: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    Ok(sqlx::query(REMOVE).bind(name).execute(db).await?.rows_affected() == 1)
}

/// Name, role and since when, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &mut PgConnection) -> sqlx::Result<Vec<(String, String, DateTime<Utc>)>> {
    sqlx::query_as(LIST).fetch_all(db).await
}

/// The hash of an operator's password.
///
/// # Errors
/// When the database does not answer.
pub async fn password_hash(db: &mut PgConnection, name: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(FIND).bind(name).fetch_optional(db).await
}

/// Whether there is an operator at all.
///
/// # Errors
/// When the database does not answer.
pub async fn any(db: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar(ANY).fetch_one(db).await
}

/// Signs an operator in.
///
/// # Errors
/// When the database refuses.
pub async fn open_session(
    db: &mut PgConnection,
    token_hash: &[u8],
    operator: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(OPEN_SESSION).bind(token_hash).bind(operator).bind(now).execute(db).await?;
    Ok(())
}

/// Name and role of whoever is signed in under this token, used since `used_since` and opened since `opened_since`.
///
/// # Errors
/// When the database does not answer.
pub async fn use_session(
    db: &mut PgConnection,
    token_hash: &[u8],
    now: DateTime<Utc>,
    used_since: DateTime<Utc>,
    opened_since: DateTime<Utc>,
) -> sqlx::Result<Option<(String, String)>> {
    sqlx::query_as(USE_SESSION).bind(token_hash).bind(now).bind(used_since).bind(opened_since).fetch_optional(db).await
}

/// Signs out; the operator's name.
///
/// # Errors
/// When the database refuses.
pub async fn end_session(db: &mut PgConnection, token_hash: &[u8]) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(END_SESSION).bind(token_hash).fetch_optional(db).await
}

/// Forgets sessions that are over.
///
/// # Errors
/// When the database refuses.
pub async fn end_old_sessions(
    db: &mut PgConnection,
    used_since: DateTime<Utc>,
    opened_since: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(END_OLD_SESSIONS).bind(used_since).bind(opened_since).execute(db).await?;
    Ok(())
}
