//! What the schema finds, in the words of people who write TOML.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::{Location, LocationSegment};
use serde_json::Value;

use super::error::{Problem, nearest};
use super::secret;
use super::tree::Step;

/// The problems of one fault: for an alternative, those of the one that was probably meant.
pub(super) fn problems(error: &ValidationError<'_>, schema: &Value) -> Vec<(Vec<Step>, Problem)> {
    let path = steps(error.instance_path());
    let instance = error.instance().as_ref();
    // What a reference to a secret stands for is nobody's business here.
    if instance.as_str().is_some_and(|text| text.starts_with(secret::PREFIX)) || instance.is_null() {
        return Vec::new();
    }
    match error.kind() {
        Kind::OneOfNotValid { .. } if around(error, schema).and_then(constants).is_some() => {
            vec![(path, unexpected(error, schema))]
        }
        Kind::AdditionalProperties { unexpected } => {
            let known = around(error, schema).map(known_settings).unwrap_or_default();
            unexpected.iter().map(|name| (with(&path, name), unknown(name, &known))).collect()
        }
        Kind::Required { property } => {
            vec![(with(&path, property.as_str().unwrap_or_default()), Problem::Missing)]
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            let at = error.instance_path().as_str();
            let other_kind = |one: &ValidationError<'_>| {
                matches!(one.kind(), Kind::Type { .. }) && one.instance_path().as_str() == at
            };
            match context.iter().find(|branch| !branch.iter().any(other_kind)) {
                Some(meant) => meant.iter().flat_map(|error| problems(error, schema)).collect(),
                None => vec![(path, unexpected(error, schema))],
            }
        }
        _ => vec![(path, unexpected(error, schema))],
    }
}

fn steps(location: &Location) -> Vec<Step> {
    let step = |segment| match segment {
        LocationSegment::Property(key) => Step::Key(key.into_owned()),
        LocationSegment::Index(index) => Step::Index(index),
    };
    location.iter().map(step).collect()
}

fn with(path: &[Step], name: &str) -> Vec<Step> {
    let mut path = path.to_vec();
    path.push(Step::Key(name.to_owned()));
    path
}

/// The schema that holds the keyword that was broken.
fn around<'s>(error: &ValidationError<'_>, schema: &'s Value) -> Option<&'s Value> {
    let (holder, _) = error.schema_path().as_str().rsplit_once('/')?;
    schema.pointer(holder)
}

fn known_settings(schema: &Value) -> Vec<String> {
    schema["properties"].as_object().map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

fn unknown(name: &str, known: &[String]) -> Problem {
    let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
    Problem::Unknown { nearest, known: known.to_vec() }
}

fn unexpected(error: &ValidationError<'_>, schema: &Value) -> Problem {
    let holder = around(error, schema).unwrap_or(&Value::Null);
    let discreet = holder["x-secret"] == true;
    let found = shown(error.instance(), discreet);
    let expected = match (holder["x-expected"].as_str(), error.kind()) {
        (Some(words), _) => words.to_owned(),
        (None, Kind::Enum { options }) => format!("one of {}", listed(options.as_array().into_iter().flatten())),
        (None, Kind::OneOfNotValid { .. }) => constants(holder).unwrap_or_default(),
        (None, Kind::Type { .. } | Kind::Minimum { .. }) if holder["type"] == "integer" => whole_number(holder),
        (None, Kind::Type { kind: TypeKind::Single(kind) }) => in_plain_words(&kind.to_string()).to_owned(),
        (None, _) => return Problem::Other(error.masked_with(found).to_string()),
    };
    Problem::Unexpected { found, expected }
}

/// The values of an alternative of constants.
fn constants(schema: &Value) -> Option<String> {
    let options: Option<Vec<&Value>> = schema["oneOf"].as_array()?.iter().map(|one| one.get("const")).collect();
    Some(format!("one of {}", listed(options?.into_iter())))
}

fn listed<'v>(options: impl Iterator<Item = &'v Value>) -> String {
    let texts = options.map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned));
    texts.collect::<Vec<_>>().join(", ")
}

/// What would be right where a whole number is asked for.
pub(super) fn whole_number(schema: &Value) -> String {
    match schema["minimum"].as_f64() {
        Some(least) => format!("a whole number, {least} or more"),
        None => "a whole number".to_owned(),
    }
}

fn in_plain_words(kind: &str) -> &str {
    match kind {
        "boolean" => "true or false",
        "array" => "a list in [ ]",
        "object" => "a table",
        "string" => "a text in quotes",
        "number" => "a number",
        other => other,
    }
}

/// What stands there, short; only its kind where a secret may have been written by mistake.
fn shown(value: &Value, discreet: bool) -> String {
    match value {
        Value::String(text) if discreet => format!("{} characters", text.chars().count()),
        Value::String(text) => format!("{:?}", text.chars().take(60).collect::<String>()),
        Value::Number(_) if discreet => "a number".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a table".to_owned(),
        Value::Null => "nothing".to_owned(),
    }
}
