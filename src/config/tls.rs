//! `[http.tls]`: TLS of the front door, from files.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// The `[http.tls]` section.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file with our certificate and those between it and the root; empty: no TLS.
    pub certificate: PathBuf,
    /// PEM file with its private key.
    pub key: PathBuf,
    /// PEM file with the authorities that sign certificates of sources; empty: none is asked for.
    pub client_authorities: PathBuf,
    /// Whether a connection without a client certificate is refused.
    pub client_certificate_needed: bool,
}

impl Tls {
    /// Whether the front door speaks TLS.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.certificate.as_os_str().is_empty()
    }

    /// Whether client certificates are asked for.
    #[must_use]
    pub fn asks_clients(&self) -> bool {
        !self.client_authorities.as_os_str().is_empty()
    }
}
