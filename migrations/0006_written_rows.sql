-- One array of rows for each table that a batch writes, instead of one array for each column: a row is then taken apart once,
-- and not put together from twenty lists. These types are the shapes of those rows, and of nothing that is stored.

create type written_claim as (source text, endpoint text, message_id text, body_hash bytea, exchange uuid);

create type written_exchange as (
    id              uuid,
    received_at     timestamptz,
    endpoint        text,
    source          text,
    ods             text,
    end_user_ods    text,
    request_id      uuid,
    correlation_id  text,
    interaction     text,
    resource_type   text,
    outcome         text,
    status          smallint,
    routes          jsonb,
    issues          jsonb,
    body_hash       bytea,
    body_length     bigint,
    body_retention  text,
    packs           text
);

create type written_exchange_key as (key bytea, exchange uuid);

create type written_body as (retention text, day date, exchange uuid, content bytea, conditions jsonb);

create type written_delivery as (
    id           uuid,
    exchange     uuid,
    destination  integer,
    route        text,
    options      jsonb,
    keys         bytea,
    give_up_at   timestamptz,
    at           timestamptz,
    -- why it is in quarantine
    held         text,
    -- none of those that are being written is before it
    first        boolean
);

-- `number`: of its delivery in the batch, from 1.
create type written_delivery_key as (destination integer, key bytea, number bigint);

-- The message id first: it tells almost all apart, and the names before it were compared at every step for nothing.
alter table message_keys drop constraint message_keys_pkey, add primary key (message_id, source, endpoint);
