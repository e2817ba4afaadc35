//! `[[routes]]`: which exchange goes where.

use std::collections::BTreeMap;
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
    /// Resource types it takes. Without `types`, `messages`, `when` and `fields`: everything.
    #[serde(default)]
    #[schemars(with = "Vec<text::TypeName>")]
    pub types: Vec<String>,
    /// HL7 v2 messages it takes: a message type such as `ADT`, or one with its trigger event, such as `ADT^A31`.
    #[serde(default)]
    #[schemars(with = "Vec<text::MessageName>")]
    pub messages: Vec<String>,
    /// Sources it takes from; empty: all.
    #[serde(default)]
    pub sources: Vec<String>,
    /// FHIRPath condition on the resource; absent: always.
    #[serde(default)]
    pub when: Option<String>,
    /// Condition on an HL7 v2 message: path of a field -> the values of which it must have one.
    #[serde(default)]
    pub fields: BTreeMap<String, Vec<String>>,
    /// Resource type -> canonicals of profiles that the resources it takes must meet, also in entries of a Bundle, besides
    /// those they claim and those of their source.
    #[serde(default)]
    #[schemars(with = "BTreeMap<text::TypeName, Vec<String>>")]
    pub profiles: BTreeMap<String, Vec<String>>,
    /// Destinations; `[]` on purpose: accepted and recorded, sent nowhere.
    pub to: Vec<Target>,
}

impl Route {
    /// Whether it is about FHIR resources: it says which, or says nothing of HL7 v2.
    #[must_use]
    pub fn takes_resources(&self) -> bool {
        !self.types.is_empty() || self.when.is_some() || (self.messages.is_empty() && self.fields.is_empty())
    }

    /// Whether it is about HL7 v2 messages: it says which, or says nothing of FHIR.
    #[must_use]
    pub fn takes_messages(&self) -> bool {
        !self.messages.is_empty() || !self.fields.is_empty() || (self.types.is_empty() && self.when.is_none())
    }

    /// Whether its list has this message type (`ADT`, or `ADT^A31`); an empty list has all.
    #[must_use]
    pub fn lists_message(&self, message: &str) -> bool {
        let kind = message.split('^').next().unwrap_or_default();
        self.messages.is_empty() || self.messages.iter().any(|listed| listed == message || listed == kind)
    }
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

/// The schema of a target's table whose options are these.
pub(super) fn with_target(options: &serde_json::Value) -> serde_json::Value {
    let mut schema = options.clone();
    for name in ["destination", "reply"] {
        schema["properties"][name] = serde_json::Value::Bool(true);
    }
    schema
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
