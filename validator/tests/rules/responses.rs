//! Responses against their questionnaires: which items there are, and what they are answered with.

use signalbox_validator::ProfileSet;
use signalbox_validator::json::Document;

use super::support;

const QUESTIONNAIRE: &str = r#"{"resourceType":"Questionnaire","url":"http://example.org/Questionnaire/q","status":"active",
  "item":[
    {"linkId":"smokes","type":"boolean","required":true},
    {"linkId":"much","type":"integer","enableWhen":[{"question":"smokes","operator":"=","answerBoolean":true}],
      "extension":[{"url":"http://hl7.org/fhir/StructureDefinition/maxValue","valueInteger":60}]},
    {"linkId":"colour","type":"choice","repeats":true,"answerOption":[
      {"valueCoding":{"system":"http://a.example","code":"red"}},
      {"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive","valueBoolean":true}],
        "valueCoding":{"system":"http://a.example","code":"none"}}]},
    {"linkId":"group","type":"group","repeats":true,"item":[{"linkId":"note","type":"string","maxLength":5}]}]}"#;

/// Severity, code and place of each issue about the answers.
fn found(status: &str, items: &str) -> Vec<String> {
    let (set, _) =
        ProfileSet::builder().pack(support::PACK).resource("q.json", QUESTIONNAIRE.as_bytes()).build().unwrap();
    let response = format!(
        r#"{{"resourceType":"QuestionnaireResponse","questionnaire":"http://example.org/Questionnaire/q","status":"{status}","item":[{items}]}}"#
    );
    let issues = set.validate(&Document::read(response.as_bytes()).unwrap());
    issues
        .iter()
        .map(|issue| format!("{} {} {}", issue.severity.as_str(), issue.code.as_str(), issue.expression))
        .collect()
}

const SMOKES: &str = r#"{"linkId":"smokes","answer":[{"valueBoolean":true}]}"#;
const PLACE: &str = "QuestionnaireResponse.item";

#[test]
fn a_response_that_answers_its_questionnaire_has_no_issue() {
    let good = format!(
        r#"{SMOKES},{{"linkId":"much","answer":[{{"valueInteger":20}}]}},
           {{"linkId":"colour","answer":[{{"valueCoding":{{"system":"http://a.example","code":"red"}}}}]}},
           {{"linkId":"group","item":[{{"linkId":"note","answer":[{{"valueString":"short"}}]}}]}},{{"linkId":"group"}}"#
    );
    assert_eq!(found("completed", &good), [""; 0]);
    let started = r#"{"linkId":"group"}"#;
    assert_eq!(found("in-progress", started), [""; 0], "what is required may come later");
}

#[test]
fn items_are_those_of_the_questionnaire_as_often_as_it_says() {
    let cases = [
        (r#"{"linkId":"group"}"#.to_owned(), "error required QuestionnaireResponse".to_owned()),
        (r#"{"linkId":"smokes"}"#.to_owned(), format!("error required {PLACE}[0]")),
        (format!(r#"{SMOKES},{{"linkId":"other"}}"#), format!("error structure {PLACE}[1]")),
        (format!(r#"{{"linkId":"group"}},{SMOKES}"#), format!("error structure {PLACE}[1]")),
        (format!("{SMOKES},{SMOKES}"), format!("error invalid {PLACE}[1]")),
        (
            r#"{"linkId":"smokes","answer":[{"valueBoolean":false}]},{"linkId":"much","answer":[{"valueInteger":1}]}"#
                .to_owned(),
            format!("error invariant {PLACE}[1]"),
        ),
        (
            format!(r#"{SMOKES},{{"linkId":"much","answer":[{{"valueInteger":1}},{{"valueInteger":2}}]}}"#),
            format!("error invalid {PLACE}[1]"),
        ),
    ];
    for (items, expected) in cases {
        assert_eq!(found("completed", &items), [expected], "{items}");
    }
}

#[test]
fn an_answer_is_of_the_type_and_among_the_options_and_within_the_limits() {
    let cases = [
        (r#"{"linkId":"much","answer":[{"valueString":"20"}]}"#, "answer[0].value.ofType(string)"),
        (r#"{"linkId":"much","answer":[{"valueInteger":61}]}"#, "answer[0].value.ofType(integer)"),
        (
            r#"{"linkId":"colour","answer":[{"valueCoding":{"system":"http://a.example","code":"blue"}}]}"#,
            "answer[0].value.ofType(Coding)",
        ),
        (
            r#"{"linkId":"colour","answer":[{"valueCoding":{"system":"http://a.example","code":"red"}},{"valueCoding":{"system":"http://a.example","code":"none"}}]}"#,
            "answer[1]",
        ),
        (
            r#"{"linkId":"group","item":[{"linkId":"note","answer":[{"valueString":"too long"}]}]}"#,
            "item[0].answer[0].value.ofType(string)",
        ),
    ];
    for (item, place) in cases {
        assert_eq!(
            found("completed", &format!("{SMOKES},{item}")),
            [format!("error invariant {PLACE}[1].{place}")],
            "{item}"
        );
    }
}

#[test]
fn a_questionnaire_that_nobody_has_is_told_of() {
    let text = |canonical: &str| {
        format!(r#"{{"resourceType":"QuestionnaireResponse","questionnaire":"{canonical}","status":"completed"}}"#)
    };
    let severity = |canonical: &str| {
        let issues = super::issues(&text(canonical));
        issues.iter().map(|issue| issue.severity.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(severity("http://example.org/Questionnaire/none"), ["information"]);
    assert_eq!(severity("http://example.org/ValueSet/v"), ["error"]);
}
