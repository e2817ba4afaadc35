//! `[delivery]`: what holds for every destination unless it says otherwise.

use schemars::JsonSchema;
use serde::Deserialize;

use super::units::Period;

/// The `[delivery]` section.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// How often the backlog is looked at when nothing wakes the worker.
    pub poll: Period,
    /// How long a shutdown waits for deliveries under way.
    pub shutdown: Period,
    /// When to try again.
    pub retry: Retry,
}

/// When to try again, and when to stop trying.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Wait after the first failure; doubled after each further one, with jitter.
    pub first: Period,
    /// Longest wait.
    pub max: Period,
    /// Time after acceptance when a delivery becomes a dead letter.
    pub give_up_after: Period,
}
