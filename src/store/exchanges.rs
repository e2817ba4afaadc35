//! Table `exchanges` with `exchange_keys`: what is known of every message.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::exchange::rows::{ExchangeOutcome, ExchangeRow};

pub(super) const INSERT: &str = "
insert into exchanges (id, received_at, endpoint, source, ods, end_user_ods, request_id, correlation_id, interaction,
                       resource_type, outcome, status, routes, issues, body_hash, body_length, body_retention, body_day,
                       config_hash, packs)
select id, received_at, endpoint, source, ods, end_user_ods, request_id, correlation_id, interaction,
       resource_type, outcome, status, routes, issues, body_hash, body_length, body_retention,
       case when body_retention is not null then (received_at at time zone 'UTC')::date end, $18, packs
  from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[],
              $9::text[], $10::text[], $11::exchange_outcome[], $12::smallint[], $13::jsonb[], $14::jsonb[], $15::bytea[],
              $16::bigint[], $17::text[], $19::text[])
       as t (id, received_at, endpoint, source, ods, end_user_ods, request_id, correlation_id, interaction,
             resource_type, outcome, status, routes, issues, body_hash, body_length, body_retention, packs)";

pub(super) const INSERT_KEYS: &str = "
insert into exchange_keys (key, exchange, key_id)
select key, exchange, $3 from unnest($1::bytea[], $2::uuid[]) as t (key, exchange)";

pub(super) const EXISTS: &str = "select exists (select from exchanges where id = $1)";

/// Inserts the rows of one batch.
///
/// # Errors
/// When the database refuses.
pub async fn insert(db: &mut PgConnection, rows: &[&ExchangeRow], config_hash: &str, key_id: i32) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(rows.iter().map(|row| row.id.uuid()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.received_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| &*row.endpoint).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.sender.source.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.sender.ods.as_str()).collect::<Vec<_>>())
        .bind(
            rows.iter()
                .map(|row| row.end_user_ods.as_ref().map(super::super::exchange::sender::OdsCode::as_str))
                .collect::<Vec<_>>(),
        )
        .bind(rows.iter().map(|row| row.ids.request).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.ids.correlation.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.interaction.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.resource_type.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.outcome).collect::<Vec<ExchangeOutcome>>())
        .bind(rows.iter().map(|row| i16::try_from(row.status).unwrap_or(i16::MAX)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| serde_json::Value::from(row.routes.clone())).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| &row.issues).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| &row.body_hash[..]).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| i64::try_from(row.body_length).unwrap_or(i64::MAX)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.body.as_ref().map(|body| body.retention)).collect::<Vec<_>>())
        .bind(config_hash)
        .bind(rows.iter().map(|row| &*row.packs).collect::<Vec<_>>())
        .execute(&mut *db)
        .await?;
    let keys: Vec<(&[u8], Uuid)> =
        rows.iter().flat_map(|row| row.keys.iter().map(|key| (&key[..], row.id.uuid()))).collect();
    if !keys.is_empty() {
        let (keys, exchanges): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
        sqlx::query(INSERT_KEYS).bind(keys).bind(exchanges).bind(key_id).execute(db).await?;
    }
    Ok(())
}

/// Whether an exchange has been committed; asked when the answer to a commit was lost.
///
/// # Errors
/// When the database does not answer.
pub async fn exists(db: &mut PgConnection, exchange: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar(EXISTS).bind(exchange).fetch_one(db).await
}
