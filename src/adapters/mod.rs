//! Adapters: one folder each, and the ONE list of them. An adapter's struct *is* its settings section; it checks
//! itself and builds the destination. To add one: copy `file/`, add one line to [`ADAPTERS`].

pub mod fhir_rest;
pub mod file;
pub mod mllp;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::schema;
use crate::delivery::destination::Destination;

/// What adapters may use of the world outside: passed in, never reached for.
#[derive(Clone)]
pub struct Outside {
    /// The one HTTP client, with connect timeouts and no redirects.
    pub http: reqwest::Client,
    /// The clock.
    pub clock: Clock,
    /// Randomness.
    pub chance: Chance,
    /// How long one delivery may take, from the destination's `timeout`.
    pub timeout: Duration,
    /// Folder that relative paths in the settings start from.
    pub base: PathBuf,
}

/// A protocol. The implementing struct is the `settings` table of a destination.
pub trait Adapter: DeserializeOwned + JsonSchema {
    /// `type = "…"` in the configuration.
    const TYPE: &'static str;
    /// Whether a partner gets the JSON body, so that a schema can be asked of it.
    const SENDS_JSON: bool;
    /// A settings table that starts, for the contract test and the documentation.
    const EXAMPLE: &'static str;

    /// Checks what a route says beside the destination's name (an empty object when it says nothing).
    ///
    /// # Errors
    /// A sentence naming the option and what was expected.
    fn check_options(&self, options: &serde_json::Value) -> Result<(), String>;

    /// Builds the destination. Connects lazily: a partner that is down must not stop the gateway from starting.
    ///
    /// # Errors
    /// A sentence naming the setting and what was expected.
    fn destination(self, outside: &Outside) -> Result<Arc<dyn Destination>, String>;
}

/// One adapter of the list, its type erased.
pub struct Kind {
    /// `type = "…"` in the configuration.
    pub name: &'static str,
    /// A settings table that starts.
    pub example: &'static str,
    /// What its settings may be, as JSON Schema.
    pub schema: fn() -> serde_json::Value,
    /// Whether a partner gets the JSON body.
    pub sends_json: bool,
    /// Reads the settings and builds the destination; also checks the options of every route that uses it.
    pub build: Build,
}

/// Settings, the options of every route that uses the destination, the world outside: a destination or a sentence.
pub type Build = fn(toml::Table, &[serde_json::Value], &Outside) -> Result<Arc<dyn Destination>, String>;

/// Erases an adapter's type.
#[must_use]
pub const fn kind<A: Adapter>() -> Kind {
    Kind { name: A::TYPE, example: A::EXAMPLE, schema: schema::of::<A>, sends_json: A::SENDS_JSON, build: build::<A> }
}

fn build<A: Adapter>(
    settings: toml::Table,
    options: &[serde_json::Value],
    outside: &Outside,
) -> Result<Arc<dyn Destination>, String> {
    let adapter: A = settings.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
    options.iter().try_for_each(|options| adapter.check_options(options))?;
    adapter.destination(outside)
}

/// Every adapter of the gateway.
pub const ADAPTERS: &[Kind] = &[kind::<fhir_rest::FhirRest>(), kind::<file::File>(), kind::<mllp::Mllp>()];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Settings that are called like a secret, below this schema, and whether they are marked as one.
    fn secrets(schema: &Value, path: &str, found: &mut Vec<(String, bool)>) {
        for (name, setting) in schema["properties"].as_object().into_iter().flatten() {
            let at = format!("{path}.{name}");
            let called = ["token", "password", "key", "secret"].iter().any(|word| name.contains(word));
            let in_its_file = setting["description"].as_str().is_some_and(|text| text.starts_with("PEM file"));
            if called && !in_its_file {
                found.push((at.clone(), setting["x-secret"] == true));
            }
            secrets(setting, &at, found);
        }
    }

    #[test]
    fn what_is_called_a_secret_is_one_in_every_adapter() {
        let mut found = Vec::new();
        for kind in ADAPTERS {
            secrets(&(kind.schema)(), kind.name, &mut found);
        }
        assert!(found.iter().any(|(name, _)| name == "fhir-rest.token"), "{found:?}");
        let in_clear: Vec<_> = found.iter().filter(|(_, is_secret)| !is_secret).collect();
        assert_eq!(in_clear, Vec::<&(String, bool)>::new());
    }
}
