//! Bindings: required codes of HL7's own systems are checked, other people's are said not to be.

use signalbox_validator::{IssueCode, Rule, Severity};

use super::{accepts, issues, patient, refuses, remarks};

#[test]
fn a_required_code_is_in_its_value_set() {
    accepts(&patient(r#""gender":"female""#));
    refuses(&patient(r#""gender":"F""#), Rule::Binding, IssueCode::CodeInvalid, "Patient.gender");
    let message = &issues(&patient(r#""gender":"F""#))[0].message;
    assert!(message.ends_with("expected female, male, other, unknown."), "{message}");
    assert!(message.contains("'F'"), "{message}");
}

#[test]
fn a_required_concept_has_a_coding_in_its_value_set() {
    let condition = |status: &str| {
        format!(r#"{{"resourceType":"Condition","subject":{{"display":"a"}},"clinicalStatus":{status}}}"#)
    };
    let system = "http://terminology.hl7.org/CodeSystem/condition-clinical";
    accepts(&condition(&format!(
        r#"{{"coding":[{{"system":"u:other","code":"1"}},{{"system":"{system}","code":"active"}}]}}"#
    )));
    for bad in [
        r#"{"coding":[{"system":"u:other","code":"active"}]}"#,
        r#"{"coding":[{"code":"active"}]}"#,
        r#"{"text":"active"}"#,
    ] {
        refuses(&condition(bad), Rule::Binding, IssueCode::CodeInvalid, "Condition.clinicalStatus");
    }
}

#[test]
fn an_extensible_binding_only_warns() {
    let status = r#""maritalStatus":{"coding":[{"system":"http://example.org/status","code":"?"}]}"#;
    remarks(&patient(status), Severity::Warning, Rule::Binding, "Patient.maritalStatus");
    accepts(&patient(r#""maritalStatus":{"text":"married"}"#));
}

#[test]
fn a_code_is_one_of_its_system() {
    let tagged =
        |system: &str, code: &str| patient(&format!(r#""meta":{{"tag":[{{"system":"{system}","code":"{code}"}}]}}"#));
    accepts(&tagged("http://hl7.org/fhir/administrative-gender", "male"));
    accepts(&tagged("http://example.org/colours", "green"));
    let place = "Patient.meta.tag[0]";
    let unknown = tagged("http://hl7.org/fhir/administrative-gender", "M");
    refuses(&unknown, Rule::CodeSystem, IssueCode::CodeInvalid, place);
    // This one is published apart from FHIR and may have grown.
    let elsewhere = tagged("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "?");
    remarks(&elsewhere, Severity::Warning, Rule::CodeSystem, place);
    remarks(&tagged("gender", "male"), Severity::Warning, Rule::CodeSystem, place);
    let identifier = patient(r#""identifier":[{"system":"nhs-number","value":"1"}]"#);
    refuses(&identifier, Rule::CodeSystem, IssueCode::Value, "Patient.identifier[0]");
}

#[test]
fn what_is_not_carried_is_said_once_not_to_be_checked() {
    let price = |currency: &str| format!(r#"{{"value":1,"currency":"{currency}"}}"#);
    let invoice = format!(
        r#"{{"resourceType":"Invoice","status":"draft","totalNet":{},"totalGross":{}}}"#,
        price("GBP"),
        price("EUR")
    );
    remarks(&invoice, Severity::Information, Rule::Binding, "Invoice.totalNet.currency");
}

#[test]
fn a_grammar_has_no_list_to_be_checked_against() {
    accepts(&patient(r#""photo":[{"contentType":"image/png","url":"http://example.org/a"}]"#));
}
