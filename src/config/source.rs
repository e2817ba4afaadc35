//! `[sources.NAME]`: a partner that may send, how it proves itself and what it may ask of us.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::exchange::OdsCode;

use super::issuer::Subject;
use super::network::Network;
use super::text::{self, parsed};
use super::units::{Rate, Size};

/// One source. It has a token, a certificate, a subject or an address; with several, any one of them proves it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// ODS code of the organisation that runs it.
    #[serde(deserialize_with = "ods_code")]
    #[schemars(with = "text::Ods")]
    pub ods: OdsCode,
    /// SHA-256 (hex) of its bearer token, as `signalbox source token` prints it. Several while one is being replaced.
    #[serde(default)]
    #[schemars(with = "Vec<text::Sha256>")]
    pub token_sha256: Vec<String>,
    /// DNS names (subject alternative names) of its client certificates.
    #[serde(default)]
    pub certificates: Vec<String>,
    /// Addresses it calls MLLP listeners from. They prove nothing to the FHIR front door.
    #[serde(default)]
    pub addresses: Vec<Network>,
    /// How it is named in tokens of an issuer.
    #[serde(default)]
    pub jwt: Option<Subject>,
    /// What becomes of a message whose `meta.profile` names a profile we do not have.
    #[serde(default)]
    pub unknown_profile: UnknownProfile,
    /// What it may ask of us.
    #[serde(default)]
    pub limits: Limits,
}

/// What a profile means that we do not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownProfile {
    /// The message is accepted, with a warning that nothing was checked against it.
    #[default]
    Warn,
    /// The message is refused.
    Refuse,
}

/// Limits of one source; what is left out is as in `[http]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests in a period; beyond it they are answered 429.
    #[serde(default)]
    pub rate: Option<Rate>,
    /// Requests that may come at once before the rate counts.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub burst: Option<u32>,
    /// Longest body.
    #[serde(default)]
    pub max_body: Option<Size>,
    /// Most entries of a batch.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_entries: Option<usize>,
    /// Deepest nesting of a body.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub max_depth: Option<u32>,
}

fn ods_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OdsCode, D::Error> {
    parsed(deserializer, text::ODS)
}
