//! The settings as [JSON Schema](https://json-schema.org/draft/2020-12): derived from the structs, shown to editors
//! (`schemas/`), and asked what is wrong with a tree of settings. Beside the standard keywords a schema may say
//! `x-expected` (what would be right, in words) and `x-secret` (what stands there is not repeated).

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::Config;
use super::error::{ConfigError, Problem};
use super::load::{BUILT_IN, DEFAULTS};
use super::tree::{self, Content, Node, Step};
use super::wording;

/// What an adapter's settings may be.
pub struct SettingsSchema {
    /// The adapter, as in `type = "…"`.
    pub adapter: &'static str,
    /// The schema of its `settings` table.
    pub schema: Value,
}

/// The schema of a struct of settings, references inlined.
#[must_use]
pub fn of<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    generator.with_transform(WithoutNull).into_generator().into_root_schema_for::<T>().to_value()
}

/// The schema of a whole `signalbox.toml`, with the settings of these adapters: nothing is required that has a default.
#[must_use]
pub fn of_file(adapters: &[SettingsSchema]) -> Value {
    let mut schema = of_tree();
    let (defaults, _) = tree::parse(BUILT_IN, DEFAULTS);
    add_defaults(&mut schema, &defaults.to_json());
    schema["title"] = "signalbox.toml".into();
    let destination = &mut schema["properties"]["destinations"]["additionalProperties"];
    destination["properties"]["type"]["enum"] = adapters.iter().map(|adapter| adapter.adapter).collect();
    destination["allOf"] = adapters.iter().map(settings_of).collect();
    schema
}

/// The schema of a file in `routes/`: routes only.
#[must_use]
pub fn of_routes() -> Value {
    let schema = of_tree();
    serde_json::json!({
        "$schema": schema["$schema"],
        "title": "routes/*.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": { "routes": schema["properties"]["routes"] },
    })
}

fn settings_of(adapter: &SettingsSchema) -> Value {
    let mut settings = adapter.schema.clone();
    if let Some(settings) = settings.as_object_mut() {
        settings.remove("$schema");
    }
    serde_json::json!({
        "if": { "properties": { "type": { "const": adapter.adapter } } },
        "then": { "properties": { "settings": settings } },
    })
}

/// The schema of what was read, after the defaults were laid under it.
fn of_tree() -> Value {
    let mut schema = of::<Config>();
    optional(&mut schema);
    for section in ["http", "database", "identity", "delivery", "terminology"] {
        optional(&mut schema["properties"][section]);
    }
    optional(&mut schema["properties"]["http"]["properties"]["tls"]);
    optional(&mut schema["properties"]["delivery"]["properties"]["retry"]);
    for table in ["budget", "cache", "breaker"] {
        optional(&mut schema["properties"]["terminology"]["properties"][table]);
    }
    optional(&mut schema["properties"]["destinations"]["additionalProperties"]["properties"]["retry"]);
    schema
}

/// What a section leaves out is in the defaults.
fn optional(schema: &mut Value) {
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("required");
    }
}

fn add_defaults(schema: &mut Value, defaults: &Value) {
    let (Some(properties), Some(defaults)) = (schema["properties"].as_object_mut(), defaults.as_object()) else {
        return;
    };
    for (name, default) in defaults {
        match properties.get_mut(name) {
            Some(section) if default.is_object() && section.get("properties").is_some() => {
                add_defaults(section, default);
            }
            Some(setting) => setting["default"] = default.clone(),
            None => {}
        }
    }
}

/// TOML has no null: what may be left out is just left out.
#[derive(Clone)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else { return };
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|name| name != "null");
            if let [one] = types.as_slice() {
                let one = one.clone();
                object.insert("type".to_owned(), one);
            }
        }
        if let Some(Value::Array(options)) = object.get_mut("enum") {
            options.retain(|option| !option.is_null());
        }
        if object.get("default").is_some_and(Value::is_null) {
            object.remove("default");
        }
        let Some(Value::Array(any)) = object.get_mut("anyOf") else { return };
        any.retain(|one| one["type"] != "null");
        if let [Value::Object(one)] = any.as_mut_slice() {
            let one = std::mem::take(one);
            object.remove("anyOf");
            for (key, value) in one {
                object.entry(key).or_insert(value);
            }
        }
    }
}

/// Everything the schema of the configuration's own structs finds wrong with a tree. Adapters know their settings.
pub(super) fn faults(tree: &Node) -> Vec<ConfigError> {
    let mut schema = of_tree();
    schema["properties"]["destinations"]["additionalProperties"]["properties"]["settings"] =
        serde_json::json!({ "type": "object", "x-expected": "a table" });
    faults_under(&[], tree, &schema)
}

/// Everything `schema` finds wrong with what stands at `path` of `tree`; nothing when nothing stands there.
pub(super) fn faults_under(path: &[Step], tree: &Node, schema: &Value) -> Vec<ConfigError> {
    let Some(node) = tree.find(path) else { return Vec::new() };
    let validator = match jsonschema::validator_for(schema) {
        Ok(validator) => validator,
        Err(error) => {
            let sentence = format!("the schema of these settings is wrong: {error}");
            return vec![tree.error(path, Problem::Other(sentence))];
        }
    };
    let instance = node.to_json();
    let mut found: Vec<_> =
        validator.iter_errors(&instance).flat_map(|error| wording::problems(&error, schema)).collect();
    not_whole(node, schema, &mut Vec::new(), &mut found);
    let found = found.into_iter();
    found.map(|(steps, problem)| tree.error(&[path, &steps].concat(), problem)).collect()
}

/// Numbers such as 1e3 where a whole one is asked for: to JSON Schema they are whole, to those who read the settings not.
fn not_whole(node: &Node, schema: &Value, path: &mut Vec<Step>, found: &mut Vec<(Vec<Step>, Problem)>) {
    let mut below = |step: Step, node: &Node, schema: &Value| {
        path.push(step);
        not_whole(node, schema, path, found);
        path.pop();
    };
    match &node.content {
        Content::Table(members) => members.iter().for_each(|(key, node)| {
            let named = schema["properties"].get(key).unwrap_or(&schema["additionalProperties"]);
            below(Step::Key(key.clone()), node, named);
        }),
        Content::List(items) => {
            items.iter().enumerate().for_each(|(at, node)| below(Step::Index(at), node, &schema["items"]));
        }
        Content::Float(number) if schema["type"] == "integer" && number.fract() == 0.0 => {
            let written = format!("{number:?}, with a point or an exponent");
            let expected = wording::whole_number(schema);
            found.push((path.clone(), Problem::Unexpected { found: written, expected }));
        }
        _ => {}
    }
}
