//! `[sources.NAME]`: a partner that may send, how it proves itself and what it may ask of us.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

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
    /// What its messages are checked by, beside the base of R4: `uk-core`, which the program carries; FHIR packages as
    /// `name@version`, added by `signalbox package add` and loaded with those they start from; and packages (.tgz),
    /// folders and files of resources by their path from the configuration folder. A later one wins over an earlier one,
    /// and all of them over what the program carries.
    #[serde(default = "packages")]
    pub packages: Vec<String>,
    /// Resource type -> canonicals of profiles that its resources of that type must meet, also in entries of a Bundle,
    /// besides those they claim.
    #[serde(default)]
    #[schemars(with = "BTreeMap<text::TypeName, Vec<String>>")]
    pub profiles: BTreeMap<String, Vec<String>>,
    /// What becomes of a message that is not valid: in which an error was found.
    #[serde(default = "reject")]
    pub on_error: Verdict,
    /// What becomes of a valid message in which a warning was found.
    #[serde(default = "accept")]
    pub on_warning: Verdict,
    /// What it may ask of us.
    #[serde(default)]
    pub limits: Limits,
}

/// What becomes of a message in which something was found; of two, the later one here counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is accepted; what was found is told and kept.
    AcceptAndFlag,
    /// It is stored and held, in its place among those of its patients, until an operator releases or refuses it.
    Quarantine,
    /// It is refused.
    Reject,
}

fn packages() -> Vec<String> {
    vec!["uk-core".to_owned()]
}

fn reject() -> Verdict {
    Verdict::Reject
}

fn accept() -> Verdict {
    Verdict::AcceptAndFlag
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
