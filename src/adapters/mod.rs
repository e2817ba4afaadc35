//! Adapters: one folder each, and the ONE list of them. An adapter's struct *is* its settings section; it checks
//! itself and builds the destination. To add one: copy `file/`, add one line to [`ADAPTERS`].

pub mod fhir_rest;
pub mod file;
pub mod mllp;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::tls::PartnerTls;
use crate::config::{Fault, schema};
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

    /// What a route may say beside the destination's name and `reply`.
    type Options: DeserializeOwned + JsonSchema;

    /// Checks what a route says beside the destination's name (an empty object when it says nothing), and what the
    /// schema of its options cannot.
    ///
    /// # Errors
    /// A sentence naming the option and what was expected.
    fn check_options(options: &Value) -> Result<(), String> {
        serde_json::from_value::<Self::Options>(options.clone()).map(drop).map_err(|error| error.to_string())
    }

    /// Builds the destination. Connects lazily: a partner that is down must not stop the gateway from starting.
    ///
    /// # Errors
    /// Every setting that is wrong, and what was expected.
    fn destination(self, outside: &Outside) -> Result<Arc<dyn Destination>, Vec<Fault>>;

    /// TLS to the partner, where the settings say how.
    fn tls(&self) -> Option<&PartnerTls> {
        None
    }

    /// Longest message sent, in bytes; `None`: there is no limit.
    fn max_frame(&self) -> Option<u64> {
        None
    }

    /// Settings with which it starts, and that somebody should look at; relative paths start at `base`.
    fn doubts(&self, base: &Path) -> Vec<Fault> {
        let _ = base;
        Vec::new()
    }
}

/// The options of an adapter that has none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

/// One adapter of the list, its type erased.
pub struct Kind {
    /// `type = "…"` in the configuration.
    pub name: &'static str,
    /// A settings table that starts.
    pub example: &'static str,
    /// What its settings may be, as JSON Schema.
    pub schema: fn() -> Value,
    /// What a route may say beside its name, as JSON Schema.
    pub options: fn() -> Value,
    /// Checks what the schema of the options cannot.
    pub check_options: fn(&Value) -> Result<(), String>,
    /// Whether a partner gets the JSON body.
    pub sends_json: bool,
    /// Reads the settings and builds the destination.
    pub build: Build,
    /// TLS to the partner, where the settings can be read and say how.
    pub tls: fn(&toml::Table) -> Option<PartnerTls>,
    /// Longest message sent, in bytes, where the settings can be read and there is a limit.
    pub max_frame: fn(&toml::Table) -> Option<u64>,
    /// Settings with which it starts, and that somebody should look at.
    pub doubts: fn(&toml::Table, &Path) -> Vec<Fault>,
}

/// Settings, the world outside: a destination, or every setting that is wrong.
pub type Build = fn(toml::Table, &Outside) -> Result<Arc<dyn Destination>, Vec<Fault>>;

impl Kind {
    /// The settings with those of the example for the ones at fault, so that the others can be looked at all the same.
    #[must_use]
    pub fn without(&self, settings: &toml::Table, at_fault: impl Fn(&str) -> bool) -> toml::Table {
        let mut mended: toml::Table = self.example.parse().unwrap_or_default();
        let right = settings.iter().filter(|(name, _)| !at_fault(name));
        mended.extend(right.map(|(name, value)| (name.clone(), value.clone())));
        mended
    }
}

/// Erases an adapter's type.
#[must_use]
pub const fn kind<A: Adapter>() -> Kind {
    Kind {
        name: A::TYPE,
        example: A::EXAMPLE,
        schema: schema::of::<A>,
        options: schema::of::<A::Options>,
        check_options: A::check_options,
        sends_json: A::SENDS_JSON,
        build: build::<A>,
        tls: |settings| settings.clone().try_into::<A>().ok()?.tls().cloned(),
        max_frame: |settings| settings.clone().try_into::<A>().ok()?.max_frame(),
        doubts: |settings, base| {
            let settings: Option<A> = settings.clone().try_into().ok();
            settings.map(|settings| settings.doubts(base)).unwrap_or_default()
        },
    }
}

/// The adapter with this `type`.
#[must_use]
pub fn kind_of(name: &str) -> Option<&'static Kind> {
    ADAPTERS.iter().find(|kind| kind.name == name)
}

fn build<A: Adapter>(settings: toml::Table, outside: &Outside) -> Result<Arc<dyn Destination>, Vec<Fault>> {
    let unreadable = |error: toml::de::Error| vec![(String::new(), error.message().to_owned())];
    settings.try_into::<A>().map_err(unreadable)?.destination(outside)
}

/// Every adapter of the gateway.
pub const ADAPTERS: &[Kind] = &[kind::<fhir_rest::FhirRest>(), kind::<file::File>(), kind::<mllp::Mllp>()];

#[cfg(test)]
mod tests {
    use super::*;

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
