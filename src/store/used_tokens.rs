//! Table `used_tokens`: tokens of issuers that were good for one request, until they would have expired anyway.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub(super) const CLAIM: &str =
    "insert into used_tokens (issuer, token, expires_at) values ($1, $2, $3) on conflict do nothing";

pub(super) const FORGET: &str = "delete from used_tokens where expires_at < $1";

/// Takes a token for one request; `false` when it has been taken before.
///
/// # Errors
/// When the database refuses.
pub async fn claim(db: &mut PgConnection, issuer: &str, token: &str, expires_at: DateTime<Utc>) -> sqlx::Result<bool> {
    let done = sqlx::query(CLAIM).bind(issuer).bind(token).bind(expires_at).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets tokens that ended before `before`. Needs the owner role.
///
/// # Errors
/// When the database refuses.
pub async fn forget(owner: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<u64> {
    Ok(sqlx::query(FORGET).bind(before).execute(owner).await?.rows_affected())
}
