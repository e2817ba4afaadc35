//! `[[routes]]`: which exchange goes where.

use serde::Deserialize;

/// One route.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Name, told in the story of every exchange it took.
    pub name: String,
    /// Resource types it takes; empty: all.
    #[serde(default)]
    pub types: Vec<String>,
    /// Sources it takes from; empty: all.
    #[serde(default)]
    pub sources: Vec<String>,
    /// FHIRPath condition on the resource; absent: always.
    #[serde(default)]
    pub when: Option<String>,
    /// Destinations; `[]` on purpose: accepted and recorded, sent nowhere.
    pub to: Vec<Target>,
}

/// A destination of a route.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Target {
    /// Just its name.
    Name(String),
    /// Its name, and options the adapter understands.
    WithOptions {
        /// The destination's name.
        destination: String,
        /// Everything else in the table.
        #[serde(flatten)]
        options: serde_json::Map<String, serde_json::Value>,
    },
}

impl Target {
    /// Name of the destination.
    #[must_use]
    pub fn destination(&self) -> &str {
        match self {
            Self::Name(name) | Self::WithOptions { destination: name, .. } => name,
        }
    }

    /// Options for the adapter; an empty object when there are none.
    #[must_use]
    pub fn options(&self) -> serde_json::Value {
        match self {
            Self::Name(_) => serde_json::Value::Object(serde_json::Map::new()),
            Self::WithOptions { options, .. } => serde_json::Value::Object(options.clone()),
        }
    }
}
