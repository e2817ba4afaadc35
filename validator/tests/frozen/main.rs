//! A frozen sample of mutants of resources written for this test, with what is wrong with each: it needs nobody else's
//! validator. `cargo run --release -p signalbox-validator --example agreement -- freeze FILE` makes it anew, from mutants on
//! which HL7's validator and this one agree.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value as Json;
use signalbox_validator::{ProfileSet, json::Document};

const PACK: &[u8] = include_bytes!("../../../fhir-profiles/hl7.fhir.r4.core.pack");
static PROFILES: LazyLock<ProfileSet> = LazyLock::new(|| ProfileSet::load(&[PACK]).unwrap());

const SAMPLE: &str = include_str!("sample.ndjson");

/// The errors of a resource: code and place.
fn errors(resource: &Json) -> Vec<String> {
    let text = resource.to_string();
    let issues = PROFILES.validate(&Document::read(text.as_bytes()).unwrap());
    let errors = issues.iter().filter(|issue| issue.severity.is_error());
    errors.map(|issue| format!("{} {}", issue.code, issue.expression)).collect()
}

#[test]
fn every_mutant_has_the_errors_it_is_known_to_have() {
    let mut different = Vec::new();
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for (number, line) in SAMPLE.lines().enumerate() {
        let mutant: Json = serde_json::from_str(line).unwrap();
        let class = mutant["class"].as_str().unwrap();
        *classes.entry(class.to_owned()).or_default() += 1;
        let expected: Vec<&str> = mutant["errors"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
        let found = errors(&mutant["resource"]);
        if found != expected {
            different.push(format!("line {}, {class}: {found:?} not {expected:?}", number + 1));
        }
    }
    assert!(different.is_empty(), "{different:#?}");
    assert!(classes.len() >= 20 && classes.values().sum::<usize>() >= 300, "{classes:?}");
}

#[test]
fn the_resources_that_mutants_are_made_of_are_valid() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frozen/sources");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let resource: Json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(errors(&resource), [""; 0], "{}", path.display());
    }
}
