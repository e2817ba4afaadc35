//! `[identity]`: how patients are recognised and found again without storing their numbers.

use schemars::JsonSchema;
use serde::Deserialize;

use super::secret::Secret;

/// The `[identity]` section.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Secret of the keyed hash (HMAC-SHA256), 32 bytes or more; empty: generated once in the data folder.
    pub search_key: Secret,
    /// Identifier system assumed when an operator searches for a bare number.
    pub patient_system: String,
}
