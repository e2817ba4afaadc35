-- People and proofs: who may use the pages, who is signed in, which single-use tokens have been used, and which
-- destinations an operator has paused.
--
-- State, not history: what people do is in the register (audit), where nothing is changed.

-- Nothing is leased for a paused destination; what comes for it waits.
alter table destinations
    add column paused_at timestamptz,
    add column paused_by text,
    add column paused_because text;

create table operators (
    name           text primary key,
    -- argon2id, in the PHC format
    password_hash  text not null,
    role           text not null,
    created_at     timestamptz not null,
    check (role in ('viewer', 'operator', 'engineer', 'auditor'))
);

create table sessions (
    -- SHA-256 of the cookie's value
    token_hash  bytea primary key,
    operator    text not null references operators (name) on delete cascade,
    created_at  timestamptz not null,
    used_at     timestamptz not null
);
create index sessions_operator on sessions (operator);

-- Tokens of issuers that are good for one request, until they have expired anyway.
create table used_tokens (
    issuer      text not null,
    token       text not null,
    expires_at  timestamptz not null,
    primary key (issuer, token)
);
create index used_tokens_expires_at on used_tokens (expires_at);
