//! Table `attempts`: every try to deliver, for ever.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::exchange::rows::AttemptOutcome;

// A worker that lost its lease and answers late meets the row that was written for it: the first one stays.
pub(super) const INSERT: &str = "
insert into attempts (delivery, number, started_at, ended_at, outcome, code, note, node)
select t.*, $8 from unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::timestamptz[], $5::attempt_outcome[],
                           $6::text[], $7::text[]) t
    on conflict do nothing";

pub(super) const RECORDED: &str = "
select exists (select from attempts where delivery = $1 and number = $2 and ended_at = $3 and node = $4)";

/// One try to deliver.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Id of the delivery.
    pub delivery: Uuid,
    /// From 1.
    pub number: i32,
    /// When it was leased.
    pub started_at: DateTime<Utc>,
    /// When its end was known.
    pub ended_at: DateTime<Utc>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The partner's code.
    pub code: String,
    /// What it said, free of patient data.
    pub note: String,
}

/// Records attempts made by `node`.
///
/// # Errors
/// When the database refuses.
pub async fn insert(db: &mut PgConnection, node: Uuid, attempts: &[Attempt]) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(attempts.iter().map(|each| each.delivery).collect::<Vec<_>>())
        .bind(attempts.iter().map(|each| each.number).collect::<Vec<_>>())
        .bind(attempts.iter().map(|each| each.started_at).collect::<Vec<_>>())
        .bind(attempts.iter().map(|each| each.ended_at).collect::<Vec<_>>())
        .bind(attempts.iter().map(|each| each.outcome).collect::<Vec<AttemptOutcome>>())
        .bind(attempts.iter().map(|each| each.code.as_str()).collect::<Vec<_>>())
        .bind(attempts.iter().map(|each| each.note.as_str()).collect::<Vec<_>>())
        .bind(node)
        .execute(db)
        .await?;
    Ok(())
}

/// Whether `node` has recorded exactly this attempt.
///
/// # Errors
/// When the database does not answer.
pub async fn is_recorded(db: &mut PgConnection, node: Uuid, attempt: &Attempt) -> sqlx::Result<bool> {
    let Attempt { delivery, number, ended_at, .. } = attempt;
    sqlx::query_scalar(RECORDED).bind(delivery).bind(number).bind(ended_at).bind(node).fetch_one(db).await
}
