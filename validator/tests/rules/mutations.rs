//! One thing broken anywhere in a valid resource gives exactly one issue, there.

use proptest::prelude::*;
use serde_json::Value;
use signalbox_validator::{Rule, Severity};

use super::issues;

const FIXTURE: &str = r##"{
  "resourceType": "Patient",
  "id": "example",
  "meta": {"profile": ["http://example.org/StructureDefinition/p"], "lastUpdated": "2024-02-29T10:00:00+01:00"},
  "text": {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>a</div>"},
  "contained": [{"resourceType": "Organization", "id": "o", "name": "Somewhere"}],
  "extension": [{"url": "http://example.org/x", "extension": [{"url": "part", "valueDecimal": 1.50}]}],
  "identifier": [{"use": "official", "system": "http://example.org/id", "value": "1"}],
  "active": true,
  "name": [{"use": "usual", "family": "Rivers", "given": ["Ada", "Bo"], "_given": [null, {"extension": [
    {"url": "http://example.org/y", "valueCode": "z"}]}]}],
  "birthDate": "2001-02-03",
  "deceasedBoolean": false,
  "contact": [{"relationship": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "N"}]}], "name": {"text": "Bo"}, "period": {"start": "2020"}}],
  "communication": [{"language": {"text": "Welsh"}, "preferred": true}],
  "managingOrganization": {"reference": "#o"},
  "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}]
}"##;

/// Where the fixture's values are, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| places(value, &format!("{at}/{key}"), found)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Changes each place in turn and hands the document's issues to `judge`.
fn at_each_place(change: impl Fn(&mut Value) -> bool, judge: impl Fn(&str, &[signalbox_validator::Issue])) {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    assert_eq!(issues(&fixture.to_string()), []);
    let mut all = Vec::new();
    places(&fixture, "", &mut all);
    let mut judged = 0;
    for place in all {
        let mut broken = fixture.clone();
        if change(broken.pointer_mut(&place).unwrap()) {
            judge(&place, &issues(&broken.to_string()));
            judged += 1;
        }
    }
    assert!(judged > 5);
}

#[test]
fn an_unknown_property_in_any_object_is_one_issue() {
    let add = |value: &mut Value| {
        let Value::Object(members) = value else { return false };
        members.insert("unheardOf".to_owned(), Value::Bool(true));
        true
    };
    at_each_place(add, |place, issues| {
        let [issue] = issues else { panic!("{place}: {issues:#?}") };
        assert_eq!(issue.rule, Rule::Structure, "{place}");
    });
}

#[test]
fn an_empty_string_anywhere_is_one_error_about_that_place() {
    let empty = |value: &mut Value| {
        let string = matches!(value, Value::String(text) if text != "Patient" && text != "Organization");
        if string {
            *value = Value::String(String::new());
        }
        string
    };
    at_each_place(empty, |place, issues| {
        let formats: Vec<_> = issues.iter().filter(|issue| issue.rule == Rule::PrimitiveFormat).collect();
        // What refers to the emptied value may complain as well, but about itself.
        let others = issues.iter().filter(|issue| issue.rule != Rule::PrimitiveFormat);
        assert_eq!(formats.len(), 1, "{place}: {issues:#?}");
        for issue in others {
            assert!(
                matches!(
                    issue.rule,
                    Rule::Reference
                        | Rule::Contained
                        | Rule::Extension
                        | Rule::Invariant
                        | Rule::Binding
                        | Rule::CodeSystem
                ),
                "{place}: {issue:#?}"
            );
        }
        assert!(formats[0].severity == Severity::Error);
    });
}

#[test]
fn an_array_emptied_anywhere_is_one_issue_and_what_it_leaves_missing() {
    let empty = |value: &mut Value| {
        let Value::Array(items) = value else { return false };
        // Others depend on these two.
        let free = !items.iter().any(|item| item.get("resourceType").is_some() || item.is_null() || *item == "Bo");
        if free {
            items.clear();
        }
        free
    };
    at_each_place(empty, |place, issues| {
        let about = |rule| issues.iter().filter(|issue| issue.rule == rule).count();
        assert_eq!(about(Rule::Content), 1, "{place}: {issues:#?}");
        // What is required is missing where it was emptied.
        let left: usize =
            [Rule::Content, Rule::Cardinality, Rule::Extension, Rule::Binding].into_iter().map(about).sum();
        assert_eq!(left, issues.len(), "{place}: {issues:#?}");
    });
}

/// Any JSON, with keys that mean something in many places.
fn any_content() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "id",
        "extension",
        "_value",
        "value",
        "name",
        "coding",
        "system",
        "code",
        "reference",
        "resource",
        "contained",
        "resourceType",
        "valueString",
        "_valueString",
        "valueCodeableConcept",
        "url",
        "entry",
        "text",
        "given",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "Patient",
            "Bundle",
            "#",
            "#a",
            "Patient/1",
            "male",
            "2020-02-29T10:00:00Z",
            "é"
        ])
        .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..6)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn anything_anywhere_is_judged_and_every_issue_stands_in_the_text(
        content in any_content(), at in any::<prop::sample::Index>(), pretty in any::<bool>(),
    ) {
        let mut document: Value = serde_json::from_str(FIXTURE).unwrap();
        let mut all = Vec::new();
        places(&document, "", &mut all);
        let place: &String = at.get(&all);
        *document.pointer_mut(place).unwrap() = content;
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
        let text = text.unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for issue in issues(&text) {
            let line = lines.get(issue.line as usize - 1);
            prop_assert!(line.is_some_and(|line| issue.column as usize <= line.chars().count()), "{issue}");
            prop_assert!(!issue.message.is_empty() && !issue.expression.is_empty());
        }
    }
}
