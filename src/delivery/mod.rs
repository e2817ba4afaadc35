//! Delivery: what a destination is, and the worker that leases, sends and settles.

pub mod body_schema;
pub mod breaker;
pub mod destination;
pub mod operator;
pub mod policy;
pub mod promoter;
pub mod quarantine;
pub mod replies;
pub mod settle;
pub mod standing;
pub mod sweeper;
pub mod worker;
