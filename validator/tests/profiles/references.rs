//! References of which a profile says where they lead: the type of the target, its profile, and how it is reached.

use serde_json::{Value as Json, json};

use signalbox_validator::{Options, Severity};

use super::{P, found, load, observation, patient, profile};

fn targets(profiles: &Json, aggregation: &Json) -> Json {
    let mut reference = json!({"code": "Reference", "targetProfile": profiles});
    if !aggregation.is_null() {
        reference["aggregation"] = aggregation.clone();
    }
    profile("P", "Observation", &json!([{"path": "Observation.subject", "type": [reference]}]))
}

#[test]
fn a_target_has_the_type_that_the_profile_leaves() {
    let set = load(&[targets(&json!(["http://hl7.org/fhir/StructureDefinition/Patient"]), &Json::Null)]);
    assert_eq!(found(&set, &observation(&json!({"subject": {"reference": "Patient/1"}}))), [""; 0]);
    let group = observation(&json!({"subject": {"reference": "Group/1"}}));
    assert_eq!(found(&set, &group), ["error structure Observation.subject"]);
    // HL7's validator does not take the word of a URL; who wants to agree with it can say so.
    let text = group.to_string();
    let document = signalbox_validator::json::Document::read(text.as_bytes()).unwrap();
    let options = Options { profiles: vec![P.to_owned()], reference_by_url: Severity::Warning, ..Options::default() };
    assert!(set.validate_with(&document, &options).iter().all(|issue| !issue.severity.is_error()));
}

#[test]
fn a_target_in_the_document_meets_the_profile() {
    let named = profile("Named", "Patient", &json!([{"path": "Patient.name", "min": 1}]));
    let set = load(&[named, targets(&json!(["http://example.org/Named"]), &Json::Null)]);
    let contains = |members: &Json| {
        let mut target = patient(members);
        target["id"] = json!("p");
        observation(&json!({"contained": [target], "subject": {"reference": "#p"}}))
    };
    assert_eq!(found(&set, &contains(&json!({"name": [{"text": "A"}]}))), [""; 0]);
    assert_eq!(found(&set, &contains(&json!({"gender": "male"}))), ["error structure Observation.subject"]);
    // What is elsewhere is not fetched.
    assert_eq!(found(&set, &observation(&json!({"subject": {"reference": "Patient/1"}}))), [""; 0]);
}

#[test]
fn a_reference_reaches_its_target_in_a_way_that_is_allowed() {
    let patients = json!(["http://hl7.org/fhir/StructureDefinition/Patient"]);
    let set = load(&[targets(&patients, &json!(["contained"]))]);
    let mut target = patient(&json!({"gender": "male"}));
    target["id"] = json!("p");
    let inside = observation(&json!({"contained": [target], "subject": {"reference": "#p"}}));
    assert_eq!(found(&set, &inside), [""; 0]);
    let outside = observation(&json!({"subject": {"reference": "Patient/1"}}));
    assert_eq!(found(&set, &outside), ["error structure Observation.subject"]);
}

/// Each entry's subject must meet the profile that the entry itself is held to: a chain as long as the Bundle.
#[test]
fn a_long_chain_of_references_is_followed_only_so_far() {
    let own = json!([
        {"path": "Observation.focus", "type": [{"code": "Reference", "targetProfile": ["http://example.org/P"]}]}
    ]);
    let set = load(&[profile("P", "Observation", &own)]);
    let entry = |number: usize| {
        let next = format!("http://example.org/Observation/{}", (number + 1) % 5000);
        let members = json!({
            "id": number.to_string(), "meta": {"profile": ["http://example.org/P"]}, "focus": [{"reference": next}]
        });
        let resource = observation(&members);
        json!({"fullUrl": format!("http://example.org/Observation/{number}"), "resource": resource})
    };
    let entries: Vec<Json> = (0..5000).map(entry).collect();
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries}).to_string();
    let document = signalbox_validator::json::Document::read(bundle.as_bytes()).unwrap();
    assert_eq!(set.validate(&document).iter().filter(|issue| issue.severity.is_error()).count(), 0);
}
