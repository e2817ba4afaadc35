//! Codes of systems that are not loaded become questions with their places, and answers become issues there.

use std::sync::OnceLock;

use signalbox_validator::json::Document;
use signalbox_validator::{CodeAnswer, CodeQuestion, Issue, Options, ProfileSet, Questions, Unanswered};

use super::support;

const SNOMED: &str = "http://snomed.info/sct";

/// Base R4, and a profile of Condition that binds `code` required and `severity` extensible to sets nobody has.
fn profiles() -> &'static ProfileSet {
    static PROFILES: OnceLock<ProfileSet> = OnceLock::new();
    let binding = |strength: &str, set: &str| serde_json::json!({ "strength": strength, "valueSet": set });
    PROFILES.get_or_init(|| {
        let profile = serde_json::json!({
            "resourceType": "StructureDefinition", "url": "http://example.org/bound", "version": "1", "name": "Bound",
            "status": "active", "fhirVersion": "4.0.1", "kind": "resource", "abstract": false, "type": "Condition",
            "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Condition", "derivation": "constraint",
            "differential": { "element": [
                { "id": "Condition", "path": "Condition" },
                { "id": "Condition.code", "path": "Condition.code",
                  "binding": binding("required", "http://example.org/vs/problems|3") },
                { "id": "Condition.severity", "path": "Condition.severity",
                  "binding": binding("extensible", "http://example.org/vs/severities") },
            ] },
        });
        let builder = ProfileSet::builder().pack(support::PACK).resource("bound", profile.to_string().into_bytes());
        builder.build().expect("the profile can be used").0
    })
}

fn condition(members: &str) -> String {
    format!(
        r#"{{"resourceType":"Condition","meta":{{"profile":["http://example.org/bound"]}},"subject":{{"display":"a"}},
"code":{{"coding":[{{"system":"http://example.org/local","code":"1"}}]}},{members}}}"#
    )
    .replace(r#""code":{"coding":[{"system":"http://example.org/local","code":"1"}]},"code""#, r#""code""#)
}

fn snomed(code: &str) -> String {
    format!(r#"{{"system":"{SNOMED}","code":"{code}","display":"Words"}}"#)
}

fn concept(codings: &[String]) -> String {
    format!(r#"{{"coding":[{}]}}"#, codings.join(","))
}

fn ask(text: &str) -> (Vec<Issue>, Questions) {
    let document = Document::read(text.as_bytes()).expect("the test's JSON is well formed");
    profiles().validate_asking(&document, &Options::default(), &[SNOMED.to_owned()])
}

/// Severity, place and code of what is found when the questions are answered like this.
fn answered(text: &str, answer: impl Fn(&CodeQuestion) -> Option<CodeAnswer>) -> (Vec<String>, Unanswered) {
    let (mut issues, questions) = ask(text);
    let unanswered = questions.settle(&mut issues, |question, _| answer(question));
    let told = |issue: &Issue| format!("{} {} {}", issue.severity, issue.code, issue.expression);
    (issues.iter().map(told).collect(), unanswered)
}

fn right(displays: &[&str]) -> CodeAnswer {
    CodeAnswer::Right(displays.iter().map(|display| (*display).to_owned()).collect())
}

#[test]
fn codes_of_systems_that_may_be_asked_about_become_questions() {
    let text = condition(&format!(
        r#""code":{},"severity":{},"bodySite":[{}],"evidence":[{{"code":[{}]}}]"#,
        concept(&[snomed("1")]),
        concept(&[snomed("2"), r#"{"system":"http://example.org/local","code":"x"}"#.to_owned()]),
        concept(&[snomed("3").replacen("\"code\"", "\"version\":\"v\",\"code\"", 1)]),
        concept(&[snomed("a name | and more"), r#"{"system":"http://loinc.org","code":"1-1"}"#.to_owned()]),
    ));
    let (issues, questions) = ask(&text);
    let told: Vec<_> = questions
        .iter()
        .map(|(asked, display)| (asked.code.as_str(), asked.version.as_deref(), asked.value_set.as_deref(), display))
        .collect();
    let words = Some("Words");
    assert_eq!(
        told,
        [
            ("1", None, Some("http://example.org/vs/problems"), words),
            ("2", None, Some("http://example.org/vs/severities"), words),
            ("3", Some("v"), None, words),
        ],
        "what decides comes first; what may be text, and other systems, are not asked about"
    );
    assert!(issues.is_empty(), "{issues:?}");
    let document = Document::read(text.as_bytes()).unwrap();
    let offline = profiles().validate(&document);
    assert_eq!(offline.len(), 1, "where nobody is asked it is said: {offline:?}");
}

#[test]
fn a_wrong_code_is_as_bad_as_its_binding() {
    let text = condition(&format!(
        r#""code":{},"severity":{},"bodySite":[{}]"#,
        concept(&[snomed("1")]),
        concept(&[snomed("2")]),
        concept(&[snomed("3")])
    ));
    assert_eq!(answered(&text, |_| Some(right(&["words"]))), (vec![], Unanswered::default()));
    let (told, unanswered) = answered(&text, |_| Some(CodeAnswer::Wrong));
    assert_eq!(
        told,
        [
            "error code-invalid Condition.code",
            "warning code-invalid Condition.severity",
            "error code-invalid Condition.bodySite[0].coding[0].code"
        ]
    );
    assert_eq!(unanswered.codes, 0);
    let (told, _) = answered(&text, |_| Some(right(&["Other words", "More"])));
    let places = ["code.coding[0]", "severity.coding[0]", "bodySite[0].coding[0]"];
    assert_eq!(told, places.map(|place| format!("error invalid Condition.{place}.display")));
}

#[test]
fn one_code_of_a_concept_is_enough() {
    let text = condition(&format!(r#""code":{}"#, concept(&[snomed("1"), snomed("2")])));
    let one = |right_code: &'static str| {
        answered(&text, |asked| Some(if asked.code == right_code { right(&[]) } else { CodeAnswer::Wrong })).0
    };
    assert_eq!(one("1"), one("2"));
    assert_eq!(one("1"), Vec::<String>::new());
    assert_eq!(one("3"), ["error code-invalid Condition.code"]);
    // A code that may not be asked about may be the one.
    let local = r#"{"system":"http://example.org/local","code":"x"}"#.to_owned();
    let text = condition(&format!(r#""code":{}"#, concept(&[snomed("1"), local])));
    assert_eq!(answered(&text, |_| Some(CodeAnswer::Wrong)).0, ["information not-supported Condition.code"]);
}

#[test]
fn what_nobody_answers_is_counted_and_said_as_where_nobody_is_asked() {
    let text = condition(&format!(
        r#""code":{},"severity":{}"#,
        concept(&[snomed("1")]),
        concept(&[snomed("2"), snomed("3")])
    ));
    let remark = vec!["information not-supported Condition.code".to_owned()];
    let (told, unanswered) = answered(&text, |_| None);
    assert_eq!((&told, unanswered.codes, unanswered.first.as_deref()), (&remark, 3, Some("Condition.code")));
    let (told, unanswered) = answered(&text, |_| Some(CodeAnswer::CannotSay));
    assert_eq!((&told, unanswered.codes), (&remark, 0), "that they do not know it either is an answer");
}

#[test]
fn issues_stop_at_five_hundred_also_with_answers() {
    let codings: Vec<String> = (0..600).map(|number| concept(&[snomed(&number.to_string())])).collect();
    let text = condition(&format!(r#""bodySite":[{}]"#, codings.join(",")));
    let (told, _) = answered(&text, |_| Some(CodeAnswer::Wrong));
    assert_eq!(told.len(), 501);
    assert!(told[500].starts_with("error too-costly Condition.bodySite[499]"), "{}", told[500]);
    assert_eq!(answered(&text, |_| Some(right(&["words"]))).0, ["information not-supported Condition.code"]);
}

#[test]
fn a_bare_code_is_of_the_only_system_of_its_value_set() {
    let text = r#"{"resourceType":"Invoice","status":"draft","totalNet":{"value":1,"currency":"XYZ"}}"#;
    let document = Document::read(text.as_bytes()).unwrap();
    let systems = ["urn:iso:std:iso:4217".to_owned()];
    let (mut issues, questions) = profiles().validate_asking(&document, &Options::default(), &systems);
    assert_eq!(questions.iter().map(|(asked, _)| asked.code.as_str()).collect::<Vec<_>>(), ["XYZ"]);
    questions.settle(&mut issues, |_, _| Some(CodeAnswer::Wrong));
    let told: Vec<_> = issues.iter().map(|issue| (issue.severity.as_str(), issue.expression.as_str())).collect();
    assert_eq!(told, [("error", "Invoice.totalNet.currency")]);
}
