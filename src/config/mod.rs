//! The configuration: one section per file, read once at start. `signalbox.toml` at the repository root holds every
//! setting with its default and is compiled in, so defaults and documentation cannot drift.
//!
//! Reading order: the sections, then `load` (files -> tree -> structs), `recover` (all problems at once), `check`.

pub mod database;
pub mod delivery;
pub mod destination;
pub mod error;
pub mod http;
pub mod identity;
pub mod issuer;
pub mod mllp;
pub mod network;
pub mod partner;
pub mod route;
pub mod schema;
pub mod secret;
pub mod source;
pub mod terminology;
pub mod tls;
pub mod token;
pub mod units;

mod check;
mod check_doors;
mod check_terminology;
mod deserialize;
mod load;
mod recover;
mod resolve;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod wording;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

pub use error::{ConfigError, ConfigErrors, Fault, Place, Problem, nearest};
pub use load::{DEFAULTS, Inspection, read_toml};
pub use secret::{Environment, Secret};

/// Everything the operator decides.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder for the embedded database and generated keys; relative to the configuration folder.
    pub data: PathBuf,
    /// The FHIR front door.
    pub http: http::Http,
    /// Doors for HL7 v2 messages, by name.
    #[serde(default)]
    pub mllp: BTreeMap<String, mllp::Mllp>,
    /// Postgres.
    pub database: database::Database,
    /// How patients are recognised and searched.
    pub identity: identity::Identity,
    /// Who is asked about codes that are not loaded.
    pub terminology: terminology::Terminology,
    /// Defaults of every destination, and the worker.
    pub delivery: delivery::Delivery,
    /// Identity providers whose tokens prove sources, by name.
    #[serde(default)]
    pub issuers: BTreeMap<String, issuer::Issuer>,
    /// Partners that may send, by name.
    #[serde(default)]
    pub sources: BTreeMap<String, source::Source>,
    /// Partners we deliver to, by name.
    #[serde(default)]
    pub destinations: BTreeMap<String, destination::Destination>,
    /// Which exchange goes where; every route that matches applies, in this order.
    #[serde(default)]
    pub routes: Vec<route::Route>,
    /// SHA-256 (hex) of what was read, stored with every exchange (P8). Secrets count as their references.
    #[serde(skip)]
    pub hash: String,
    /// Folder the configuration was read from; relative paths start here.
    #[serde(skip)]
    pub base: PathBuf,
    /// Where each setting stands, for problems that only those who read the settings can find.
    #[serde(skip)]
    places: Arc<BTreeMap<String, Place>>,
    /// The settings as they are written, references to secrets unresolved.
    #[serde(skip)]
    written: Arc<tree::Node>,
}

impl Config {
    /// Where a setting stands, such as `destinations.pas.settings.port` or `routes[2].when`; for a setting that is
    /// not written down, the table it would be in.
    #[must_use]
    pub fn place(&self, key: &str) -> Place {
        check::nearest_place(&self.places, key)
    }

    /// What the schema of an adapter finds wrong with the settings of a destination.
    #[must_use]
    pub fn faults_of_settings(&self, destination: &str, schema: &serde_json::Value) -> Vec<ConfigError> {
        schema::faults_under(&settings_of(destination), &self.written, schema)
    }

    /// Secrets that stand in clear in the settings of a destination, by the schema of its adapter.
    #[must_use]
    pub fn secrets_in_clear(&self, destination: &str, schema: &serde_json::Value) -> Vec<ConfigError> {
        resolve::in_clear(&settings_of(destination), &self.written, schema)
    }

    /// What the schema of an adapter's options finds wrong with what a route says beside a destination's name.
    #[must_use]
    pub fn faults_of_options(&self, route: usize, target: usize, schema: &serde_json::Value) -> Vec<ConfigError> {
        let key = |key: &str| tree::Step::Key(key.to_owned());
        let path = [key("routes"), tree::Step::Index(route), key("to"), tree::Step::Index(target)];
        match self.written.find(&path).map(|node| &node.content) {
            Some(tree::Content::Table(_)) => schema::faults_under(&path, &self.written, &route::with_target(schema)),
            _ => Vec::new(),
        }
    }

    /// A problem with a setting, for those who find out later than here: adapters and routing.
    #[must_use]
    pub fn error(&self, key: &str, problem: Problem) -> ConfigError {
        ConfigError { place: self.place(key), key: key.to_owned(), problem }
    }
}

/// The path of a destination's settings.
fn settings_of(destination: &str) -> [tree::Step; 3] {
    ["destinations", destination, "settings"].map(|key| tree::Step::Key(key.to_owned()))
}
