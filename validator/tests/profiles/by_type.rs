//! Profiles that a caller asks for by resource type: the document and the resources in its entries are held to them,
//! contained ones are not.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use signalbox_validator::{Options, ProfileSet, Severity, json::Document};

use super::{P, load, observation, patient, profile};

fn found(set: &ProfileSet, resource: &Json) -> Vec<String> {
    let text = resource.to_string();
    let by_type = BTreeMap::from([("Patient".to_owned(), vec![P.to_owned()])]);
    let options = Options { by_type, ..Options::default() };
    let issues = set.validate_with(&Document::read(text.as_bytes()).unwrap(), &options);
    let errors = issues.iter().filter(|issue| issue.severity == Severity::Error);
    errors.map(|issue| format!("{} {}", issue.code, issue.expression)).collect()
}

#[test]
fn resources_of_a_type_meet_its_profiles_wherever_they_stand_on_their_own() {
    let set = load(&[profile("P", "Patient", &json!([{"path": "Patient.name", "min": 1}]))]);
    let (named, unnamed) = (patient(&json!({"name": [{"text": "A"}]})), patient(&json!({"gender": "male"})));
    assert_eq!(found(&set, &named), [""; 0]);
    assert_eq!(found(&set, &unnamed), ["structure Patient"]);
    assert_eq!(found(&set, &observation(&json!({}))), [""; 0], "others are not held to them");
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": "urn:uuid:3c5b9f3e-2d0f-4bd7-8a4e-7d5ab8a1a001", "resource": named},
        {"fullUrl": "urn:uuid:3c5b9f3e-2d0f-4bd7-8a4e-7d5ab8a1a002", "resource": unnamed},
    ]});
    assert_eq!(found(&set, &bundle), ["structure Bundle.entry[1].resource"]);
    let mut inner = unnamed;
    inner["id"] = json!("p");
    let container = observation(&json!({"contained": [inner], "subject": {"reference": "#p"}}));
    assert_eq!(found(&set, &container), [""; 0], "what is contained is part of its container");
}
