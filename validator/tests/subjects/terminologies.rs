//! Value sets, code systems and concept maps as subjects.

use serde_json::{Value as Json, json};

use super::{errors, with};

const GENDER: &str = "http://hl7.org/fhir/administrative-gender";

fn value_set(include: &Json) -> Vec<String> {
    errors(&json!({"resourceType": "ValueSet", "url": "http://example.org/vs", "status": "active",
        "compose": {"include": [include]}}))
}

fn filtered(system: &str, property: &str, operation: &str, value: &str) -> Vec<String> {
    value_set(&json!({"system": system, "filter": [{"property": property, "op": operation, "value": value}]}))
}

#[test]
fn a_filter_is_one_that_the_system_has() {
    let snomed = "http://snomed.info/sct";
    for (system, property, operation, value) in [
        (GENDER, "concept", "is-a", "male"),
        (GENDER, "code", "regex", "m.*"),
        (GENDER, "concept", "in", "male,female"),
        (GENDER, "inactive", "=", "true"),
        (GENDER, "of-their-own", "=", "x"),
        (snomed, "concept", "is-a", "404684003"),
        (snomed, "constraint", "=", "<< 404684003 |Clinical finding|: 363698007 = *"),
        (snomed, "116676008", "=", "72704001"),
        ("http://example.org/unknown", "concept", "is-a", "x"),
    ] {
        assert_eq!(filtered(system, property, operation, value), [""; 0], "{property} {operation} {value}");
    }
    for (system, property, operation, value) in [
        (GENDER, "concept", "is-a", "nobody"),
        (GENDER, "concept", "regex", "m.*"),
        (GENDER, "code", "regex", "m("),
        (GENDER, "concept", "exists", "perhaps"),
        (GENDER, "concept", "in", "male,nobody"),
        (GENDER, "inactive", "=", "perhaps"),
        (GENDER, "effectiveDate", "=", "soon"),
        (snomed, "116676008", "is-a", "72704001"),
        (snomed, "constraint", "=", "404684003 << 404684003"),
    ] {
        let found = filtered(system, property, operation, value);
        assert_eq!(found, ["invalid ValueSet.compose.include[0].filter[0]"], "{property} {operation} {value}");
    }
}

#[test]
fn a_value_set_names_code_systems() {
    let at = "ValueSet.compose.include[0]";
    assert_eq!(value_set(&json!({"system": "gender"})), [format!("invalid {at}")]);
    assert_eq!(value_set(&json!({"system": format!("{GENDER}|1")})), [format!("business-rule {at}")]);
    let as_system = "http://hl7.org/fhir/ValueSet/administrative-gender";
    assert_eq!(value_set(&json!({"system": as_system})), [format!("invalid {at}")]);
}

#[test]
fn a_code_system_has_what_it_says_it_has() {
    let system = json!({"resourceType": "CodeSystem", "url": "http://example.org/cs", "status": "active",
        "content": "complete", "concept": [{"code": "a"}, {"code": "b", "concept": [{"code": "c"}]}]});
    assert_eq!(errors(&with(&system, &json!({"count": 3}))), [""; 0]);
    let wrong = |members: Json| errors(&with(&system, &members));
    assert_eq!(wrong(json!({"count": 2})), ["invalid CodeSystem.count"]);
    // csd-1 says so of the whole, and this of the second one.
    let twice = ["invariant CodeSystem", "business-rule CodeSystem.concept[1]"];
    assert_eq!(wrong(json!({"concept": [{"code": "a"}, {"code": "a"}]})), twice);
    assert_eq!(wrong(json!({"content": "not-present"})), ["invalid CodeSystem.concept[0]"]);
    assert_eq!(wrong(json!({"content": "supplement"})), ["business-rule CodeSystem.content"]);
    let supplement =
        json!({"supplements": GENDER, "content": "supplement", "concept": [{"code": "male"}, {"code": "z"}]});
    assert_eq!(wrong(supplement), ["business-rule CodeSystem.concept[1]"]);
    let typed = json!({"property": [{"code": "p", "type": "integer"}],
        "concept": [{"code": "a", "property": [{"code": "p", "valueString": "x"}]}]});
    assert_eq!(wrong(typed), ["business-rule CodeSystem.concept[0].property[0]"]);
    assert_eq!(wrong(json!({"url": "cs"})), ["invalid CodeSystem.url"]);
    let whole = json!({"valueSet": "http://hl7.org/fhir/ValueSet/administrative-gender"});
    assert_eq!(wrong(whole), ["business-rule CodeSystem"]);
}

#[test]
fn a_map_leads_from_codes_to_codes() {
    let map = |source: &str, target: &str| {
        errors(&json!({"resourceType": "ConceptMap", "url": "http://example.org/cm", "status": "active",
            "sourceUri": "http://hl7.org/fhir/ValueSet/administrative-gender",
            "group": [{"source": GENDER, "target": GENDER,
                "element": [{"code": source, "target": [{"code": target, "equivalence": "equal"}]}]}]}))
    };
    assert_eq!(map("male", "female"), [""; 0]);
    assert_eq!(map("nobody", "male"), ["required ConceptMap.group[0].element[0].code"]);
    assert_eq!(map("male", "nobody"), ["required ConceptMap.group[0].element[0].target[0].code"]);
}
