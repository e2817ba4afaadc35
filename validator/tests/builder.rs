//! Putting a set of profiles together from what people have: files that cannot be read, definitions that lead nowhere or
//! round in a circle, and two sources for one canonical are named and left out, and the rest is used.
#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

use serde_json::{Value as Json, json};
use signalbox_validator::{LoadProblem, LoadWarning, ProfileSet};

fn profile(name: &str, base: &str) -> Json {
    json!({"resourceType": "StructureDefinition", "url": format!("http://example.org/{name}"), "kind": "resource",
        "abstract": false, "type": "Patient", "baseDefinition": base, "derivation": "constraint",
        "differential": {"element": [{"path": "Patient"}]}})
}

fn build(resources: &[(&str, String)]) -> (ProfileSet, Vec<LoadWarning>) {
    let builder = ProfileSet::builder().pack(PACK);
    let builder =
        resources.iter().fold(builder, |builder, (source, text)| builder.resource(*source, text.clone().into_bytes()));
    builder.build().expect("the pack is sound")
}

const PACK: &[u8] = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");
const PATIENT: &str = "http://hl7.org/fhir/StructureDefinition/Patient";

#[test]
fn base_r4_loads_without_a_warning_but_for_the_profiles_it_lacks_itself() {
    let (set, warnings) = build(&[]);
    assert!(set.has_profile(PATIENT) && set.has_profile("http://hl7.org/fhir/StructureDefinition/vitalsigns"));
    assert!(!set.has_profile("http://example.org/none"));
    assert!(warnings.iter().all(|warning| warning.problem == LoadProblem::Dangling), "{warnings:#?}");
    assert!(warnings.len() < 12, "{warnings:#?}");
    assert!(
        set.validate(&signalbox_validator::json::Document::read(b"{\"resourceType\":\"Patient\"}").unwrap()).is_empty()
    );
}

#[test]
fn what_cannot_be_used_is_named_and_the_rest_is_used() {
    let (_, before) = build(&[]);
    let (set, warnings) = build(&[
        ("torn.json", "{\"resourceType\": ".to_owned()),
        ("list.json", "[]".to_owned()),
        ("orphan.json", profile("orphan", "http://example.org/nowhere").to_string()),
        ("good.json", profile("good", PATIENT).to_string()),
        ("a.json", profile("a", "http://example.org/b").to_string()),
        ("b.json", profile("b", "http://example.org/a").to_string()),
        ("again.json", profile("good", PATIENT).to_string()),
        (
            "type.json",
            json!({"resourceType": "StructureDefinition", "url": "http://example.org/T", "kind": "resource",
            "type": "T", "derivation": "specialization", "differential": {"element": [
            {"path": "T"}, {"path": "T.a", "min": 0, "max": "1", "type": [{"code": "Riddle"}]}]}})
            .to_string(),
        ),
    ]);
    assert!(set.has_profile("http://example.org/good"));
    let mut found: Vec<(&str, LoadProblem)> =
        warnings.iter().filter(|found| !before.contains(found)).map(|w| (w.source.as_str(), w.problem)).collect();
    found.sort_by_key(|(source, _)| *source);
    let expected = [
        ("a.json", LoadProblem::Circular),
        ("again.json", LoadProblem::Redefined),
        ("b.json", LoadProblem::Circular),
        ("list.json", LoadProblem::Unreadable),
        ("orphan.json", LoadProblem::Dangling),
        ("torn.json", LoadProblem::Unreadable),
        ("type.json", LoadProblem::Unreadable),
    ];
    assert_eq!(found, expected, "{warnings:#?}");
    let torn = warnings.iter().find(|warning| warning.source == "torn.json").unwrap();
    assert_eq!(torn.to_string(), "torn.json: the text ends before the value is complete (line 1, column 18)");
}

#[test]
fn a_broken_definition_of_a_base_type_does_not_spoil_the_types_of_the_pack() {
    let mut meta = json!({"resourceType": "StructureDefinition", "url": "http://hl7.org/fhir/StructureDefinition/Meta",
        "version": "4.0.1", "kind": "resource", "type": "Other", "derivation": "specialization",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Element",
        "differential": {"element": [{"path": "Other"}]}});
    let patient = br#"{"resourceType":"Patient","meta":{"source":"urn:x"}}"#;
    let document = signalbox_validator::json::Document::read(patient).expect("it is JSON");
    for type_name in ["Other", "Meta"] {
        meta["type"] = json!(type_name);
        let (set, warnings) = build(&[("meta.json", meta.to_string())]);
        assert!(warnings.iter().any(|warning| warning.source == "meta.json"), "{warnings:#?}");
        assert!(set.is_resource_type("Patient"));
        // What the loaded definition says of Meta counts only where it can be used.
        assert_eq!(set.validate(&document).is_empty(), type_name == "Other");
    }
}
