//! `[[routes]]`: which exchange goes where.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::text;

/// One route.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Name, told in the story of every exchange it took.
    pub name: String,
    /// Resource types it takes; empty: all.
    #[serde(default)]
    #[schemars(with = "Vec<text::TypeName>")]
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

/// A destination of a route: its name, or a table with its name as `destination`, `reply`, and options of its adapter.
#[derive(Debug, Clone)]
pub enum Target {
    /// Just its name.
    Name(String),
    /// Its name, and options the adapter understands.
    WithOptions {
        /// The destination's name.
        destination: String,
        /// Whether its answer is relayed to a sender that waits.
        reply: bool,
        /// Everything else in the table.
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

    /// Whether its answer is relayed to a sender that waits.
    #[must_use]
    pub fn reply(&self) -> bool {
        matches!(self, Self::WithOptions { reply: true, .. })
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

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TargetVisitor)
    }
}

const TARGET: &str = "a destination's name, or a table { destination = \"NAME\", … }";

impl JsonSchema for Target {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Target".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-expected": TARGET,
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": { "destination": { "type": "string" }, "reply": { "type": "boolean" } },
                    "required": ["destination"],
                },
            ],
        })
    }
}

struct TargetVisitor;

impl<'de> Visitor<'de> for TargetVisitor {
    type Value = Target;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(TARGET)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Target, E> {
        Ok(Target::Name(name.to_owned()))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Target, M::Error> {
        let (mut destination, mut reply, mut options) = (None, false, serde_json::Map::new());
        while let Some(key) = members.next_key::<String>()? {
            if key == "destination" {
                destination = Some(members.next_value()?);
            } else if key == "reply" {
                reply = members.next_value()?;
            } else {
                options.insert(key, members.next_value()?);
            }
        }
        let destination = destination.ok_or_else(|| M::Error::missing_field("destination"))?;
        Ok(Target::WithOptions { destination, reply, options })
    }
}
