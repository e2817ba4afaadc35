//! All SQL, one file per table (and `batch`, the one statement that writes to many): free functions on `&mut PgConnection`;
//! callers own the transaction.

pub mod acts;
pub mod attempts;
pub mod audit;
pub mod batch;
pub mod bodies;
pub mod deliveries;
pub mod destinations;
pub mod exchanges;
pub mod message_keys;
pub mod operators;
pub mod ordering;
pub mod overview;
pub mod pauses;
pub mod quarantine;
pub mod reconciliation;
pub mod reports;
pub mod schema;
pub mod server;
pub mod stories;
pub mod tasks;
pub mod used_tokens;
pub mod watch;

mod written;

/// Every statement the store runs, for the test that prepares them on the migrated schema. `tests/tidy.rs` checks that
/// none is missing.
#[must_use]
pub fn statements() -> Vec<&'static str> {
    [moving(), asked()].concat()
}

/// What moves messages.
fn moving() -> Vec<&'static str> {
    vec![
        acts::LOCK,
        acts::SET,
        acts::TAKE_PLACE,
        acts::EXTEND,
        acts::NOTIFY,
        attempts::INSERT,
        attempts::RECORDED,
        audit::INSERT,
        batch::WRITE,
        bodies::FETCH,
        bodies::PARTITIONS,
        bodies::NEEDED_DAYS,
        deliveries::LEASE,
        deliveries::NEXT,
        deliveries::HASTEN,
        deliveries::SETTLE,
        deliveries::LOST,
        destinations::REGISTER,
        destinations::LIST,
        destinations::RENAME,
        destinations::REGISTER_KEY,
        destinations::OTHER_KEYS_WAITING,
        exchanges::EXISTS,
        exchanges::OF_DELIVERY,
        message_keys::CLAIM,
        message_keys::HOLDERS,
        message_keys::FORGET,
        ordering::KEYS_OF,
        ordering::RELEASE,
        ordering::PROMOTE,
        ordering::SWEEP,
        used_tokens::CLAIM,
        used_tokens::FORGET,
    ]
}

/// What people ask and do, and those who watch.
fn asked() -> Vec<&'static str> {
    vec![
        operators::ADD,
        operators::SET_PASSWORD,
        operators::END_SESSIONS_OF,
        operators::REMOVE,
        operators::LIST,
        operators::FIND,
        operators::ANY,
        operators::OPEN_SESSION,
        operators::USE_SESSION,
        operators::END_SESSION,
        operators::END_OLD_SESSIONS,
        overview::DESTINATIONS,
        overview::LAST_FAILURES,
        overview::DOOR,
        overview::DEAD_LETTERS,
        overview::DEAD_LETTERS_OF,
        overview::BODY,
        pauses::PAUSE,
        pauses::RESUME,
        pauses::EXISTS,
        quarantine::LIST,
        quarantine::COUNT,
        quarantine::IS_HELD,
        quarantine::LOCK,
        quarantine::KEYS,
        quarantine::RELEASE,
        quarantine::REFUSE,
        reconciliation::OPEN,
        reconciliation::UNAUDITED_EXCHANGES,
        reconciliation::UNAUDITED_ATTEMPTS,
        reconciliation::STORED,
        reconciliation::STATES,
        reports::EXCHANGE,
        reports::DELIVERIES,
        reports::HOLDER,
        stories::LIST,
        stories::LIST_OF_KEY,
        stories::LIST_OF_REQUEST,
        stories::LIST_OF_CORRELATION,
        stories::LIST_OF_OWN_CORRELATION,
        stories::LIST_NOT_ACCEPTED,
        stories::LIST_NOT_DELIVERED,
        stories::EXCHANGE,
        stories::DELIVERIES,
        stories::ATTEMPTS,
        stories::BEFORE,
        stories::ACTS,
        tasks::SEARCH,
        tasks::SEARCH_IDENTIFIER,
        tasks::SEARCH_OWN_IDENTIFIER,
        watch::BACKLOG,
        watch::SCHEMA,
        watch::PARTITIONS,
    ]
}
