//! `[sources.NAME]`: a partner that may send.

use serde::{Deserialize, Deserializer};

use crate::exchange::OdsCode;

use super::text::parsed;

/// One source.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// ODS code of the organisation that runs it.
    #[serde(deserialize_with = "ods_code")]
    pub ods: OdsCode,
    /// SHA-256 (hex) of its bearer token, as `signalbox source token` prints it. Several while one is being replaced.
    pub token_sha256: Vec<String>,
}

fn ods_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OdsCode, D::Error> {
    parsed(deserializer, "an ODS code, such as \"RX1\"")
}
