//! Rows as a batch hands them to Postgres: composite types, made in `migrations/0006_written_rows.sql`. Fields stand in the
//! order of the type.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::Postgres;
use sqlx::postgres::{PgHasArrayType, PgTypeInfo};
use uuid::Uuid;

use super::message_keys::Claim;
use crate::exchange::rows::{BodyRow, DeliveryRow, ExchangeRow};
use crate::exchange::{Conditions, OdsCode};

/// Names the composite type of a row.
macro_rules! composite {
    ($($row:ident $name:literal)*) => {$(
        impl sqlx::Type<Postgres> for $row<'_> {
            fn type_info() -> PgTypeInfo {
                PgTypeInfo::with_name($name)
            }
        }

        impl PgHasArrayType for $row<'_> {
            fn array_type_info() -> PgTypeInfo {
                PgTypeInfo::array_of($name)
            }
        }
    )*};
}

composite! {
    WrittenClaim "written_claim"
    WrittenExchange "written_exchange"
    WrittenExchangeKey "written_exchange_key"
    WrittenBody "written_body"
    WrittenDelivery "written_delivery"
    WrittenDeliveryKey "written_delivery_key"
}

/// Of `message_keys`.
#[derive(sqlx::Encode)]
pub(super) struct WrittenClaim<'b> {
    source: &'b str,
    endpoint: &'b str,
    message_id: String,
    body_hash: &'b [u8],
    exchange: Uuid,
}

impl<'b> WrittenClaim<'b> {
    pub(super) fn of(claim: &Claim<'b>) -> Self {
        Self {
            source: claim.source,
            endpoint: claim.endpoint,
            message_id: claim.message_id.to_string(),
            body_hash: claim.body_hash,
            exchange: claim.exchange.uuid(),
        }
    }
}

/// Of `exchanges`, and what `audit` says of it.
#[derive(sqlx::Encode)]
pub(super) struct WrittenExchange<'b> {
    id: Uuid,
    received_at: DateTime<Utc>,
    endpoint: &'b str,
    source: &'b str,
    ods: &'b str,
    end_user_ods: Option<&'b str>,
    request_id: Option<Uuid>,
    correlation_id: &'b str,
    interaction: &'b str,
    resource_type: Option<&'b str>,
    outcome: &'b str,
    status: i16,
    routes: serde_json::Value,
    issues: &'b serde_json::Value,
    body_hash: &'b [u8],
    body_length: i64,
    body_retention: Option<&'b str>,
    packs: &'b str,
}

impl<'b> WrittenExchange<'b> {
    pub(super) fn of(row: &'b ExchangeRow) -> Self {
        Self {
            id: row.id.uuid(),
            received_at: row.received_at,
            endpoint: &row.endpoint,
            source: &row.sender.source,
            ods: row.sender.ods.as_str(),
            end_user_ods: row.end_user_ods.as_ref().map(OdsCode::as_str),
            request_id: row.ids.request,
            correlation_id: &row.ids.correlation,
            interaction: &row.interaction,
            resource_type: row.resource_type.as_deref(),
            outcome: row.outcome.as_str(),
            status: i16::try_from(row.status).unwrap_or(i16::MAX),
            routes: row.routes.clone().into(),
            issues: &row.issues,
            body_hash: &row.body_hash,
            body_length: i64::try_from(row.body_length).unwrap_or(i64::MAX),
            body_retention: row.body.as_ref().map(|body| body.retention),
            packs: &row.packs,
        }
    }
}

/// Of `exchange_keys`.
#[derive(sqlx::Encode)]
pub(super) struct WrittenExchangeKey<'b> {
    key: &'b [u8],
    exchange: Uuid,
}

impl<'b> WrittenExchangeKey<'b> {
    pub(super) fn all_of(row: &'b ExchangeRow) -> impl Iterator<Item = Self> {
        row.keys.iter().map(|key| Self { key, exchange: row.id.uuid() })
    }
}

/// Of `bodies`.
#[derive(sqlx::Encode)]
pub(super) struct WrittenBody<'b> {
    retention: &'b str,
    day: NaiveDate,
    exchange: Uuid,
    content: &'b [u8],
    conditions: serde_json::Value,
}

impl<'b> WrittenBody<'b> {
    pub(super) fn of(row: &'b ExchangeRow) -> Option<Self> {
        let BodyRow { retention, content, conditions } = row.body.as_ref()?;
        let Conditions { if_none_exist, if_match } = conditions;
        let named = [("if_none_exist", if_none_exist), ("if_match", if_match)];
        let given = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?.into())));
        Some(Self {
            retention,
            day: row.received_at.date_naive(),
            exchange: row.id.uuid(),
            content,
            conditions: serde_json::Value::Object(given.collect()),
        })
    }
}

/// Of `deliveries`.
#[derive(sqlx::Encode)]
pub(super) struct WrittenDelivery<'b> {
    id: Uuid,
    exchange: Uuid,
    destination: i32,
    route: &'b str,
    options: &'b serde_json::Value,
    keys: Vec<u8>,
    give_up_at: DateTime<Utc>,
    at: DateTime<Utc>,
    held: Option<&'b str>,
    first: bool,
}

impl<'b> WrittenDelivery<'b> {
    pub(super) fn of(row: &ExchangeRow, delivery: &'b DeliveryRow, first: bool) -> Self {
        Self {
            id: delivery.id.uuid(),
            exchange: row.id.uuid(),
            destination: delivery.destination,
            route: &delivery.route,
            options: &delivery.options,
            keys: delivery.keys.concat(),
            give_up_at: delivery.give_up_at,
            at: row.received_at,
            held: delivery.held.as_deref(),
            first,
        }
    }
}

/// Of `delivery_keys`.
#[derive(sqlx::Encode)]
pub(super) struct WrittenDeliveryKey<'b> {
    destination: i32,
    key: &'b [u8],
    number: i64,
}

impl<'b> WrittenDeliveryKey<'b> {
    pub(super) fn all_of(number: i64, delivery: &'b DeliveryRow) -> impl Iterator<Item = Self> {
        delivery.keys.iter().map(move |key| Self { destination: delivery.destination, key, number })
    }
}
