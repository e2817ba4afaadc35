//! `[destinations.NAME]`: a partner we deliver to. The adapter's own settings stay a table that the adapter reads.

use serde::Deserialize;

use super::delivery::Retry;
use super::units::Period;

/// One destination.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// Which adapter: a name of the list in `adapters`.
    #[serde(rename = "type")]
    pub adapter: String,
    /// What that adapter needs; see its documentation.
    #[serde(default)]
    pub settings: toml::Table,
    /// What a refusal (or a dead letter) does to later messages of the same patient.
    #[serde(default)]
    pub on_reject: OnReject,
    /// What happens when it is unknown whether a message was taken.
    #[serde(default)]
    pub on_unknown: OnUnknown,
    /// Deliveries under way at once.
    #[serde(default = "one")]
    pub concurrency: usize,
    /// Longest wait for the partner's answer.
    #[serde(default)]
    pub timeout: Option<Period>,
    /// When to try again; the defaults of `[delivery.retry]` when absent.
    #[serde(default)]
    pub retry: Option<Retry>,
}

/// What a refusal does to later messages of the same patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnReject {
    /// They wait until an operator retries or skips the refused one.
    #[default]
    HoldPatient,
    /// They go on.
    Skip,
}

/// What happens after a send without a trustworthy answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
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
