//! `[terminology]`: a FHIR terminology server that is asked about codes of systems that are not loaded
//! ([terminology service](https://hl7.org/fhir/R4/terminology-service.html)).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::secret::Secret;
use super::units::Period;

/// The `[terminology]` section.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Terminology {
    /// Base URL of the server, such as `https://terminology.example.nhs.uk/fhir`; empty: nobody is asked.
    pub url: String,
    /// Bearer token; a `secret:` reference.
    pub token: Secret,
    /// Further headers of every question; one that holds a credential is a `secret:` reference.
    pub headers: BTreeMap<String, Secret>,
    /// Code systems it is asked about; codes of any other never leave.
    pub systems: Vec<String>,
    /// Longest wait for one answer.
    pub timeout: Period,
    /// What becomes of a message of which not all was answered, because the server is down or the budget was spent.
    pub when_down: WhenDown,
    /// What one message may cost.
    pub budget: Budget,
    /// Answers that are kept in memory.
    pub cache: Cache,
    /// When it is left alone.
    pub breaker: Breaker,
}

/// The `[terminology.budget]` section.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Most questions for one message; what is known from before costs nothing.
    #[schemars(range(min = 1))]
    pub questions: usize,
    /// Longest time for all of them.
    pub time: Period,
    /// Questions under way at once, of all messages together.
    #[schemars(range(min = 1, max = 1024))]
    pub at_once: usize,
}

/// The `[terminology.cache]` section.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Most answers; beyond them the oldest is forgotten.
    pub answers: usize,
    /// How long it is believed that a code is right.
    pub keep_right: Period,
    /// How long it is believed that a code is wrong, or that the server does not know.
    pub keep_wrong: Period,
}

/// The `[terminology.breaker]` section.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// Failures one after another until it is left alone.
    #[schemars(range(min = 1))]
    pub failures: u32,
    /// How long; then one question tries whether it answers again.
    pub pause: Period,
}

/// What becomes of a message of which not all was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenDown {
    /// It is accepted, and told that codes were not checked.
    #[default]
    Flag,
    /// It is held in quarantine until an operator releases or refuses it.
    Hold,
}

impl Terminology {
    /// Whether somebody is asked.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.url.is_empty()
    }
}
