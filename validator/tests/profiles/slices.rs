//! Slices: told apart by value, pattern, type, profile and existence; ordered, closed, open at the end; of slices.

use serde_json::{Value as Json, json};

use super::{derived, found, load, observation, patient, profile};

/// Identifiers in slices `a` and `b` by their system.
fn sliced(ordered: bool, rules: &str, of_a: &Json) -> Json {
    json!([
        {"id": "Patient.identifier", "path": "Patient.identifier",
            "slicing": {"discriminator": [{"type": "value", "path": "system"}], "ordered": ordered, "rules": rules}},
        {"id": "Patient.identifier:a", "path": "Patient.identifier", "sliceName": "a", "min": of_a["min"], "max": "1"},
        {"id": "Patient.identifier:a.system", "path": "Patient.identifier.system", "min": 1, "fixedUri": "urn:x:a"},
        {"id": "Patient.identifier:a.value", "path": "Patient.identifier.value", "min": 1},
        {"id": "Patient.identifier:b", "path": "Patient.identifier", "sliceName": "b"},
        {"id": "Patient.identifier:b.system", "path": "Patient.identifier.system", "min": 1, "fixedUri": "urn:x:b"}
    ])
}

fn identifiers(of: &[&str]) -> Json {
    let one = |name: &&str| json!({"system": format!("urn:x:{name}"), "value": "1"});
    patient(&json!({"identifier": of.iter().map(one).collect::<Vec<_>>()}))
}

#[test]
fn a_slice_has_its_own_cardinality_and_content() {
    let set = load(&[profile("P", "Patient", &sliced(false, "open", &json!({"min": 1})))]);
    assert_eq!(found(&set, &identifiers(&["c", "b", "a"])), [""; 0]);
    assert_eq!(found(&set, &patient(&json!({}))), ["error structure Patient"]);
    assert_eq!(found(&set, &identifiers(&["b"])), ["error structure Patient"]);
    assert_eq!(found(&set, &identifiers(&["a", "a"])), ["error structure Patient"]);
    let empty = patient(&json!({"identifier": [{"system": "urn:x:a"}]}));
    assert_eq!(found(&set, &empty), ["error structure Patient.identifier[0]"]);
}

#[test]
fn slices_may_be_closed_ordered_or_open_at_the_end() {
    let closed = load(&[profile("P", "Patient", &sliced(false, "closed", &json!({"min": 0})))]);
    assert_eq!(found(&closed, &identifiers(&["b", "a"])), [""; 0]);
    assert_eq!(found(&closed, &identifiers(&["a", "c"])), ["error structure Patient.identifier[1]"]);
    let ordered = load(&[profile("P", "Patient", &sliced(true, "open", &json!({"min": 0})))]);
    assert_eq!(found(&ordered, &identifiers(&["a", "c", "b"])), [""; 0]);
    assert_eq!(found(&ordered, &identifiers(&["b", "a"])), ["error structure Patient.identifier[1]"]);
    let at_end = load(&[profile("P", "Patient", &sliced(false, "openAtEnd", &json!({"min": 0})))]);
    assert_eq!(found(&at_end, &identifiers(&["b", "a", "c"])), [""; 0]);
    assert_eq!(found(&at_end, &identifiers(&["c", "a"])), ["error structure Patient.identifier[1]"]);
}

#[test]
fn a_slice_declared_above_is_constrained_below_and_may_be_sliced_again() {
    let base = profile("Base", "Patient", &sliced(false, "open", &json!({"min": 0})));
    let below = json!([
        {"id": "Patient.identifier:b", "path": "Patient.identifier", "sliceName": "b", "min": 1,
            "slicing": {"discriminator": [{"type": "value", "path": "use"}], "rules": "closed"}},
        {"id": "Patient.identifier:b/old", "path": "Patient.identifier", "sliceName": "b/old", "max": "1"},
        {"id": "Patient.identifier:b/old.use", "path": "Patient.identifier.use", "min": 1, "fixedCode": "old"}
    ]);
    let set = load(&[base, derived("P", "Patient", "http://example.org/Base", &below)]);
    let b = |used: &str| json!({"system": "urn:x:b", "value": "1", "use": used});
    let with = |items: &[Json]| patient(&json!({"identifier": items}));
    assert_eq!(found(&set, &with(&[b("old")])), [""; 0]);
    assert_eq!(found(&set, &identifiers(&["a"])), ["error structure Patient"]);
    assert_eq!(found(&set, &with(&[b("usual")])), ["error structure Patient.identifier[0]"]);
    assert_eq!(found(&set, &with(&[b("old"), b("old")])), ["error structure Patient"]);
}

#[test]
fn slices_are_told_by_pattern_and_by_existence() {
    let concept = json!({"coding": [{"system": "urn:s", "code": "x"}]});
    let by_pattern = json!([
        {"id": "Observation.category", "path": "Observation.category",
            "slicing": {"discriminator": [{"type": "pattern", "path": "$this"}], "rules": "open"}},
        {"id": "Observation.category:x", "path": "Observation.category", "sliceName": "x", "min": 1,
            "patternCodeableConcept": concept}
    ]);
    let set = load(&[profile("P", "Observation", &by_pattern)]);
    let other = json!({"coding": [{"system": "urn:s", "code": "y"}]});
    assert_eq!(found(&set, &observation(&json!({"category": [other, concept]}))), [""; 0]);
    assert_eq!(found(&set, &observation(&json!({"category": [other]}))), ["error structure Observation"]);

    let by_existence = json!([
        {"id": "Patient.contact", "path": "Patient.contact",
            "slicing": {"discriminator": [{"type": "exists", "path": "organization"}], "rules": "closed"}},
        {"id": "Patient.contact:firm", "path": "Patient.contact", "sliceName": "firm", "max": "1"},
        {"id": "Patient.contact:firm.organization", "path": "Patient.contact.organization", "min": 1},
        {"id": "Patient.contact:person", "path": "Patient.contact", "sliceName": "person"},
        {"id": "Patient.contact:person.organization", "path": "Patient.contact.organization", "max": "0"},
        {"id": "Patient.contact:person.name", "path": "Patient.contact.name", "min": 1}
    ]);
    let set = load(&[profile("P", "Patient", &by_existence)]);
    let firm = json!({"organization": {"display": "x"}});
    assert_eq!(found(&set, &patient(&json!({"contact": [firm, {"name": {"text": "A"}}]}))), [""; 0]);
    assert_eq!(found(&set, &patient(&json!({"contact": [firm, firm]}))), ["error structure Patient"]);
    let nameless = patient(&json!({"contact": [{"gender": "male", "telecom": [{"value": "1", "system": "phone"}]}]}));
    assert_eq!(found(&set, &nameless), ["error structure Patient.contact[0]"]);
}

#[test]
fn entries_of_a_bundle_are_told_by_the_type_and_the_profile_of_their_resource() {
    let named = profile("Named", "Patient", &json!([{"path": "Patient.name", "min": 1}]));
    let slices = |kind: &str| {
        json!([
            {"id": "Bundle.entry", "path": "Bundle.entry",
                "slicing": {"discriminator": [{"type": kind, "path": "resource"}], "rules": "open"}},
            {"id": "Bundle.entry:patient", "path": "Bundle.entry", "sliceName": "patient", "min": 1, "max": "1"},
            {"id": "Bundle.entry:patient.resource", "path": "Bundle.entry.resource", "min": 1,
                "type": [{"code": "Patient", "profile": ["http://example.org/Named"]}]}
        ])
    };
    let entry = |id: u8, resource: &Json| {
        let kind = resource["resourceType"].as_str().unwrap();
        let mut resource = resource.clone();
        resource["id"] = json!(id.to_string());
        json!({"fullUrl": format!("http://example.org/fhir/{kind}/{id}"), "resource": resource})
    };
    let bundle = |entries: &[Json]| json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
    let good = entry(1, &patient(&json!({"name": [{"text": "A"}]})));
    let bare = entry(2, &patient(&json!({})));
    let other = entry(3, &observation(&json!({})));

    let by_type = load(&[named.clone(), profile("P", "Bundle", &slices("type"))]);
    assert_eq!(found(&by_type, &bundle(&[other.clone(), good.clone()])), [""; 0]);
    assert_eq!(found(&by_type, &bundle(std::slice::from_ref(&other))), ["error structure Bundle"]);
    assert_eq!(found(&by_type, &bundle(std::slice::from_ref(&bare))), ["error structure Bundle.entry[0].resource"]);

    let by_profile = load(&[named, profile("P", "Bundle", &slices("profile"))]);
    assert_eq!(found(&by_profile, &bundle(&[bare.clone(), good])), [""; 0]);
    assert_eq!(found(&by_profile, &bundle(&[bare])), ["error structure Bundle"]);
}
