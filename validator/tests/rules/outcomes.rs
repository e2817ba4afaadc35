//! How issues read to the person who has to mend the resource.

use super::issues;

const BROKEN: [(&str, &str); 3] = [
    (
        "patient",
        r#"{
  "resourceType": "Patient",
  "id": "bad id",
  "birthdate": "2001-02-03",
  "gender": "F",
  "name": {"family": "Rivers"},
  "contact": [{"gender": "male", "name": {"given": ["Ada", null]}}],
  "multipleBirthInteger": "2",
  "deceasedDateTime": "2020-02-30",
  "extension": [{"url": "part"}]
}"#,
    ),
    (
        "observation",
        r##"{
  "resourceType": "Observation",
  "status": "done",
  "subject": {"reference": "Organization/1"},
  "performer": [{"reference": "#gone"}],
  "valueQuantity": {"value": "1.5", "comparator": "~"},
  "valueString": "high",
  "component": []
}"##,
    ),
    (
        "bundle",
        r#"{
  "resourceType": "Bundle",
  "entry": [
    {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Pateint"}},
    {"resource": {"resourceType": "Invoice", "status": "draft", "totalNet": {"value": 1, "currency": "GBP"}}},
    {"resource": null}
  ]
}"#,
    ),
];

#[test]
fn issues_of_broken_resources() {
    for (name, text) in BROKEN {
        let lines: Vec<String> = issues(text)
            .iter()
            .map(|issue| {
                format!("{issue}\n    rule {}, profile {}", issue.rule, issue.profile.as_deref().unwrap_or("-"))
            })
            .collect();
        insta::assert_snapshot!(name, lines.join("\n"));
    }
}
