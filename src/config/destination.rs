//! `[destinations.NAME]`: a partner we deliver to. The adapter's own settings stay a table that the adapter reads.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::delivery::Retry;
use super::units::Period;

/// One destination.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// Which adapter: a name of the list in `adapters`.
    #[serde(rename = "type")]
    pub adapter: String,
    /// The name that it had before: what waits under that name goes on under this one, in its order.
    #[serde(default)]
    pub renamed_from: Option<String>,
    /// What that adapter needs; see its documentation. `secret:` references in it are resolved.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub settings: toml::Table,
    /// What a refusal (or a dead letter) does to later messages of the same patient.
    #[serde(default)]
    pub on_reject: OnReject,
    /// What happens when it is unknown whether a message was taken.
    #[serde(default)]
    pub on_unknown: OnUnknown,
    /// Deliveries under way at once.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub concurrency: usize,
    /// Longest wait for the partner's answer.
    #[serde(default)]
    pub timeout: Option<Period>,
    /// File with a JSON Schema that every body must fit; relative to the configuration folder.
    #[serde(default)]
    pub schema: Option<PathBuf>,
    /// When to try again; `[delivery.retry]` for what it does not say.
    #[serde(default)]
    pub retry: Option<Retry>,
}

/// Without the values of the settings: some are secrets.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("adapter", &self.adapter)
            .field("renamed_from", &self.renamed_from)
            .field("settings", &self.settings.keys().collect::<Vec<_>>())
            .field("on_reject", &self.on_reject)
            .field("on_unknown", &self.on_unknown)
            .field("concurrency", &self.concurrency)
            .field("timeout", &self.timeout)
            .field("schema", &self.schema)
            .field("retry", &self.retry)
            .finish()
    }
}

/// What a refusal does to later messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnReject {
    /// Those of the same patient wait until an operator retries or skips the refused one.
    #[default]
    HoldPatient,
    /// All of them wait until then: everything goes in one order, one at a time.
    HoldStream,
    /// They go on.
    Skip,
}

/// What happens after a send without a trustworthy answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnUnknown {
    /// Send it again under the same id after the usual wait.
    #[default]
    Resend,
    /// Wait for an operator.
    Hold,
}

fn one() -> usize {
    1
}
