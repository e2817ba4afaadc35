//! TLS from files: of a door, such as `[http.tls]`, and to a partner.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// TLS of a door.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file with our certificate and those between it and the root; empty: no TLS.
    #[serde(default)]
    pub certificate: PathBuf,
    /// PEM file with its private key.
    #[serde(default)]
    pub key: PathBuf,
    /// PEM file with the authorities that sign certificates of sources; empty: none is asked for.
    #[serde(default)]
    pub client_authorities: PathBuf,
    /// Whether a connection without a client certificate is refused.
    #[serde(default)]
    pub client_certificate_needed: bool,
}

impl Tls {
    /// Whether the door speaks TLS.
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

/// TLS to a partner.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerTls {
    /// PEM file with the authorities that may have signed the partner's certificate.
    pub authorities: PathBuf,
    /// PEM file with our certificate, when the partner asks for one.
    #[serde(default)]
    pub certificate: PathBuf,
    /// PEM file with its private key.
    #[serde(default)]
    pub key: PathBuf,
    /// Name in the partner's certificate, when it is not the host we connect to.
    #[serde(default)]
    pub name: String,
}
