//! What a caller may ask for besides, and rules that hold anywhere.

use serde_json::json;
use signalbox_validator::{Options, Severity};

use super::{errors, errors_with};

#[test]
fn text_with_html_in_it_is_an_error_where_the_caller_asks() {
    let strict = Options { embedded_html: Severity::Error, ..Options::default() };
    let named = |text: &str| json!({"resourceType": "Patient", "name": [{"text": text}]});
    assert_eq!(errors_with(&named("<script>x()</script>"), &strict), ["invalid Patient.name[0].text"]);
    assert_eq!(errors_with(&named("pulse <60"), &strict), [""; 0]);
    assert_eq!(errors(&named("<script>x()</script>")), [""; 0]);
}

#[test]
fn targets_are_in_the_document_where_the_caller_asks() {
    let here = Options { targets_here: true, ..Options::default() };
    let parameters = |subject: &str| {
        json!({"resourceType": "Parameters", "parameter": [
            {"name": "a", "resource": {"resourceType": "Patient", "id": "1"}},
            {"name": "b", "resource": {"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                "subject": {"reference": subject}}}
        ]})
    };
    assert_eq!(errors_with(&parameters("Patient/1"), &here), [""; 0]);
    assert_eq!(errors_with(&parameters("Patient/2"), &here), ["structure Parameters.parameter[1].resource.subject"]);
    assert_eq!(errors(&parameters("Patient/2")), [""; 0]);
}

#[test]
fn an_extension_stands_where_its_conditions_hold() {
    let item = |kind: &str, repeats: bool| {
        let least =
            json!({"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-minOccurs", "valueInteger": 2});
        errors(&json!({"resourceType": "Questionnaire", "url": "http://example.org/q", "status": "draft", "item": [
            {"linkId": "1", "type": kind, "text": "a", "repeats": repeats, "required": true, "extension": [least]}]}))
    };
    assert_eq!(item("string", true), [""; 0]);
    let contradicted = item("display", false);
    assert!(contradicted.iter().any(|error| error.starts_with("structure Questionnaire.item[0]")), "{contradicted:?}");
}

#[test]
fn contained_resources_have_an_id_each() {
    let twice = json!({"resourceType": "Patient", "managingOrganization": {"reference": "#o"}, "contained": [
        {"resourceType": "Organization", "id": "o", "name": "A"}, {"resourceType": "Organization", "id": "o", "name": "B"}
    ]});
    assert_eq!(errors(&twice), ["duplicate Patient.contained[1]"]);
}

#[test]
fn a_narrative_is_told_what_is_wrong_with_it() {
    let told = |div: &str| {
        let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{div}</div>");
        errors(&json!({"resourceType": "Patient", "text": {"status": "generated", "div": div}}))
    };
    let at = "Patient.text.div";
    assert_eq!(told("<p>fine<br/>&#169;</p>"), [""; 0]);
    assert_eq!(told("<script>x()</script>"), [format!("invariant {at}"), format!("invalid {at}")]);
    assert_eq!(told("<a href=\"javascript:x()\">x</a>"), [format!("invalid {at}")]);
    assert_eq!(told("&copy;"), [format!("invalid {at}")]);
    assert_eq!(told("<a href=\"#gone\">x</a>"), [format!("invalid {at}")]);
    assert_eq!(told("<p><div>x</div></p>"), [format!("structure {at}")]);
    assert_eq!(told("  "), [format!("invariant {at}")]);
}
