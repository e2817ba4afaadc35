//! All SQL, one file per table: free functions on `&mut PgConnection`; callers own the transaction.

pub mod acts;
pub mod attempts;
pub mod audit;
pub mod bodies;
pub mod deliveries;
pub mod destinations;
pub mod exchanges;
pub mod message_keys;
pub mod ordering;
pub mod reconciliation;
pub mod reports;
pub mod schema;
pub mod server;
pub mod stories;
