//! Cardinality, types, fixed values, patterns and limits of elements that a profile changes.

use serde_json::json;

use super::{P, derived, found, load, observation, patient, profile};

#[test]
fn an_element_may_be_demanded_or_forbidden() {
    let set = load(&[profile(
        "P",
        "Patient",
        &json!([
            {"path": "Patient.name", "min": 1, "max": "2"},
            {"path": "Patient.photo", "max": "0"},
            {"path": "Patient.name.family", "min": 1}
        ]),
    )]);
    assert_eq!(found(&set, &patient(&json!({"name": [{"family": "A"}]}))), [""; 0]);
    assert_eq!(found(&set, &patient(&json!({}))), ["error structure Patient"]);
    let three = patient(&json!({"name": [{"family": "A"}, {"family": "B"}, {"text": "C"}]}));
    assert_eq!(found(&set, &three), ["error structure Patient", "error structure Patient.name[2]"]);
    let photo = patient(&json!({"name": [{"family": "A"}], "photo": [{"title": "x"}]}));
    assert_eq!(found(&set, &photo), ["error structure Patient"]);
}

#[test]
fn a_profile_of_a_profile_holds_to_both() {
    let first = profile("First", "Patient", &json!([{"path": "Patient.name", "min": 1}]));
    let second = derived("P", "Patient", "http://example.org/First", &json!([{"path": "Patient.gender", "min": 1}]));
    let set = load(&[first, second]);
    assert_eq!(found(&set, &patient(&json!({}))), ["error structure Patient", "error structure Patient"]);
    assert_eq!(found(&set, &patient(&json!({"name": [{"text": "A"}], "gender": "male"}))), [""; 0]);
}

#[test]
fn fixed_values_and_patterns_are_compared_where_they_are() {
    let concept = json!({"coding": [{"system": "http://example.org/s", "code": "c"}]});
    let set = load(&[profile(
        "P",
        "Observation",
        &json!([
            {"path": "Observation.status", "fixedCode": "final"},
            {"path": "Observation.code", "patternCodeableConcept": concept}
        ]),
    )]);
    let mut good = concept;
    good["coding"][0]["display"] = json!("C");
    good["text"] = json!("c");
    assert_eq!(found(&set, &observation(&json!({"code": good}))), [""; 0]);
    let bad = observation(&json!({"status": "amended"}));
    // In the order of the text, which is the test's own business.
    let mut told = found(&set, &bad);
    told.sort();
    assert_eq!(told, ["error value Observation.code", "error value Observation.status"]);
}

#[test]
fn a_choice_may_be_left_with_fewer_types_and_constrained_by_a_short_name() {
    let set = load(&[profile(
        "P",
        "Observation",
        &json!([
            {"path": "Observation.valueQuantity", "min": 1},
            {"path": "Observation.valueQuantity.code", "min": 1, "fixedCode": "kg"}
        ]),
    )]);
    let quantity = |code: &str| {
        observation(&json!({"valueQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": code}}))
    };
    assert_eq!(found(&set, &quantity("kg")), [""; 0]);
    assert_eq!(found(&set, &quantity("g")), ["error value Observation.value.ofType(Quantity).code"]);
    assert_eq!(found(&set, &observation(&json!({}))), ["error structure Observation"]);
    let text = found(&set, &observation(&json!({"valueString": "x"})));
    assert!(text.contains(&"error structure Observation.value.ofType(string)".to_owned()), "{text:?}");
}

#[test]
fn values_lie_between_the_least_and_the_most() {
    let set = load(&[profile(
        "P",
        "Patient",
        &json!([
            {"path": "Patient.birthDate", "minValueDate": "1900-01-01", "maxValueDate": "2020-12-31"},
            {"path": "Patient.name.family", "maxLength": 3}
        ]),
    )]);
    assert_eq!(found(&set, &patient(&json!({"birthDate": "1950-05-05", "name": [{"family": "Abc"}]}))), [""; 0]);
    assert_eq!(found(&set, &patient(&json!({"birthDate": "1850-05-05"}))), ["error invalid Patient.birthDate"]);
    assert_eq!(found(&set, &patient(&json!({"birthDate": "2021-01-01"}))), ["error invalid Patient.birthDate"]);
    let long = patient(&json!({"name": [{"family": "Abcd"}]}));
    assert_eq!(found(&set, &long), ["error structure Patient.name[0].family"]);
}

#[test]
fn a_value_meets_the_profile_of_its_type() {
    let name = profile("Name", "HumanName", &json!([{"path": "HumanName.family", "min": 1}]));
    let own =
        json!([{"path": "Patient.name", "type": [{"code": "HumanName", "profile": ["http://example.org/Name"]}]}]);
    let set = load(&[name, profile("P", "Patient", &own)]);
    assert_eq!(found(&set, &patient(&json!({"name": [{"family": "A"}]}))), [""; 0]);
    assert_eq!(found(&set, &patient(&json!({"name": [{"text": "A"}]}))), ["error structure Patient.name[0]"]);
    // Base types have such profiles themselves: the limits of a range carry no comparator.
    let range = json!({"valueRange": {"low": {"value": 1, "comparator": "<"}}});
    let found =
        set.validate(&signalbox_validator::json::Document::read(observation(&range).to_string().as_bytes()).unwrap());
    assert_eq!(
        found.iter().map(|issue| issue.expression.as_str()).collect::<Vec<_>>(),
        ["Observation.value.ofType(Range).low", "Observation.value.ofType(Range).low"]
    );
}

#[test]
fn what_a_content_reference_leads_to_can_be_constrained() {
    let set = load(&[profile("P", "Questionnaire", &json!([{"path": "Questionnaire.item.item.text", "min": 1}]))]);
    let item = |inner: &serde_json::Value| {
        json!({"resourceType": "Questionnaire", "status": "draft",
            "item": [{"linkId": "1", "type": "group", "item": [inner]}]})
    };
    assert_eq!(found(&set, &item(&json!({"linkId": "1.1", "type": "string", "text": "x"}))), [""; 0]);
    let bare = item(&json!({"linkId": "1.1", "type": "string"}));
    assert_eq!(found(&set, &bare), ["error structure Questionnaire.item[0].item[0]"]);
}

#[test]
fn a_profile_is_for_its_type_and_is_told_when_nobody_has_it() {
    let set = load(&[profile("P", "Patient", &json!([]))]);
    assert_eq!(found(&set, &observation(&json!({}))), ["error structure Observation"]);
    let claims = patient(&json!({"meta": {"profile": [P, "http://example.org/none"]}}));
    assert_eq!(found(&set, &claims), ["warning structure Patient.meta.profile[1]"]);
    assert_eq!(found(&load(&[]), &patient(&json!({}))), ["error structure Patient"]);
}

#[test]
fn profiles_in_a_circle_end_in_a_sentence_and_not_in_a_loop() {
    let first = derived("P", "Patient", "http://example.org/Q", &json!([{"path": "Patient.name", "min": 1}]));
    let second = derived("Q", "Patient", P, &json!([]));
    let set = load(&[first, second]);
    assert_eq!(found(&set, &patient(&json!({}))), ["error structure Patient"]);
    assert!(set.snapshot(P).is_err());
    // A profile may name itself for what is inside.
    let own =
        json!([{"path": "Extension.extension", "type": [{"code": "Extension", "profile": ["http://example.org/E"]}]}]);
    let mut inner = profile("E", "Extension", &own);
    inner["kind"] = json!("complex-type");
    let set = load(&[inner, profile("P", "Patient", &json!([]))]);
    let nested =
        json!({"url": "http://example.org/E", "extension": [{"url": "http://example.org/E", "valueString": "x"}]});
    assert_eq!(found(&set, &patient(&json!({"extension": [nested]}))), [""; 0]);
}
