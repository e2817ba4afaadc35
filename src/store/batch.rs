//! What a batch of messages writes, in ONE statement and so in one commit (P1): claims of message ids, exchanges with
//! their keys, bodies, deliveries with their places in the order, and the register. One round trip to the database,
//! however many messages share it; see [decision 17](../../docs/adr/0017-one-statement-a-batch.md). What nothing stands
//! before is ready at once; see [decision 19](../../docs/adr/0019-ready-when-nothing-is-before-it.md).

use chrono::{DateTime, Utc};
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, PgConnection, Row};
use uuid::Uuid;

use super::message_keys::Claim;
use super::written::{
    WrittenBody, WrittenClaim, WrittenDelivery, WrittenDeliveryKey, WrittenExchange, WrittenExchangeKey,
};
use crate::exchange::rows::ExchangeRow;

// Deliveries take their numbers in the order of the batch, and their keys take them over by place. `limit 1` keeps the
// planner at one look into the index for each key, however old its figures are.
pub(super) const WRITE: &str = "
with claimed as (
    insert into message_keys (source, endpoint, message_id, body_hash, exchange, seen_at)
    select source, endpoint, message_id, body_hash, exchange, $10 from unnest($1::written_claim[])
), message as (
    select * from unnest($2::written_exchange[])
), exchange as (
    insert into exchanges (id, received_at, endpoint, source, ods, end_user_ods, request_id, correlation_id,
                           interaction, resource_type, outcome, status, routes, issues, body_hash, body_length,
                           body_retention, body_day, config_hash, packs)
    select id, received_at, endpoint, source, ods, end_user_ods, request_id, correlation_id, interaction,
           resource_type, outcome::exchange_outcome, status, routes, issues, body_hash, body_length, body_retention,
           case when body_retention is not null then (received_at at time zone 'UTC')::date end, $7, packs
      from message
), exchange_key as (
    insert into exchange_keys (key, exchange, key_id) select key, exchange, $8 from unnest($3::written_exchange_key[])
), body as (
    insert into bodies (retention, day, exchange, content, conditions)
    select retention, day, exchange, content, conditions from unnest($4::written_body[])
), place as (
    select array_agg(nextval('delivery_seq')) as seqs from generate_series(1, cardinality($5::written_delivery[]))
), behind as (
    select t.number
      from unnest($6::written_delivery_key[]) as t
     cross join lateral (
           select from delivery_keys k where (k.destination, k.key) = (t.destination, t.key) limit 1) as earlier
), delivery as (
    insert into deliveries (seq, id, exchange, destination, route, options, keys, key_id, state, due, give_up_at,
                            note, created_at, updated_at)
    select seqs[number], id, exchange, destination, route, options, keys, $8,
           case when held is not null then 'quarantined'::delivery_state
                when first and not number = any (array(select number from behind)) then 'ready' else 'waiting' end,
           case when held is not null then 'infinity' else at end, give_up_at, held, at, at
      from place, unnest($5::written_delivery[]) with ordinality
           as t (id, exchange, destination, route, options, keys, give_up_at, at, held, first, number)
    returning id, state
), delivery_key as (
    insert into delivery_keys (destination, key, seq)
    select destination, key, seqs[number] from place, unnest($6::written_delivery_key[])
), register as (
    insert into audit (batch, at, started_at, event, outcome, status, exchange, endpoint, source, ods, end_user_ods,
                       request_id, correlation_id, body_hash, config_hash, packs)
    select $9, $10, received_at, 'exchange', outcome, status, id, endpoint, source, ods, end_user_ods,
           request_id, correlation_id, body_hash, $7, packs
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

/// About as many bytes as a message takes without its body.
const ROW: usize = 1536;

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
    let deliveries = || rows.iter().flat_map(|row| row.deliveries.iter().map(|each| (*row, each)));
    // One that nobody spoke of waits.
    let firsts = first.iter().copied().chain(std::iter::repeat(false));
    let written = deliveries().zip(firsts).map(|((row, each), first)| WrittenDelivery::of(row, each, first));
    let numbered = (1_i64..).zip(deliveries());
    // Room for all of it at once, or what is written already is copied again and again.
    let mut arguments = PgArguments::default();
    arguments.reserve(10, rows.iter().map(|row| ROW + row.body.as_ref().map_or(0, |body| body.content.len())).sum());
    let waiting = sqlx::query_with(WRITE, arguments)
        .bind(claims.iter().map(WrittenClaim::of).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| WrittenExchange::of(row)).collect::<Vec<_>>())
        .bind(rows.iter().flat_map(|row| WrittenExchangeKey::all_of(row)).collect::<Vec<_>>())
        .bind(rows.iter().filter_map(|row| WrittenBody::of(row)).collect::<Vec<_>>())
        .bind(written.collect::<Vec<_>>())
        .bind(numbered.flat_map(|(number, (_, each))| WrittenDeliveryKey::all_of(number, each)).collect::<Vec<_>>())
        .bind(stamp.config_hash)
        .bind(stamp.key_id)
        .bind(stamp.batch)
        .bind(stamp.at)
        .fetch_all(db)
        .await?;
    waiting.iter().map(|row| row.try_get(0)).collect()
}

/// Whether an error of [`write`] says that a message id is taken.
#[must_use]
pub fn is_claimed(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.constraint() == Some("message_keys_pkey"))
}
