//! `[issuers.NAME]`: an identity provider whose signed tokens prove sources
//! ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)).

use schemars::JsonSchema;
use serde::Deserialize;

use super::units::Period;

/// One issuer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The claim `iss`, exactly.
    pub issuer: String,
    /// What the claim `aud` must name: us.
    pub audience: String,
    /// Its keys (JWKS, [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)): an https:// address, or a file.
    pub jwks: String,
    /// The claim that names the source.
    #[serde(default = "subject")]
    pub claim: String,
    /// Longest time from now to a token's end.
    #[serde(default = "an_hour")]
    pub longest: Period,
    /// Whether a token (by its claim `jti`) is good for one request only.
    #[serde(default)]
    pub once: bool,
}

/// How a source is named in the tokens of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Name of an `[issuers.NAME]`.
    pub issuer: String,
    /// Value of the issuer's claim.
    pub subject: String,
}

fn subject() -> String {
    "sub".to_owned()
}

fn an_hour() -> Period {
    Period(std::time::Duration::from_hours(1))
}
