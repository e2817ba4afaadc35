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
fn a_document_whose_invariants_take_too_long_is_refused_and_told_so_once() {
    let profile = r#"{"resourceType":"StructureDefinition","url":"http://example.org/C","name":"C","status":"draft",
        "kind":"resource","abstract":false,"type":"Patient","derivation":"constraint",
        "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","differential":{"element":[
        {"id":"Patient.name","path":"Patient.name","constraint":[
            {"key":"c-1","severity":"error","human":"a","expression":"%resource.name.where(family = 'B').empty()"}]}]}}"#;
    let (set, _) = ProfileSet::builder().pack(support::PACK).resource("c.json", profile.as_bytes()).build().unwrap();
    let issues = |count: usize| {
        let names = vec![r#"{"family":"A"}"#; count].join(",");
        let text = patient(&format!(r#""name":[{names}]"#));
        let document = Document::read(text.as_bytes()).unwrap();
        let options = Options { profiles: vec!["http://example.org/C".to_owned()], ..Options::default() };
        set.validate_with(&document, &options).into_iter().map(|issue| (issue.severity, issue.code)).collect::<Vec<_>>()
    };
    assert_eq!(issues(100), []);
    assert_eq!(issues(1_500), [(Severity::Error, IssueCode::TooCostly)]);
}

#[test]
fn groups_times_questions_are_not_more_than_a_document_may_cost() {
    let questions = (0..1_700).map(|number| format!(r#"{{"linkId":"q{number}","type":"string","text":"a"}}"#));
    let questions = questions.collect::<Vec<_>>().join(",");
    let response = |groups: usize| {
        let groups = vec![r#"{"linkId":"g"}"#; groups].join(",");
        format!(
            r##"{{"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"#q","contained":[
            {{"resourceType":"Questionnaire","id":"q","status":"draft","item":[{{"linkId":"g","type":"group","text":"a",
            "repeats":true,"item":[{questions}]}}]}}],"item":[{groups}]}}"##
        )
    };
    accepts(&response(10));
    let costly = super::issues(&response(1_700));
    assert_eq!(costly.iter().filter(|issue| issue.code == IssueCode::TooCostly).count(), 1, "{costly:#?}");
}

#[test]
fn what_is_long_is_judged_all_the_same() {
    let list = |count: u32, each: &dyn Fn(String) -> String| {
        (0..count).map(|number| each(number.to_string())).collect::<Vec<_>>().join(",")
    };
    let contained = list(1_200, &|id| format!(r#"{{"resourceType":"Organization","id":"o{id}","name":"A"}}"#));
    let references = list(1_200, &|id| format!(r##"{{"reference":"#o{id}"}}"##));
    accepts(&patient(&format!(r#""contained":[{contained}],"generalPractitioner":[{references}]"#)));

    let elements = list(2_000, &|id| {
        format!(r#"{{"id":"Patient.extension:s{id}","path":"Patient.extension","sliceName":"s{id}"}}"#)
    });
    let definition = format!(
        r#"{{"resourceType":"StructureDefinition","url":"http://example.org/L","name":"L","status":"draft",
        "kind":"resource","abstract":false,"type":"Patient","derivation":"constraint",
        "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","differential":{{"element":[{elements}]}}}}"#
    );
    let issues = super::issues(&definition);
    let unjudged: Vec<_> =
        issues.iter().filter(|issue| issue.rule == Rule::Invariant || issue.code == IssueCode::TooCostly).collect();
    assert!(unjudged.is_empty(), "{unjudged:#?}");

    let items = list(1_200, &|id| {
        let before = id.parse::<u32>().unwrap().saturating_sub(1);
        let when = format!(r#"{{"question":"q{before}","operator":"exists","answerBoolean":true}}"#);
        let when = if id == "0" { String::new() } else { format!(r#","enableWhen":[{when}]"#) };
        format!(r#"{{"linkId":"q{id}","type":"boolean","text":"a"{when}}}"#)
    });
    accepts(&format!(r#"{{"resourceType":"Questionnaire","status":"draft","item":[{items}]}}"#));
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

const COLOURS: &str = r#"{"resourceType":"CodeSystem","url":"http://example.org/colours","status":"active","content":"complete",
    "concept":[{"code":"red"},{"code":"green"},{"code":"blue"}]}"#;

fn value_set(name: &str, codes: &[&str]) -> String {
    let codes: Vec<String> = codes.iter().map(|code| format!(r#"{{"code":"{code}"}}"#)).collect();
    format!(
        r#"{{"resourceType":"ValueSet","url":"http://example.org/{name}","status":"active","compose":{{"include":[
        {{"system":"http://example.org/colours","concept":[{}]}}]}}}}"#,
        codes.join(",")
    )
}

/// Expressions of the errors of a patient with this marital status, against a profile with this element.
fn errors_of_status(element: &str, code: &str) -> Vec<String> {
    let profile = format!(
        r#"{{"resourceType":"StructureDefinition","url":"http://example.org/P","name":"P","status":"draft",
        "kind":"resource","abstract":false,"type":"Patient","derivation":"constraint",
        "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","differential":{{"element":[
        {{"id":"Patient.maritalStatus","path":"Patient.maritalStatus",{element}}}]}}}}"#
    );
    let sets = [value_set("few", &["red"]), value_set("most", &["red", "green"])];
    let builder = ProfileSet::builder().pack(support::PACK).resource("p.json", profile.as_bytes());
    let builder = builder.resource("colours.json", COLOURS.as_bytes());
    let builder = sets.iter().fold(builder, |builder, set| builder.resource("set.json", set.as_bytes()));
    let (set, warnings) = builder.build().unwrap();
    assert!(warnings.iter().all(|warning| warning.source == "hl7.fhir.r4.core"), "{warnings:?}");
    let status = format!(r#""maritalStatus":{{"coding":[{{"system":"http://example.org/colours","code":"{code}"}}]}}"#);
    let text = patient(&status);
    let document = Document::read(text.as_bytes()).unwrap();
    let options = Options { profiles: vec!["http://example.org/P".to_owned()], ..Options::default() };
    let errors = set.validate_with(&document, &options).into_iter().filter(|issue| issue.severity == Severity::Error);
    errors.map(|issue| issue.expression).collect()
}

#[test]
fn an_invariant_may_ask_whether_a_code_is_in_a_value_set() {
    let asks = |set: &str| {
        format!(
            r#""constraint":[{{"key":"p-1","severity":"error","human":"a","expression":"memberOf('http://example.org/{set}')"}}]"#
        )
    };
    assert_eq!(errors_of_status(&asks("few"), "red"), [""; 0]);
    assert_eq!(errors_of_status(&asks("few"), "green"), ["Patient.maritalStatus"]);
    assert_eq!(errors_of_status(&asks("nobody-has-it"), "green"), [""; 0], "what nobody can tell is no fault");
}

#[test]
fn a_code_outside_the_largest_value_set_is_an_error_whatever_the_strength() {
    let binding = r#""binding":{"strength":"extensible","valueSet":"http://example.org/few","extension":[{"url":
        "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet","valueCanonical":"http://example.org/most"}]}"#;
    assert_eq!(errors_of_status(binding, "red"), [""; 0]);
    assert_eq!(errors_of_status(binding, "green"), [""; 0]);
    assert!(!errors_of_status(binding, "blue").is_empty());
}
