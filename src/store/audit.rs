//! Table `audit`: the train register. Insert and read only; triggers refuse the rest.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::exchange::rows::AuditRow;

pub(super) const INSERT: &str = "
insert into audit (batch, at, started_at, event, outcome, status, code, exchange, delivery, attempt, endpoint, source,
                   ods, end_user_ods, request_id, correlation_id, destination, actor, reason, address, count, body_hash,
                   config_hash, packs)
select $1, at, started_at, event, outcome, status, code, exchange, delivery, attempt, endpoint, source,
       ods, end_user_ods, request_id, correlation_id, destination, actor, reason, address::inet, count, body_hash, $23,
       coalesce(packs, $24)
  from unnest($2::timestamptz[], $3::timestamptz[], $4::text[], $5::text[], $6::smallint[], $7::text[], $8::uuid[],
              $9::uuid[], $10::integer[], $11::text[], $12::text[], $13::text[], $14::text[], $15::uuid[], $16::text[],
              $17::text[], $18::text[], $19::text[], $20::text[], $21::integer[], $22::bytea[], $25::text[])
       as t (at, started_at, event, outcome, status, code, exchange, delivery, attempt, endpoint, source,
             ods, end_user_ods, request_id, correlation_id, destination, actor, reason, address, count, body_hash,
             packs)";

/// Writes rows to the register; `packs` are those of rows that name none. Belongs in the transaction that does what the
/// rows tell of (P1).
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    db: &mut PgConnection,
    batch: Uuid,
    rows: &[AuditRow],
    config_hash: &str,
    packs: &str,
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(INSERT)
        .bind(batch)
        .bind(rows.iter().map(|row| row.at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.started_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.event).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.outcome.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.status.and_then(|status| i16::try_from(status).ok())).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.code.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.exchange).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.delivery).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.attempt).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.endpoint.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.sender.as_ref().map(|sender| sender.source.as_str())).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.sender.as_ref().map(|sender| sender.ods.as_str())).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.end_user_ods.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.request_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.correlation_id.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.destination.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.actor.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.reason.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.address.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.count).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.body_hash.as_ref().map(|hash| &hash[..])).collect::<Vec<_>>())
        .bind(config_hash)
        .bind(packs)
        .bind(rows.iter().map(|row| row.packs.as_deref()).collect::<Vec<_>>())
        .execute(db)
        .await?;
    Ok(())
}
