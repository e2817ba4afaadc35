//! What one [ElementDefinition](https://hl7.org/fhir/R4/elementdefinition.html) says about validity, each thing in words
//! that can be compared.

use serde_json::Value;

use super::Facts;

const MAX_VALUE_SET: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet";
/// Canonicals of HL7's own definitions begin with this; without it they are read more easily.
const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";
/// Members whose value is told as it stands.
const PLAIN: [&str; 4] = ["contentReference", "maxLength", "isModifier", "representation"];
/// Members with a value of any type, which their name ends with.
const TYPED: [&str; 4] = ["fixed", "pattern", "minValue", "maxValue"];

/// What an element says.
pub(super) fn facts(element: &Value) -> Facts {
    let mut facts = Facts::new();
    let mut say = |fact: &str, text: String| {
        if !text.is_empty() {
            facts.insert(fact.to_owned(), text);
        }
    };
    match (element.get("min"), element.get("max")) {
        (None, None) => {}
        (min, max) => say(
            "cardinality",
            format!("{}..{}", min.map(plain).unwrap_or_default(), max.map(plain).unwrap_or_default()),
        ),
    }
    let mut types: Vec<String> = items(element, "type").map(type_name).collect();
    types.sort();
    say("types", types.join(", "));
    if let Some(binding) = element.get("binding") {
        say("binding", binding_words(binding));
    }
    if let Some(slicing) = element.get("slicing") {
        say("slicing", slicing_words(slicing));
    }
    for constraint in items(element, "constraint") {
        let severity = constraint["severity"].as_str().unwrap_or("error");
        let expression = constraint.get("expression").map_or_else(|| "in words only".to_owned(), plain);
        say(&format!("constraint {}", plain(&constraint["key"])), format!("{severity}: {expression}"));
    }
    for (key, value) in element.as_object().into_iter().flatten() {
        let is_typed = TYPED.iter().any(|start| {
            key.strip_prefix(start).is_some_and(|end| end.starts_with(|first: char| first.is_ascii_uppercase()))
        });
        if is_typed || (PLAIN.contains(&key.as_str()) && *value != Value::Bool(false)) {
            say(key, plain(value));
        }
    }
    facts
}

/// The canonical of what a single type of an element is defined by.
pub(super) fn defined_by(element: &Value) -> Option<String> {
    let mut types = items(element, "type");
    let (only, none) = (types.next()?, types.next());
    let mut profiles = items(only, "profile");
    let code = code(only)?;
    match (none, profiles.next(), profiles.next()) {
        (None, Some(profile), None) => Some(profile.as_str()?.to_owned()),
        (None, None, None) => Some(format!("{BASE}{code}")),
        _ => None,
    }
}

fn items<'v>(object: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    object[key].as_array().into_iter().flatten()
}

fn code(element_type: &Value) -> Option<&str> {
    let fhir = items(element_type, "extension").find(|extension| extension["url"] == FHIR_TYPE);
    let fhir = fhir.and_then(|extension| extension["valueUrl"].as_str().or(extension["valueUri"].as_str()));
    fhir.or(element_type["code"].as_str())
}

fn type_name(element_type: &Value) -> String {
    let mut name = code(element_type).unwrap_or_default().to_owned();
    for (key, open, close) in [("profile", "[", "]"), ("targetProfile", "(", ")"), ("aggregation", " {", "}")] {
        let short = |canonical: &Value| plain(canonical).trim_start_matches(BASE).to_owned();
        let mut listed: Vec<String> = items(element_type, key).map(short).collect();
        listed.sort();
        if !listed.is_empty() {
            name.extend([open, &listed.join(" | "), close]);
        }
    }
    if let Some(versioning) = element_type["versioning"].as_str().filter(|versioning| *versioning != "either") {
        name.extend([" ", versioning]);
    }
    name
}

fn binding_words(binding: &Value) -> String {
    let mut words = vec![plain(&binding["strength"])];
    words.extend(binding.get("valueSet").map(plain));
    let most = items(binding, "extension").find(|extension| extension["url"] == MAX_VALUE_SET);
    let most = most.and_then(|extension| extension.get("valueCanonical").or_else(|| extension.get("valueUri")));
    words.extend(most.or_else(|| binding.get("maxValueSet")).map(|most| format!("at most {}", plain(most))));
    words.join(" ")
}

fn slicing_words(slicing: &Value) -> String {
    let discriminator = |found: &Value| format!("{} {}", plain(&found["type"]), plain(&found["path"]));
    let by: Vec<String> = items(slicing, "discriminator").map(discriminator).collect();
    let mut words = vec![plain(&slicing["rules"])];
    if slicing["ordered"] == Value::Bool(true) {
        words.push("ordered".to_owned());
    }
    if !by.is_empty() {
        words.push(format!("by {}", by.join(" and ")));
    }
    words.join(", ")
}

/// Text as it is, everything else as JSON with its members sorted.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => sorted(other).to_string(),
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.sort();
            keys.into_iter().map(|key| (key.clone(), sorted(&members[key]))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
