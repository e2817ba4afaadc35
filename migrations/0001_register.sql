-- The register and the backlog, as they must stay.
--
-- The register (exchanges, exchange_keys, attempts, audit) is history: it is inserted into and read, and triggers refuse
-- everything else whoever asks. Bodies live apart, partitioned by retention class and UTC day, so that they can be
-- dropped by partition while metadata and hashes stay. Deliveries are state and are updated.
--
-- No column outside `bodies` holds an identifier of a patient in clear: keys are HMAC-SHA256 values made with the
-- secret whose number is `key_id`.

create type exchange_outcome as enum ('accepted', 'refused', 'validated');

create type delivery_state as enum (
    'waiting', 'ready', 'leased', 'parked', 'unknown',
    'delivered', 'refused', 'dead', 'expired', 'cancelled', 'skipped'
);

create type attempt_outcome as enum ('acknowledged', 'transient', 'refused', 'unknown');

-- One message, whatever its end.
create table exchanges (
    id              uuid primary key,
    received_at     timestamptz not null,
    endpoint        text not null,
    source          text not null,
    ods             text not null,
    end_user_ods    text,
    request_id      uuid,
    correlation_id  text not null,
    interaction     text not null,
    resource_type   text,
    outcome         exchange_outcome not null,
    -- HTTP status of the answer; other protocols map it by the rejection table
    status          smallint not null,
    -- names of the routes that matched, in order
    routes          jsonb not null,
    issues          jsonb not null,
    body_hash       bytea not null,
    body_length     bigint not null,
    -- where the body is; null when none was kept
    body_retention  text,
    body_day        date,
    config_hash     text not null,
    packs           text not null
);
create index exchanges_request_id on exchanges (request_id) where request_id is not null;

-- Finds the exchanges of one patient (or other keyed resource).
create table exchange_keys (
    key       bytea not null,
    exchange  uuid not null,
    key_id    integer not null,
    primary key (key, exchange)
);

-- Bodies and the sender's preconditions (which may name a patient), dropped by partition.
create table bodies (
    retention   text not null,
    day         date not null,
    exchange    uuid not null,
    content     bytea not null,
    conditions  jsonb not null,
    -- the key it is encrypted with; null: not encrypted
    key_id      integer,
    primary key (retention, day, exchange)
) partition by list (retention);
create table bodies_accepted partition of bodies for values in ('accepted') partition by range (day);
create table bodies_refused partition of bodies for values in ('refused') partition by range (day);

-- Names of the configured destinations; a number keeps the keys of the backlog short.
create table destinations (
    id    integer generated always as identity primary key,
    name  text not null unique
);

-- Numbers of the secrets that keys were made with; the newest is in use.
create table search_keys (
    key_id         integer primary key,
    introduced_at  timestamptz not null
);

create sequence delivery_seq as bigint;

-- One exchange for one destination. `seq` is given when the batch is formed: of two exchanges the one received after
-- the other was acknowledged has the higher one.
create table deliveries (
    seq          bigint primary key,
    id           uuid not null unique,
    exchange     uuid not null,
    destination  integer not null references destinations (id),
    route        text not null,
    options      jsonb not null,
    -- HMAC values of all its keys, 32 bytes each, so that its place in the order can be taken again on a retry
    keys         bytea not null,
    key_id       integer not null,
    state        delivery_state not null,
    -- when it goes next; infinity: when an operator says so
    due          timestamptz not null,
    give_up_at   timestamptz not null,
    attempts     integer not null default 0,
    leased_by    uuid,
    lease_until  timestamptz,
    note         text,
    created_at   timestamptz not null,
    updated_at   timestamptz not null
) with (
    -- lease and settle update the same rows again and again: keep the partial index short
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 1
);
create index deliveries_due on deliveries (destination, due, seq) where state in ('ready', 'unknown');
create index deliveries_leased on deliveries (lease_until) where state = 'leased';
create index deliveries_unsettled on deliveries (destination, state) where state <> 'delivered';
create index deliveries_exchange on deliveries (exchange);

-- Keys of unsettled deliveries: a delivery may go when it has the lowest seq of each of its keys.
create table delivery_keys (
    destination  integer not null,
    key          bytea not null,
    seq          bigint not null,
    primary key (destination, key, seq)
) with (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 1
);
create index delivery_keys_seq on delivery_keys (seq);

-- One row per attempt to deliver.
create table attempts (
    delivery    uuid not null,
    number      integer not null,
    started_at  timestamptz not null,
    ended_at    timestamptz not null,
    outcome     attempt_outcome not null,
    code        text not null,
    note        text not null,
    node        uuid not null,
    primary key (delivery, number)
);

-- Recognises a message that is sent again. Not partitioned: the key must be unique over all days.
create table message_keys (
    source      text not null,
    endpoint    text not null,
    message_id  text not null,
    body_hash   bytea not null,
    exchange    uuid not null,
    seen_at     timestamptz not null,
    primary key (source, endpoint, message_id)
);
create index message_keys_seen_at on message_keys (seen_at);

-- The train register: one row per exchange, per attempt and per act of an operator.
create table audit (
    seq             bigint generated always as identity primary key,
    -- the commit this row came with; seals are made per batch
    batch           uuid not null,
    at              timestamptz not null,
    started_at      timestamptz not null,
    event           text not null,
    outcome         text not null,
    status          smallint,
    code            text,
    exchange        uuid,
    delivery        uuid,
    attempt         integer,
    endpoint        text,
    source          text,
    ods             text,
    end_user_ods    text,
    request_id      uuid,
    correlation_id  text,
    destination     text,
    -- operator's name, and why
    actor           text,
    reason          text,
    -- of refusals before a source is known
    address         inet,
    count           integer,
    body_hash       bytea,
    config_hash     text not null,
    packs           text not null
);
create index audit_exchange on audit (exchange) where exchange is not null;

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the register is append-only: % on % refused', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;

create trigger append_only before update or delete or truncate on exchanges
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on exchange_keys
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on attempts
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on audit
    for each statement execute function refuse_change();
