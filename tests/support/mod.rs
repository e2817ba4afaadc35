//! What journeys stand on: a fresh migrated database per test on one shared server, and the real application on it.

pub(crate) mod adapters;
pub(crate) mod authority;
pub(crate) mod database;
pub(crate) mod deliveries;
pub(crate) mod gateway;
pub(crate) mod gateway_process;
pub(crate) mod guides;
pub(crate) mod log;
pub(crate) mod lost_commit;
pub(crate) mod mllp_peer;
pub(crate) mod mllp_sender;
pub(crate) mod packages;
pub(crate) mod peers;
pub(crate) mod people;
pub(crate) mod require;
pub(crate) mod second_process;
pub(crate) mod terminology;
pub(crate) mod test_server;

pub(crate) use deliveries::{ADA, BEN, patient};
pub(crate) use gateway::TestGateway;
pub(crate) use mllp_peer::{Answer, MllpPeer};
pub(crate) use mllp_sender::{DOOR, MllpSender, ack_of, adt};
