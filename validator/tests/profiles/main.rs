//! What profiles demand: small profiles, each with resources that meet it and that break it in one way. See
//! [profiling](https://hl7.org/fhir/R4/profiling.html).
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod by_type;
mod elements;
mod extensions;
mod references;
mod slices;

use serde_json::{Value as Json, json};
use signalbox_validator::{Options, ProfileSet, Severity, json::Document};

const PACK: &[u8] = include_bytes!("../../../fhir-profiles/hl7.fhir.r4.core.pack");
const P: &str = "http://example.org/P";

/// A profile with this name on a type, that changes these elements.
fn profile(name: &str, type_name: &str, elements: &Json) -> Json {
    derived(name, type_name, &format!("http://hl7.org/fhir/StructureDefinition/{type_name}"), elements)
}

/// A profile that starts from another.
fn derived(name: &str, type_name: &str, base: &str, elements: &Json) -> Json {
    json!({"resourceType": "StructureDefinition", "url": format!("http://example.org/{name}"), "kind": "resource",
        "abstract": false, "type": type_name, "baseDefinition": base, "derivation": "constraint",
        "differential": {"element": elements}})
}

fn load(definitions: &[Json]) -> ProfileSet {
    let add = |builder: signalbox_validator::ProfileSetBuilder<'static>, definition: &Json| {
        builder.resource(definition["url"].as_str().unwrap(), definition.to_string().into_bytes())
    };
    definitions.iter().fold(ProfileSet::builder().pack(PACK), add).build().unwrap().0
}

/// The issues of a resource against the profile `P`, each as severity, code and expression; remarks are left out.
fn found(set: &ProfileSet, resource: &Json) -> Vec<String> {
    let text = resource.to_string();
    let options = Options { profiles: vec![P.to_owned()], ..Options::default() };
    let issues = set.validate_with(&Document::read(text.as_bytes()).unwrap(), &options);
    let worth = issues.iter().filter(|issue| issue.severity < Severity::Information);
    worth.map(|issue| format!("{} {} {}", issue.severity, issue.code, issue.expression)).collect()
}

fn patient(members: &Json) -> Json {
    let mut patient = json!({"resourceType": "Patient"});
    for (key, value) in members.as_object().unwrap() {
        patient[key] = value.clone();
    }
    patient
}

fn observation(members: &Json) -> Json {
    let mut observation = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}});
    for (key, value) in members.as_object().unwrap() {
        observation[key] = value.clone();
    }
    observation
}
