//! `[sources.NAME]`: a partner that may send.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::exchange::OdsCode;

use super::text::{self, parsed};

/// One source.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// ODS code of the organisation that runs it.
    #[serde(deserialize_with = "ods_code")]
    #[schemars(with = "text::Ods")]
    pub ods: OdsCode,
    /// SHA-256 (hex) of its bearer token, as `signalbox source token` prints it. Several while one is being replaced.
    #[schemars(with = "Vec<text::Sha256>")]
    pub token_sha256: Vec<String>,
}

fn ods_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OdsCode, D::Error> {
    parsed(deserializer, text::ODS)
}
