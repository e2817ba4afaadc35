//! What journeys stand on: a fresh migrated database per test on one shared server, and the real application on it.

pub(crate) mod database;
pub(crate) mod gateway;
pub(crate) mod require;

pub(crate) use gateway::TestGateway;
