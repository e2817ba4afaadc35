//! What a batch of messages writes, in ONE statement and so in one commit (P1): claims of message ids, exchanges with
//! their keys, bodies, deliveries with their places in the order, and the register. One round trip to the database,
//! however many messages share it; see [decision 17](../../docs/adr/0017-one-statement-a-batch.md). What nothing stands
//! before is ready at once; see [decision 19](../../docs/adr/0019-ready-when-nothing-is-before-it.md).

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::message_keys::Claim;
use crate::exchange::rows::{BodyRow, DeliveryRow, ExchangeOutcome, ExchangeRow};
use crate::exchange::{Conditions, OdsCode};

// Deliveries take their numbers in the order of the batch, and their keys take them over by place. `limit 1` keeps the
// planner at one look into the index for each key, however old its figures are.
pub(super) const WRITE: &str = "
with claimed as (
    insert into message_keys (source, endpoint, message_id, body_hash, exchange, seen_at)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::uuid[], $6::timestamptz[])
), message as (
    select *, (received_at at time zone 'UTC')::date as day
      from unnest($7::uuid[], $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[], $13::uuid[],
                  $14::text[], $15::text[], $16::text[], $17::exchange_outcome[], $18::smallint[], $19::jsonb[],
                  $20::jsonb[], $21::bytea[], $22::bigint[], $23::text[], $42::text[])
           as t (id, received_at, endpoint, source, ods, end_user_ods, request_id, correlation_id, interaction,
                 resource_type, outcome, status, routes, issues, body_hash, body_length, retention, packs)
), exchange as (
    insert into exchanges (id, received_at, endpoint, source, ods, end_user_ods, request_id, correlation_id,
                           interaction, resource_type, outcome, status, routes, issues, body_hash, body_length,
                           body_retention, body_day, config_hash, packs)
    select id, received_at, endpoint, source, ods, end_user_ods, request_id, correlation_id, interaction,
           resource_type, outcome, status, routes, issues, body_hash, body_length, retention,
           case when retention is not null then day end, $41, packs
      from message
), exchange_key as (
    insert into exchange_keys (key, exchange, key_id)
    select key, exchange, $43 from unnest($24::bytea[], $25::uuid[]) as t (key, exchange)
), body as (
    insert into bodies (retention, day, exchange, content, conditions)
    select retention, (received_at at time zone 'UTC')::date, exchange, content, conditions
      from unnest($26::text[], $27::timestamptz[], $28::uuid[], $29::bytea[], $30::jsonb[])
           as t (retention, received_at, exchange, content, conditions)
), place as (
    select array_agg(nextval('delivery_seq')) as seqs from generate_series(1, $47::integer)
), behind as (
    select t.number
      from unnest($39::integer[], $40::bytea[], $46::bigint[]) as t (destination, key, number)
     cross join lateral (
           select from delivery_keys k where (k.destination, k.key) = (t.destination, t.key) limit 1) as earlier
), delivery as (
    insert into deliveries (seq, id, exchange, destination, route, options, keys, key_id, state, due, give_up_at,
                            note, created_at, updated_at)
    select seqs[number], id, exchange, destination, route, options, keys, $43,
           case when held is not null then 'quarantined'::delivery_state
                when first and not number = any (array(select number from behind)) then 'ready' else 'waiting' end,
           case when held is not null then 'infinity' else at end, give_up_at, held, at, at
      from place, unnest($31::uuid[], $32::uuid[], $33::integer[], $34::text[], $35::jsonb[], $36::bytea[],
                         $37::timestamptz[], $38::timestamptz[], $48::text[], $49::boolean[])
           with ordinality as t (id, exchange, destination, route, options, keys, give_up_at, at, held, first, number)
    returning id, state
), delivery_key as (
    insert into delivery_keys (destination, key, seq)
    select destination, key, seqs[number]
      from place, unnest($39::integer[], $40::bytea[], $46::bigint[]) as t (destination, key, number)
), register as (
    insert into audit (batch, at, started_at, event, outcome, status, exchange, endpoint, source, ods, end_user_ods,
                       request_id, correlation_id, body_hash, config_hash, packs)
    select $44, $45, received_at, 'exchange', outcome::text, status, id, endpoint, source, ods, end_user_ods,
           request_id, correlation_id, body_hash, $41, packs
      from message
)
select id from delivery where state = 'waiting'";

/// Under what a batch is written.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'b> {
    /// Hash of the configuration (P8).
    pub config_hash: &'b str,
    /// Number of the secret that keys were made with.
    pub key_id: i32,
    /// The batch, in the register.
    pub batch: Uuid,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Writes messages and what comes of them, in their order. Message ids are claimed in the order given, which must be
/// sorted and without repeats, or two writers deadlock. `first` says for each delivery, in order, that none of those that
/// are being written at once shares a key with it and comes before it; with nothing before it in the database either it
/// is ready. Returns the ids of those that wait: their keys must be promoted after the commit.
///
/// # Errors
/// When the database refuses; [`is_claimed`] tells whether because somebody holds one of the message ids. Nothing is
/// written then.
pub async fn write(
    db: &mut PgConnection,
    rows: &[&ExchangeRow],
    claims: &[Claim<'_>],
    first: &[bool],
    stamp: Stamp<'_>,
) -> sqlx::Result<Vec<Uuid>> {
    let deliveries: Vec<(&ExchangeRow, &DeliveryRow)> =
        rows.iter().flat_map(|row| row.deliveries.iter().map(|each| (*row, each))).collect();
    let query = message(claimed(sqlx::query(WRITE), claims), rows);
    let query = delivery(body(exchange_key(query, rows), rows), &deliveries);
    let query = query
        .bind(stamp.config_hash)
        .bind(rows.iter().map(|row| &*row.packs).collect::<Vec<_>>())
        .bind(stamp.key_id)
        .bind(stamp.batch)
        .bind(stamp.at);
    let count = i32::try_from(deliveries.len()).unwrap_or(i32::MAX);
    let held: Vec<Option<&str>> = deliveries.iter().map(|(_, each)| each.held.as_deref()).collect();
    let waiting = query.bind(places(&deliveries)).bind(count).bind(held).bind(first).fetch_all(db).await?;
    waiting.iter().map(|row| row.try_get(0)).collect()
}

/// Whether an error of [`write`] says that a message id is taken.
#[must_use]
pub fn is_claimed(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.constraint() == Some("message_keys_pkey"))
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn claimed<'q>(query: Query<'q>, claims: &[Claim<'q>]) -> Query<'q> {
    query
        .bind(claims.iter().map(|claim| claim.source).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.endpoint).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.message_id.to_string()).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| &claim.body_hash[..]).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.exchange.uuid()).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.seen_at).collect::<Vec<_>>())
}

fn message<'q>(query: Query<'q>, rows: &[&'q ExchangeRow]) -> Query<'q> {
    query
        .bind(rows.iter().map(|row| row.id.uuid()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.received_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| &*row.endpoint).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.sender.source.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.sender.ods.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.end_user_ods.as_ref().map(OdsCode::as_str)).collect::<Vec<_>>())
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
}

fn exchange_key<'q>(query: Query<'q>, rows: &[&'q ExchangeRow]) -> Query<'q> {
    let keys = rows.iter().flat_map(|row| row.keys.iter().map(|key| (&key[..], row.id.uuid())));
    let (keys, exchanges): (Vec<_>, Vec<_>) = keys.unzip();
    query.bind(keys).bind(exchanges)
}

fn body<'q>(query: Query<'q>, rows: &[&'q ExchangeRow]) -> Query<'q> {
    let kept: Vec<(&ExchangeRow, &BodyRow)> =
        rows.iter().filter_map(|row| row.body.as_ref().map(|body| (*row, body))).collect();
    let conditions = |Conditions { if_none_exist, if_match }: &Conditions| {
        let named = [("if_none_exist", if_none_exist), ("if_match", if_match)];
        let given = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?.into())));
        serde_json::Value::Object(given.collect())
    };
    query
        .bind(kept.iter().map(|(_, body)| body.retention).collect::<Vec<_>>())
        .bind(kept.iter().map(|(row, _)| row.received_at).collect::<Vec<_>>())
        .bind(kept.iter().map(|(row, _)| row.id.uuid()).collect::<Vec<_>>())
        .bind(kept.iter().map(|(_, body)| &body.content[..]).collect::<Vec<_>>())
        .bind(kept.iter().map(|(_, body)| conditions(&body.conditions)).collect::<Vec<_>>())
}

fn delivery<'q>(query: Query<'q>, deliveries: &[(&'q ExchangeRow, &'q DeliveryRow)]) -> Query<'q> {
    let keyed = || deliveries.iter().flat_map(|(_, each)| each.keys.iter().map(|key| (each.destination, &key[..])));
    query
        .bind(deliveries.iter().map(|(_, each)| each.id.uuid()).collect::<Vec<_>>())
        .bind(deliveries.iter().map(|(row, _)| row.id.uuid()).collect::<Vec<_>>())
        .bind(deliveries.iter().map(|(_, each)| each.destination).collect::<Vec<_>>())
        .bind(deliveries.iter().map(|(_, each)| each.route.as_str()).collect::<Vec<_>>())
        .bind(deliveries.iter().map(|(_, each)| &each.options).collect::<Vec<_>>())
        .bind(deliveries.iter().map(|(_, each)| each.keys.concat()).collect::<Vec<_>>())
        .bind(deliveries.iter().map(|(_, each)| each.give_up_at).collect::<Vec<_>>())
        .bind(deliveries.iter().map(|(row, _)| row.received_at).collect::<Vec<_>>())
        .bind(keyed().map(|(destination, _)| destination).collect::<Vec<_>>())
        .bind(keyed().map(|(_, key)| key).collect::<Vec<_>>())
}

/// The number of the delivery that each key belongs to, from 1.
fn places(deliveries: &[(&ExchangeRow, &DeliveryRow)]) -> Vec<i64> {
    (1_i64..).zip(deliveries).flat_map(|(number, (_, each))| each.keys.iter().map(move |_| number)).collect()
}
