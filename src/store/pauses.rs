//! Destinations that an operator has paused, in table `destinations`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub(super) const PAUSE: &str = "
update destinations set paused_at = $2, paused_by = $3, paused_because = $4 where name = $1 and paused_at is null";

pub(super) const RESUME: &str = "
update destinations set paused_at = null, paused_by = null, paused_because = null
 where name = $1 and paused_at is not null";

pub(super) const EXISTS: &str = "select exists (select from destinations where name = $1)";

/// Pauses a destination; `false` when there is none of this name, or it is paused already.
///
/// # Errors
/// When the database refuses.
pub async fn pause(
    db: &mut PgConnection,
    name: &str,
    now: DateTime<Utc>,
    actor: &str,
    reason: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query(PAUSE).bind(name).bind(now).bind(actor).bind(reason).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// Lets a destination go on; `false` when it was not paused.
///
/// # Errors
/// When the database refuses.
pub async fn resume(db: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    Ok(sqlx::query(RESUME).bind(name).execute(db).await?.rows_affected() == 1)
}

/// Whether there is, or was, a destination of this name.
///
/// # Errors
/// When the database does not answer.
pub async fn exists(db: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar(EXISTS).bind(name).fetch_one(db).await
}
