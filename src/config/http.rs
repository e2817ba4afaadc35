//! `[http]`: the FHIR front door.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::text::{self, parsed};
use super::units::{Period, Size};

/// The `[http]` section.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address to listen on; loopback only.
    #[serde(deserialize_with = "address")]
    #[schemars(with = "text::Address")]
    pub listen: SocketAddr,
    /// Base URL in answers, such as `https://gateway.trust.nhs.uk/fhir`; empty: made from `listen`.
    #[schemars(regex(pattern = "^(https?://.*)?$"), extend("x-expected" = "a URL that begins with https:// or http://"))]
    pub base_url: String,
    /// Longest body.
    pub max_body: Size,
    /// Most entries of a batch.
    #[schemars(range(min = 1))]
    pub max_entries: usize,
    /// Deepest nesting of a body.
    #[schemars(range(min = 1))]
    pub max_depth: u32,
    /// Longest time for a request to arrive and be answered.
    pub timeout: Period,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    parsed(deserializer, text::ADDRESS)
}
