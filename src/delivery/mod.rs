//! Delivery: what a destination is, and the worker that leases, sends and settles.

pub mod destination;
