//! Invariants that are judged natively say what their `FHIRPath` says: ele-1, ext-1 and dom-2 to dom-5 of
//! [Element](https://hl7.org/fhir/R4/element.html), [Extension](https://hl7.org/fhir/R4/extensibility.html) and
//! [DomainResource](https://hl7.org/fhir/R4/domainresource.html).

use proptest::prelude::*;
use serde_json::{Value, json};
use signalbox_validator::fhirpath::{Context, Expression};
use signalbox_validator::json::Document;

use super::support;

/// The key of each, what its message says, and its expression for a whole resource.
const TWINS: [(&str, &str); 6] = [
    ("ele-1", "descendants().all(hasValue() or (children().count() > id.count()))"),
    ("ext-1", "descendants().ofType(Extension).all(extension.exists() != value.exists())"),
    ("dom-2", "contained.contained.empty()"),
    (
        "dom-3",
        "contained.where((('#' + id in (%resource.descendants().reference | %resource.descendants().as(canonical) | \
         %resource.descendants().as(uri) | %resource.descendants().as(url))) or \
         descendants().where(reference = '#').exists()).not()).empty()",
    ),
    ("dom-4", "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()"),
    ("dom-5", "contained.meta.security.empty()"),
];

fn extension() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"url": "http://example.org/a", "valueString": "x"})),
        Just(json!({"url": "http://example.org/a"})),
        Just(json!({"url": "http://example.org/a", "id": "e"})),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        (prop::collection::vec(inner, 1..3), any::<bool>()).prop_map(|(inner, with_value)| {
            let mut outer = json!({"url": "http://example.org/b", "extension": inner});
            if with_value {
                outer["valueCode"] = json!("x");
            }
            outer
        })
    })
}

fn contained() -> impl Strategy<Value = Value> {
    let meta = prop_oneof![
        4 => Just(Value::Null),
        1 => Just(json!({"versionId": "1"})),
        1 => Just(json!({"lastUpdated": "2024-01-01T00:00:00Z"})),
        1 => Just(json!({"security": [{"system": "http://example.org/s", "code": "x"}]})),
        1 => Just(json!({"source": "http://example.org/s"})),
    ];
    let refers = prop_oneof![2 => Just(Value::Null), 1 => Just(json!({"reference": "#"})), 1 => Just(json!({"reference": "#b"}))];
    (prop::sample::select(vec!["a", "b", "c"]), meta, refers, prop::bool::weighted(0.1)).prop_map(
        |(id, meta, refers, nested)| {
            let mut resource = json!({"resourceType": "Organization", "id": id, "name": "x"});
            if !meta.is_null() {
                resource["meta"] = meta;
            }
            if !refers.is_null() {
                resource["partOf"] = refers;
            }
            if nested {
                // dom-3 holds for what is inside, so that dom-2 alone is broken.
                resource["contained"] = json!([{"resourceType": "Endpoint", "id": "n", "status": "active",
                    "connectionType": {"code": "x"}, "payloadType": [{"text": "x"}], "address": "http://example.org"}]);
                resource["endpoint"] = json!([{"reference": "#n"}]);
            }
            resource
        },
    )
}

/// A patient whose parts may break each of them.
fn resource() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just(json!({"family": "A"})),
        Just(json!({"id": "n"})),
        Just(json!({"id": "n", "family": "A"})),
        extension().prop_map(|extension| json!({ "extension": [extension] })),
    ];
    let reference = prop_oneof![
        Just(Value::Null),
        prop::sample::select(vec!["#a", "#b", "Organization/a"]).prop_map(|text| json!({ "reference": text })),
    ];
    let extensions = prop::collection::vec(extension(), 0..2);
    (prop::collection::vec(contained(), 0..3), name, reference, extensions).prop_map(
        |(contained, name, reference, extensions)| {
            let mut patient = json!({"resourceType": "Patient", "active": true, "name": [name]});
            if !contained.is_empty() {
                patient["contained"] = json!(contained);
            }
            if !reference.is_null() {
                patient["managingOrganization"] = reference;
            }
            if !extensions.is_empty() {
                patient["extension"] = json!(extensions);
            }
            patient
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_judged_natively_is_what_its_expression_says(resource in resource()) {
        let text = resource.to_string();
        let document = Document::read(text.as_bytes()).unwrap();
        let issues = support::profiles().validate(&document);
        let context = Context::new(support::profiles());
        for (key, expression) in TWINS {
            let holds = Expression::parse(expression).unwrap().evaluate(&context, document.root()).unwrap();
            let holds = holds.iter().all(|item| item.text() == "true");
            let broken = issues.iter().any(|issue| issue.message.contains(&format!("({key})")));
            prop_assert_eq!(holds, !broken, "{} of {}: {:#?}", key, resource, issues);
        }
    }
}
