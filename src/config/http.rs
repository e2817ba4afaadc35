//! `[http]`: the FHIR front door.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::text::{self, parsed};
use super::tls::Tls;
use super::units::{Period, Size};

/// The `[http]` section.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address to listen on. Another than loopback needs TLS, or a proxy that has it.
    #[serde(deserialize_with = "address")]
    #[schemars(with = "text::Address")]
    pub listen: SocketAddr,
    /// Base URL in answers, such as `https://gateway.trust.nhs.uk/fhir`, without query and fragment; empty: made from
    /// `listen`, which leads nowhere when that is `0.0.0.0` or a proxy stands before it.
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
    /// Longest head of a request.
    pub max_header: Size,
    /// Most connections at once.
    #[schemars(range(min = 1))]
    pub connections: usize,
    /// Longest time for a request to arrive and be answered.
    pub timeout: Period,
    /// Longest time for a TLS handshake, or for the head of a request, also the next one on an open connection.
    pub head_timeout: Period,
    /// Longest silence within a body.
    pub body_pause: Period,
    /// How long the answer waits for destinations that a route marks `reply`, when the sender names no time.
    pub wait: Period,
    /// A proxy on the way in speaks TLS for us and tells the address of the client in `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// TLS.
    pub tls: Tls,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    parsed(deserializer, text::ADDRESS)
}
