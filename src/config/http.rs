//! `[http]`: the FHIR front door.

use std::net::SocketAddr;

use serde::{Deserialize, Deserializer};

use super::text::parsed;
use super::units::{Period, Size};

/// The `[http]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address to listen on; loopback only.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// Base URL in answers, such as `https://gateway.trust.nhs.uk/fhir`; empty: made from `listen`.
    pub base_url: String,
    /// Longest body.
    pub max_body: Size,
    /// Most entries of a batch.
    pub max_entries: usize,
    /// Deepest nesting of a body.
    pub max_depth: u32,
    /// Longest time for a request to arrive and be answered.
    pub timeout: Period,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    parsed(deserializer, "an address and a port, such as \"127.0.0.1:8080\"")
}
