//! What people and senders ask: reads over several tables, none of them on the way of a message.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::exchange::state::{DeliveryState, DeliveryStatus, ExchangeStatus};
use crate::exchange::{DeliveryId, ExchangeId, Interaction};

pub(super) const EXCHANGE: &str = "
select received_at, interaction, resource_type, correlation_id
  from exchanges where id = $1 and source = $2 and outcome in ('accepted', 'quarantined')";

pub(super) const DELIVERIES: &str = "
select d.id, n.name, d.state, d.attempts, case when d.state in ('ready', 'unknown') and d.due < 'infinity' then d.due end,
       d.note, d.updated_at
  from deliveries d join destinations n on n.id = d.destination
 where d.exchange = $1
 order by d.seq";

pub(super) const HOLDER: &str = "
select exchange, body_hash from message_keys where source = $1 and endpoint = $2 and message_id = $3";

/// An exchange this source had accepted, with its deliveries.
///
/// # Errors
/// When the database does not answer.
pub async fn status(db: &mut PgConnection, exchange: ExchangeId, source: &str) -> sqlx::Result<Option<ExchangeStatus>> {
    type Row = (DateTime<Utc>, String, Option<String>, String);
    let found: Option<Row> =
        sqlx::query_as(EXCHANGE).bind(exchange.uuid()).bind(source).fetch_optional(&mut *db).await?;
    let Some((received_at, interaction, resource_type, correlation_id)) = found else { return Ok(None) };
    Ok(Some(ExchangeStatus {
        id: exchange,
        received_at,
        interaction: Interaction::from_code(&interaction).unwrap_or(Interaction::Create),
        resource_type: resource_type.unwrap_or_default(),
        correlation_id,
        deliveries: deliveries(db, exchange).await?,
    }))
}

/// The deliveries of an exchange, in order.
///
/// # Errors
/// When the database does not answer.
pub async fn deliveries(db: &mut PgConnection, exchange: ExchangeId) -> sqlx::Result<Vec<DeliveryStatus>> {
    type Row = (Uuid, String, DeliveryState, i32, Option<DateTime<Utc>>, Option<String>, DateTime<Utc>);
    let rows: Vec<Row> = sqlx::query_as(DELIVERIES).bind(exchange.uuid()).fetch_all(db).await?;
    let status = |(id, destination, state, attempts, due, note, updated_at)| {
        let id = DeliveryId::from_uuid(id)?;
        Some(DeliveryStatus { id, destination, state, attempts, due, note, location: None, updated_at })
    };
    Ok(rows.into_iter().filter_map(status).collect())
}

/// The exchange that holds a message id, with the hash of its request.
///
/// # Errors
/// When the database does not answer.
pub async fn holder(
    db: &mut PgConnection,
    source: &str,
    endpoint: &str,
    message_id: Uuid,
) -> sqlx::Result<Option<(Uuid, Vec<u8>)>> {
    sqlx::query_as(HOLDER).bind(source).bind(endpoint).bind(message_id.to_string()).fetch_optional(db).await
}
