//! Before a new version of a guide is named in the configuration, an integration engineer reads what it changes.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::gateway_process::{self, Said, run};
use crate::support::packages::{GUIDES, code_system, element, package, profile, value_set};

const PATIENT: &str = "http://hl7.org/fhir/StructureDefinition/Patient";

fn diff(folder: &Path, from: &str, to: &str, more: &[&str]) -> Said {
    run(&[&["package", "diff", from, to, "--config", folder.to_str().unwrap()][..], more].concat())
}

fn old_guide() -> Vec<Value> {
    let identifier = element(
        "Patient.identifier",
        json!({ "slicing": { "discriminator": [{ "type": "value", "path": "system" }], "rules": "open" } }),
    );
    let constraint = |key: &str, expression: &str| json!({ "key": key, "severity": "error", "human": "Words.", "expression": expression });
    let of_ward = profile(
        "ward-patient",
        "1.0.0",
        ("Patient", PATIENT),
        &[
            element(
                "Patient",
                json!({ "constraint": [constraint("ward-1", "name.exists()"), constraint("ward-2", "active.exists()")] }),
            ),
            identifier,
            element("Patient.identifier:local", json!({ "sliceName": "local", "max": "1" })),
            element("Patient.identifier:local.system", json!({ "min": 1, "fixedUri": "https://ward.example.org/a" })),
            element("Patient.name", json!({ "min": 1, "short": "Prose." })),
            element(
                "Patient.maritalStatus",
                json!({ "binding": { "strength": "extensible", "valueSet": format!("{GUIDES}/ValueSet/beds") } }),
            ),
        ],
    );
    let gone = profile("gone", "1.0.0", ("Patient", PATIENT), &[]);
    let same = profile("same", "1.0.0", ("Patient", PATIENT), &[element("Patient.active", json!({ "min": 1 }))]);
    let codes = code_system("bed", &[("a", "Side ward"), ("b", "Bay"), ("old", "Old")]);
    vec![of_ward, gone, same, codes, value_set("beds", "bed", &["male", "female"])]
}

/// Also it looks deeper into elements (`Patient.contact.name`, `Patient.address.city`) without asking more of them.
fn new_guide() -> Vec<Value> {
    let identifier = element(
        "Patient.identifier",
        json!({ "slicing": { "discriminator": [{ "type": "value", "path": "system" }], "rules": "closed" } }),
    );
    let constraint = json!([
        { "key": "ward-1", "severity": "warning", "human": "Other words.", "expression": "name.family.exists()" },
        { "key": "ward-3", "severity": "error", "human": "Words.", "expression": "gender.exists()" },
    ]);
    let of_ward = profile(
        "ward-patient",
        "2.0.0",
        ("Patient", PATIENT),
        &[
            element("Patient", json!({ "constraint": constraint })),
            identifier,
            element("Patient.identifier:local", json!({ "sliceName": "local", "max": "1" })),
            element("Patient.identifier:local.system", json!({ "min": 1, "fixedUri": "https://ward.example.org/b" })),
            element("Patient.identifier:other", json!({ "sliceName": "other", "max": "2" })),
            element("Patient.name", json!({ "min": 1, "max": "1", "short": "Other prose." })),
            element("Patient.deceased[x]", json!({ "type": [{ "code": "boolean" }] })),
            element("Patient.address.city", json!({ "min": 1 })),
            element("Patient.address.text", json!({ "short": "Nothing is asked of it." })),
            element(
                "Patient.maritalStatus",
                json!({ "binding": { "strength": "required", "valueSet": format!("{GUIDES}/ValueSet/beds") } }),
            ),
            element(
                "Patient.generalPractitioner",
                json!({ "type": [{ "code": "Reference",
                "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Organization"] }] }),
            ),
        ],
    );
    let come = profile("come", "2.0.0", ("Observation", "http://hl7.org/fhir/StructureDefinition/Observation"), &[]);
    let same = profile(
        "same",
        "2.0.0",
        ("Patient", PATIENT),
        &[element("Patient.active", json!({ "min": 1, "short": "Prose." }))],
    );
    let codes = code_system("bed", &[("a", "Single room"), ("b", "Bay"), ("new", "New")]);
    vec![of_ward, come, same, codes, value_set("beds", "bed", &["male", "other"])]
}

#[test]
fn what_a_new_version_changes_is_told_element_by_element() {
    let folder = gateway_process::folder();
    let make = |version: &str, resources: &[Value]| {
        package(folder.path(), ("example.ward", version), &[("hl7.fhir.r4.core", "4.0.1")], resources)
            .display()
            .to_string()
    };
    let (old, new) = (make("1.0.0", &old_guide()), make("2.0.0", &new_guide()));
    let said = diff(folder.path(), &old, &new, &[]);
    assert_eq!((said.code, said.errors.as_str()), (1, ""));
    insta::assert_snapshot!(said.out);

    let said = diff(folder.path(), &old, &new, &["--format", "json"]);
    assert_eq!(said.code, 1);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&told["from"], &told["to"]), (&json!("example.ward@1.0.0"), &json!("example.ward@2.0.0")));
    assert_eq!(told["added"], json!([{ "kind": "profile", "url": format!("{GUIDES}/StructureDefinition/come") }]));
    let elements = told["changed"][0]["elements"].as_array().unwrap();
    let name = elements.iter().find(|element| element["id"] == "Patient.name").unwrap();
    assert_eq!(
        name,
        &json!({ "id": "Patient.name", "change": "changed", "facts": [{ "fact": "cardinality", "before": "1..*", "after": "1..1" }] })
    );

    // The other way round it is the other way round, and a package does not differ from itself.
    let said = diff(folder.path(), &new, &old, &[]);
    for told in [
        "removed\n  profile https://guides.example.org/StructureDefinition/come",
        "Patient.identifier:other (removed)",
        "cardinality: 1..1 -> 1..*",
        "cardinality: 1..1 -> 0..1",
    ] {
        assert!(said.out.contains(told), "{told}: {}", said.out);
    }
    let said = diff(folder.path(), &old, &old, &[]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "example.ward@1.0.0 -> example.ward@1.0.0\n0 added, 0 removed, 0 changed\n")
    );
}

#[test]
fn versions_are_compared_by_their_names_and_with_what_they_start_from() {
    let folder = gateway_process::folder();
    let trust = |version: &str, most: &str| {
        let of_trust = profile(
            "trust-patient",
            version,
            ("Patient", PATIENT),
            &[element("Patient.photo", json!({ "max": most }))],
        );
        package(folder.path(), ("example.trust", version), &[], &[of_trust]).display().to_string()
    };
    let ward = |version: &str, needs: &str| {
        let base = format!("{GUIDES}/StructureDefinition/trust-patient");
        let of_ward = profile("ward-patient", version, ("Patient", &base), &[]);
        package(folder.path(), ("example.ward", version), &[("example.trust", needs)], &[of_ward]).display().to_string()
    };
    let made = [trust("1.0.0", "1"), trust("1.1.0", "0"), ward("1.0.0", "1.0.0"), ward("2.0.0", "1.x")];
    let (old, new) = (&made[2], &made[3]);
    let said = diff(folder.path(), old, new, &[]);
    assert_eq!(said.code, 0, "what they start from is not here: {}", said.out);
    assert!(said.errors.contains("starts from example.trust@1.x, which is not here"), "{}", said.errors);
    for file in &made {
        assert_eq!(run(&["package", "add", file, "--config", folder.path().to_str().unwrap()]).code, 0);
    }
    let by_name = diff(folder.path(), "example.ward@1.0.0", "example.ward@2.0.0", &[]);
    for said in [&by_name, &diff(folder.path(), old, new, &[])] {
        assert_eq!((said.code, said.errors.as_str()), (1, ""));
        assert!(said.out.contains("    Patient.photo\n      cardinality: 0..1 -> 0..0\n"), "{}", said.out);
    }
    // What somebody is working on, before it is packed.
    let done = std::process::Command::new("tar").arg("xzf").arg(new).arg("-C").arg(folder.path()).status().unwrap();
    assert!(done.success());
    let unpacked = folder.path().join("package").display().to_string();
    let said = diff(folder.path(), "example.ward@2.0.0", &unpacked, &[]);
    let same = "example.ward@2.0.0 -> example.ward@2.0.0\n0 added, 0 removed, 0 changed\n";
    assert_eq!((said.code, said.out.as_str(), said.errors.as_str()), (0, same, ""));
    let said = diff(folder.path(), "example.ward@1.0.0", "example.ward@3.0.0", &[]);
    assert!(said.code == 2 && said.errors.contains("perhaps \"example.ward@2.0.0\""), "{}", said.errors);
    let said = diff(folder.path(), "uk-core", "fhir.r4.ukcore@2.0.0-sequence", &[]);
    assert_eq!((said.code, said.errors.as_str()), (0, ""), "two names of one pack: {}", said.out);
}
