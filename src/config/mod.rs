//! The configuration: one section per file, read once at start. `signalbox.toml` at the repository root holds every
//! setting with its default and is compiled in, so defaults and documentation cannot drift.

pub mod database;
pub mod delivery;
pub mod destination;
pub mod http;
pub mod identity;
pub mod route;
pub mod source;
pub mod units;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// Everything the operator decides.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder for the embedded database and generated keys; relative to the configuration folder.
    pub data: PathBuf,
    /// The FHIR front door.
    pub http: http::Http,
    /// Postgres.
    pub database: database::Database,
    /// How patients are recognised and searched.
    pub identity: identity::Identity,
    /// Defaults of every destination, and the worker.
    pub delivery: delivery::Delivery,
    /// Partners that may send, by name.
    #[serde(default)]
    pub sources: BTreeMap<String, source::Source>,
    /// Partners we deliver to, by name.
    #[serde(default)]
    pub destinations: BTreeMap<String, destination::Destination>,
    /// Which exchange goes where; every route that matches applies, in this order.
    #[serde(default)]
    pub routes: Vec<route::Route>,
    /// SHA-256 (hex) of what was read, stored with every exchange (P8).
    #[serde(skip)]
    pub hash: String,
    /// Folder the configuration was read from; relative paths start here.
    #[serde(skip)]
    pub base: PathBuf,
}
