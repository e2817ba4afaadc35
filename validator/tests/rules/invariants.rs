//! Invariants of types, at the element they are of, by their severity, wherever the resource stands.

use signalbox_validator::json::Document;
use signalbox_validator::{IssueCode, Options, ProfileSet, Rule, Severity};

use super::{accepts, patient, refuses, remarks, support};

#[test]
fn an_invariant_is_told_at_its_element() {
    let contact = |members: &str| patient(&format!(r#""contact":[{{"gender":"male"}},{{{members}}}]"#));
    refuses(&patient(r#""contact":[{"gender":"male"}]"#), Rule::Invariant, IssueCode::Invariant, "Patient.contact[0]");
    let issues = super::issues(&contact(r#""name":{"text":"A"}"#));
    assert_eq!(issues.iter().map(|issue| issue.expression.as_str()).collect::<Vec<_>>(), ["Patient.contact[0]"]);
    let period = |start: &str, end: &str| {
        patient(&format!(r#""name":[{{"text":"A","period":{{"start":"{start}","end":"{end}"}}}}]"#))
    };
    accepts(&period("2020-01-01", "2020-01-01"));
    refuses(&period("2020-02", "2020-01"), Rule::Invariant, IssueCode::Invariant, "Patient.name[0].period");
}

#[test]
fn resources_inside_others_are_held_to_their_invariants() {
    let organization = r#"{"resourceType":"Organization","id":"o"}"#;
    let contained = patient(&format!(r##""contained":[{organization}],"managingOrganization":{{"reference":"#o"}}"##));
    refuses(&contained, Rule::Invariant, IssueCode::Invariant, "Patient.contained[0]");
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"fullUrl":"http://a.example/Organization/o","resource":{organization}}}]}}"#
    );
    refuses(&bundle, Rule::Invariant, IssueCode::Invariant, "Bundle.entry[0].resource");
}

#[test]
fn an_invariant_may_be_a_warning() {
    let named = |name: &str| format!(r#"{{"resourceType":"Questionnaire","status":"draft","name":"{name}"}}"#);
    accepts(&named("Admission"));
    remarks(&named("an admission"), Severity::Warning, Rule::Invariant, "Questionnaire");
}

#[test]
fn a_faulty_expression_of_a_profile_is_named_and_is_no_error_of_the_resource() {
    let profile = r#"{"resourceType":"StructureDefinition","url":"http://example.org/P","name":"P","status":"draft",
        "kind":"resource","abstract":false,"type":"Patient","derivation":"constraint",
        "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","differential":{"element":[
        {"id":"Patient","path":"Patient","constraint":[
            {"key":"p-1","severity":"error","human":"a","expression":"name.exists("},
            {"key":"p-2","severity":"error","human":"b","expression":"birthDate.exists()"},
            {"key":"p-3","severity":"warning","human":"c","expression":"name.frist().exists()"}]}]}}"#;
    let (set, _) = ProfileSet::builder().pack(support::PACK).resource("p.json", profile.as_bytes()).build().unwrap();
    let text = patient(r#""active":true"#);
    let document = Document::read(text.as_bytes()).unwrap();
    let options = Options { profiles: vec!["http://example.org/P".to_owned()], ..Options::default() };
    let issues = set.validate_with(&document, &options);
    let told: Vec<_> = issues.iter().map(|issue| (issue.severity, issue.code, issue.message.as_str())).collect();
    let [
        (Severity::Warning, IssueCode::Exception, faulty),
        (Severity::Error, IssueCode::Invariant, broken),
        (Severity::Warning, IssueCode::Exception, unknown),
    ] = told.as_slice()
    else {
        panic!("{told:#?}")
    };
    assert!(faulty.contains("p-1") && broken.contains("p-2") && unknown.contains("p-3"), "{told:#?}");
}

#[test]
fn a_profile_that_asks_about_itself_has_an_end() {
    let profile = r#"{"resourceType":"StructureDefinition","url":"http://example.org/R","name":"R","status":"draft",
        "kind":"resource","abstract":false,"type":"Patient","derivation":"constraint",
        "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","differential":{"element":[
        {"id":"Patient","path":"Patient","constraint":[
            {"key":"r-1","severity":"error","human":"a","expression":"conformsTo('http://example.org/R')"},
            {"key":"r-2","severity":"error","human":"b","expression":"conformsTo('http://example.org/R') or true"}]}]}}"#;
    let (set, _) = ProfileSet::builder().pack(support::PACK).resource("r.json", profile.as_bytes()).build().unwrap();
    let text = patient(r#""active":true"#);
    let options = Options { profiles: vec!["http://example.org/R".to_owned()], ..Options::default() };
    let issues = set.validate_with(&Document::read(text.as_bytes()).unwrap(), &options);
    // Deep inside, the question is not answered any more, which is a warning there and no error here.
    assert!(issues.iter().all(|issue| !issue.severity.is_error()), "{issues:#?}");
}
