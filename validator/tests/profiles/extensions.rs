//! Extensions with a definition: where it may be used, what it may hold, and whether it changes what it is on.

use serde_json::{Value as Json, json};
use signalbox_validator::{Options, ProfileSet, Severity, json::Document};

use super::{found, load, patient, profile};

fn extension(name: &str, context: &Json, elements: &Json) -> Json {
    let mut definition = profile(name, "Extension", elements);
    definition["kind"] = json!("complex-type");
    definition["context"] = context.clone();
    definition
}

/// An extension of one string, for patients and their names.
fn simple(name: &str, modifier: bool) -> Json {
    let context = json!([{"type": "element", "expression": "Patient"}, {"type": "element", "expression": "HumanName"}]);
    let url = format!("http://example.org/{name}");
    extension(
        name,
        &context,
        &json!([
            {"path": "Extension", "max": "1", "isModifier": modifier},
            {"path": "Extension.extension", "max": "0"},
            {"path": "Extension.url", "fixedUri": url},
            {"path": "Extension.value[x]", "min": 1, "type": [{"code": "string"}]}
        ]),
    )
}

fn set() -> ProfileSet {
    let own = json!([
        {"id": "Patient.extension:one", "path": "Patient.extension", "sliceName": "one", "min": 1,
            "type": [{"code": "Extension", "profile": ["http://example.org/one"]}]}
    ]);
    load(&[simple("one", false), simple("changes", true), profile("P", "Patient", &own)])
}

fn one() -> Json {
    json!({"url": "http://example.org/one", "valueString": "x"})
}

#[test]
fn an_extension_holds_what_its_definition_allows() {
    let set = set();
    assert_eq!(found(&set, &patient(&json!({"extension": [one()]}))), [""; 0]);
    assert_eq!(found(&set, &patient(&json!({}))), ["error structure Patient"]);
    assert_eq!(found(&set, &patient(&json!({"extension": [one(), one()]}))), ["error structure Patient"]);
    let other_type = patient(&json!({"extension": [{"url": "http://example.org/one", "valueCode": "x"}]}));
    assert_eq!(found(&set, &other_type), ["error structure Patient.extension[0]"]);
}

#[test]
fn an_extension_is_used_where_it_may_be() {
    let set = set();
    let named = patient(&json!({"extension": [one()], "name": [{"text": "A", "extension": [one()]}]}));
    assert_eq!(found(&set, &named), [""; 0]);
    let misplaced = patient(&json!({"extension": [one()], "maritalStatus": {"text": "A", "extension": [one()]}}));
    assert_eq!(found(&set, &misplaced), ["error structure Patient.maritalStatus"]);
}

#[test]
fn a_modifier_belongs_among_modifiers_and_nothing_else_does() {
    let set = set();
    let changes = json!({"url": "http://example.org/changes", "valueString": "x"});
    let good = patient(&json!({"extension": [one()], "modifierExtension": [changes]}));
    assert_eq!(found(&set, &good), [""; 0]);
    let plain = patient(&json!({"extension": [one(), changes]}));
    assert_eq!(found(&set, &plain), ["error structure Patient.extension[1]"]);
    let modifying = patient(&json!({"extension": [one()], "modifierExtension": [one()]}));
    assert_eq!(found(&set, &modifying), ["error structure Patient.modifierExtension[0]"]);
}

#[test]
fn an_unknown_extension_is_told_as_the_caller_wants_and_an_unknown_modifier_is_an_error() {
    let set = set();
    let unknown = json!({"url": "http://example.org/unknown", "valueString": "x"});
    let plain = patient(&json!({"extension": [one(), unknown]}));
    assert_eq!(found(&set, &plain), ["warning business-rule Patient.extension[1]"]);
    let text = plain.to_string();
    let options = Options { unknown_extension: Severity::Error, ..Options::default() };
    let codes = |text: &str| -> Vec<&str> {
        let issues = set.validate_with(&Document::read(text.as_bytes()).unwrap(), &options);
        issues.iter().map(|issue| issue.code.as_str()).collect()
    };
    // A name that is kept for examples has no definition anywhere.
    assert_eq!(codes(&text), ["business-rule"]);
    assert_eq!(codes(&text.replace("http://example.org/unknown", "https://trust.nhs.uk/x")), ["structure"]);
    let modifier = patient(&json!({"extension": [one()], "modifierExtension": [unknown]}));
    assert_eq!(found(&set, &modifier), ["error structure Patient.modifierExtension[0]"]);
}

#[test]
fn parts_of_an_extension_are_those_it_defines() {
    let parts = extension(
        "parts",
        &json!([{"type": "element", "expression": "Patient"}]),
        &json!([
            {"id": "Extension.extension:a", "path": "Extension.extension", "sliceName": "a", "min": 1, "max": "1"},
            {"id": "Extension.extension:a.url", "path": "Extension.extension.url", "fixedUri": "a"},
            {"id": "Extension.extension:a.value[x]", "path": "Extension.extension.value[x]", "type": [{"code": "code"}]},
            {"id": "Extension.url", "path": "Extension.url", "fixedUri": "http://example.org/parts"},
            {"id": "Extension.value[x]", "path": "Extension.value[x]", "max": "0"}
        ]),
    );
    let set = load(&[parts, profile("P", "Patient", &json!([]))]);
    let with = |inner: &Json| patient(&json!({"extension": [{"url": "http://example.org/parts", "extension": inner}]}));
    assert_eq!(found(&set, &with(&json!([{"url": "a", "valueCode": "x"}]))), [""; 0]);
    let wrong = with(&json!([{"url": "a", "valueString": "x"}]));
    assert_eq!(found(&set, &wrong), ["error structure Patient.extension[0].extension[0].value.ofType(string)"]);
    let strange = with(&json!([{"url": "a", "valueCode": "x"}, {"url": "b", "valueCode": "x"}]));
    assert_eq!(found(&set, &strange), ["error invalid Patient.extension[0].extension[1]"]);
    let missing = with(&json!([{"url": "b", "valueCode": "x"}]));
    assert_eq!(found(&set, &missing).len(), 2, "{:?}", found(&set, &missing));
}
