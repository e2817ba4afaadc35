//! Structure definitions, questionnaires, search parameters and implementation guides as subjects.

use serde_json::{Value as Json, json};

use super::{errors, with};

fn profile(elements: &Json, members: &Json) -> Vec<String> {
    let own = json!({"resourceType": "StructureDefinition", "url": "http://example.org/sd", "name": "Own",
        "status": "draft", "kind": "resource", "abstract": false, "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient", "derivation": "constraint",
        "differential": {"element": elements}});
    errors(&with(&own, members))
}

fn element(path: &str, members: &Json) -> Json {
    with(&json!({"id": path, "path": path}), members)
}

#[test]
fn a_differential_is_about_elements_that_there_are_in_their_order() {
    let differential = |paths: &[&str]| {
        let elements: Vec<Json> = paths.iter().map(|path| element(path, &json!({"min": 1}))).collect();
        profile(&json!(elements), &json!({}))
    };
    assert_eq!(differential(&["Patient.name", "Patient.name.family", "Patient.birthDate"]), [""; 0]);
    let at = "StructureDefinition.differential.element[0]";
    let nothing = ["value StructureDefinition".to_owned(), format!("value {at}")];
    assert_eq!(differential(&["Patient.shoeSize"]), nothing);
    assert_eq!(differential(&["Patient.birthDate", "Patient.name"]), nothing);
    let found = differential(&["Observation.code"]);
    assert!(found.contains(&"exception StructureDefinition".to_owned()), "{found:?}");
    assert!(found.contains(&format!("not-found {at}")), "{found:?}");
    let slice = |number: u32| {
        let id = format!("Patient.name:s{number}");
        json!({"id": id, "path": "Patient.name", "sliceName": format!("s{number}")})
    };
    let slices = (0..6_000).map(slice);
    let found = profile(&json!(slices.collect::<Vec<_>>()), &json!({}));
    assert_eq!(found, ["too-costly StructureDefinition"]);
}

#[test]
fn what_is_said_of_an_element_is_what_its_type_can_bear() {
    let at = "StructureDefinition.differential.element[0]";
    let own = |path: &str, members: &Json| profile(&json!([element(path, members)]), &json!({}));
    let date = json!([{"code": "date"}]);
    let bound = json!({"type": date, "binding": {"strength": "required", "valueSet": "http://example.org/vs"}});
    assert_eq!(own("Patient.birthDate", &bound), [format!("business-rule {at}")]);
    assert_eq!(own("Patient.birthDate", &json!({"type": date, "minValueDate": "1900-01-01"})), [""; 0]);
    assert_eq!(
        own("Patient.active", &json!({"type": [{"code": "boolean"}], "maxLength": 3})),
        [format!("business-rule {at}")]
    );
    assert_eq!(own("Patient.birthDate", &json!({"type": [{"code": "string"}]})), ["exception StructureDefinition"]);
    assert_eq!(own("Patient.birthDate", &json!({"max": "2"})), ["business-rule StructureDefinition"]);
    let key =
        json!({"constraint": [{"key": "pat-1", "severity": "error", "human": "x", "expression": "name.exists()"}]});
    assert_eq!(own("Patient", &key), [format!("invalid {at}.constraint[0]")]);
}

#[test]
fn a_definition_starts_from_one_of_its_kind() {
    let elements = json!([element("Patient", &json!({}))]);
    assert_eq!(profile(&elements, &json!({})), [""; 0]);
    assert_eq!(profile(&elements, &json!({"kind": "complex-type"})), ["not-found StructureDefinition"]);
    let found = profile(&elements, &json!({"derivation": "specialization"}));
    assert!(found.contains(&"invalid StructureDefinition.type".to_owned()), "{found:?}");
    let context = json!({"context": [{"type": "element", "expression": "Patient"}]});
    assert_eq!(profile(&elements, &context), ["invalid StructureDefinition.context[0]"]);
}

#[test]
fn an_extension_is_named_by_its_url_and_stands_on_elements_there_are() {
    let extension = |fixed: &str, context: &str| {
        let elements = json!([
            element("Extension", &json!({})),
            element("Extension.url", &json!({"fixedUri": fixed})),
            element("Extension.value[x]", &json!({"type": [{"code": "string"}]}))
        ]);
        profile(
            &elements,
            &json!({"type": "Extension", "kind": "complex-type",
            "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
            "context": [{"type": "element", "expression": context}]}),
        )
    };
    assert_eq!(extension("http://example.org/sd", "Patient.contact.name"), [""; 0]);
    assert_eq!(extension("http://example.org/other", "Patient"), ["invalid StructureDefinition"]);
    assert_eq!(extension("http://example.org/sd", "Patient.shoeSize"), ["invalid StructureDefinition.context[0]"]);
}

#[test]
fn a_question_depends_on_another_that_there_is() {
    let form = |question: &Json| {
        errors(&json!({"resourceType": "Questionnaire", "url": "http://example.org/q", "status": "draft", "item": [
            {"linkId": "1", "type": "boolean", "text": "a"},
            {"linkId": "2", "type": "group", "text": "b", "item": [{"linkId": "2.1", "type": "string", "text": "c"}],
                "enableWhen": [with(&json!({"operator": "exists", "answerBoolean": true}), question)]}
        ]}))
    };
    assert_eq!(form(&json!({"question": "1"})), [""; 0]);
    for wrong in ["2", "2.1", "9"] {
        assert_eq!(form(&json!({ "question": wrong })), ["business-rule Questionnaire.item[1]"], "{wrong}");
    }
}

#[test]
fn a_search_parameter_is_read_by_an_expression() {
    let parameter = |members: Json| {
        let own = json!({"resourceType": "SearchParameter", "url": "http://example.org/sp", "name": "Own",
            "status": "draft", "description": "x", "code": "x", "base": ["Patient"], "type": "string",
            "expression": "Patient.name.family"});
        errors(&with(&own, &members))
    };
    assert_eq!(parameter(json!({})), [""; 0]);
    assert_eq!(parameter(json!({"expression": "Patient.name("})), ["invalid SearchParameter.expression"]);
    assert_eq!(parameter(json!({"expression": "Patient.shoeSize"})), ["invalid SearchParameter.expression"]);
    assert_eq!(parameter(json!({"type": "composite"})), ["business-rule SearchParameter"]);
    // What follows a chain by recursion must not take the process with it.
    let chain = format!("1{}", "+1".repeat(200_000));
    assert_eq!(parameter(json!({"expression": chain})), ["invalid SearchParameter.expression"]);
}

#[test]
fn a_guide_depends_on_others_by_their_canonicals() {
    let guide = |uri: &str| {
        errors(&json!({"resourceType": "ImplementationGuide", "url": "http://example.org/ig", "name": "Own",
            "status": "draft", "packageId": "own", "fhirVersion": ["4.0.1"],
            "dependsOn": [{"uri": uri, "version": "1.0.0"}]}))
    };
    assert_eq!(guide("http://example.org/ImplementationGuide/other"), [""; 0]);
    for wrong in [
        "http://example.org/other",
        "http://example.org/ImplementationGuide/other|",
        "http://example.org/ImplementationGuide/other|2",
    ] {
        assert_eq!(guide(wrong), ["business-rule ImplementationGuide.dependsOn[0]"], "{wrong}");
    }
}
