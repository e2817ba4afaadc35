//! Bindings: required codes of HL7's own systems are checked, other people's are said not to be.

use signalbox_validator::json::Document;
use signalbox_validator::{IssueCode, Options, Rule, Severity};

use super::{accepts, issues, patient, refuses, remarks, support};

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
    remarks(
        &patient(r#""maritalStatus":{"text":"married"}"#),
        Severity::Warning,
        Rule::Binding,
        "Patient.maritalStatus",
    );
}

#[test]
fn a_code_is_one_of_its_system() {
    let tagged =
        |system: &str, code: &str| patient(&format!(r#""meta":{{"tag":[{{"system":"{system}","code":"{code}"}}]}}"#));
    accepts(&tagged("http://hl7.org/fhir/administrative-gender", "male"));
    accepts(&tagged("http://example.org/colours", "green"));
    let unknown = tagged("http://hl7.org/fhir/administrative-gender", "M");
    refuses(&unknown, Rule::CodeSystem, IssueCode::CodeInvalid, "Patient.meta.tag[0].code");
    for system in ["gender", "http://hl7.org/fhir/ValueSet/administrative-gender"] {
        refuses(&tagged(system, "male"), Rule::CodeSystem, IssueCode::CodeInvalid, "Patient.meta.tag[0]");
    }
    let alone = patient(r#""meta":{"tag":[{"code":"male"}]}"#);
    remarks(&alone, Severity::Warning, Rule::CodeSystem, "Patient.meta.tag[0]");
    // Of a version that is not carried nothing is known.
    let version = r#"{"system":"http://hl7.org/fhir/administrative-gender","version":"9","code":"M"}"#;
    accepts(&patient(&format!(r#""meta":{{"tag":[{version}]}}"#)));
    // A concept may say the same in a system of its own.
    let local = patient(r#""maritalStatus":{"coding":[{"system":"marital","code":"?"}]}"#);
    assert!(issues(&local).iter().all(|issue| issue.severity == Severity::Warning), "{local}");
    let identifier = patient(r#""identifier":[{"system":"nhs-number","value":"1"}]"#);
    refuses(&identifier, Rule::CodeSystem, IssueCode::CodeInvalid, "Patient.identifier[0]");
}

#[test]
fn a_display_is_one_of_its_code() {
    let married = |display: &str| {
        let system = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus";
        patient(&format!(r#""maritalStatus":{{"coding":[{{"system":"{system}","code":"M","display":"{display}"}}]}}"#))
    };
    accepts(&married("Married"));
    accepts(&married("MARRIED"));
    let place = "Patient.maritalStatus.coding[0].display";
    for wrong in ["Divorced", "Mar ried"] {
        refuses(&married(wrong), Rule::CodeSystem, IssueCode::Invalid, place);
    }
    let options = Options { wrong_display: Severity::Warning, ..Options::default() };
    let text = married("Divorced");
    let document = Document::read(text.as_bytes()).unwrap();
    let found = support::profiles().validate_with(&document, &options);
    assert_eq!(found.iter().map(|issue| issue.severity).collect::<Vec<_>>(), [Severity::Warning]);
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
