//! Published examples and HL7's own cases, read from a folder beside the repository where it is present.
//!
//! `SIGNALBOX_REQUIRE=shared` makes its absence a failure; see [HL7's cases](https://github.com/FHIR/fhir-test-cases).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]
#![expect(clippy::print_stdout, reason = "says what was skipped, and the figures")]

#[path = "support/shared.rs"]
mod folder;
mod support;

use std::path::{Path, PathBuf};

use folder::folder as shared;
use serde_json::Value as Json;
use signalbox_validator::{Issue, reduce};

fn read_json(path: &Path) -> Json {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The issues that make a file invalid; a text that cannot be read is one without an expression.
fn errors(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    match support::validate(&bytes) {
        Ok(issues) => issues.iter().filter(|issue| issue.severity.is_error()).map(Issue::to_string).collect(),
        Err(error) => vec![error.to_string()],
    }
}

#[test]
fn the_pack_is_what_the_package_reduces_to() {
    let Some(shared) = shared("the pack is rebuilt") else { return };
    let package = std::fs::read(shared.join("packages/hl7.fhir.r4.core-4.0.1.tgz")).unwrap();
    let rebuilt = reduce(&package).unwrap();
    assert!(rebuilt == support::PACK, "rebuild fhir-profiles/hl7.fhir.r4.core.pack as its README says");
    assert!(support::PACK.len() < 200_000, "the pack has grown to {} bytes", support::PACK.len());
    let info = &support::profiles().packs()[0];
    assert_eq!((info.name.as_str(), info.version.as_str()), ("hl7.fhir.r4.core", "4.0.1"));
}

/// Every one of these is free of errors against base R4, but for a Bundle with relative fullUrls and two vital signs with
/// other units than HL7 fixes, and two displays that are not HL7's: the reference validator finds the same.
#[test]
fn published_uk_core_examples_have_no_error() {
    let Some(shared) = shared("UK Core examples") else { return };
    let files = json_files(&shared.join("examples/uk-core"));
    assert!(files.len() >= 139, "only {} examples", files.len());
    for file in files {
        let found = errors(&file);
        let expected = match name(&file).as_str() {
            "UKCore-Bundle-NEWS2Observations-Example.json" => 10,
            "UKCore-DiagnosticReport-ECG-Example.json" | "UKCore-HealthcareService-OrthopaedicService-Example.json" => {
                1
            }
            _ => 0,
        };
        assert_eq!(found.len(), expected, "{}: {found:#?}", name(&file));
    }
}

/// Payloads as they are published, dirty as they are: where we find an error, the reference validator finds one.
#[test]
fn nhs_payloads_raise_no_false_alarm() {
    let Some(shared) = shared("NHS payloads") else { return };
    let labels = read_json(&shared.join("oracle/labels-nhs.json"));
    let is_error = |issue: &Json| matches!(issue["severity"].as_str(), Some("error" | "fatal"));
    let (mut invalid, mut found_invalid) = (0, 0);
    for folder in std::fs::read_dir(shared.join("examples/nhs")).unwrap().map(|entry| entry.unwrap().path()) {
        for file in if folder.is_dir() { json_files(&folder) } else { Vec::new() } {
            let name = name(&file);
            let label = labels.as_object().unwrap().iter().find(|(label, _)| name.ends_with(label.as_str()));
            let bad = label.is_some_and(|(_, issues)| issues.as_array().unwrap().iter().any(is_error));
            let found = errors(&file);
            assert!(bad || found.is_empty(), "{name}: {found:#?}");
            invalid += usize::from(bad);
            found_invalid += usize::from(!found.is_empty());
        }
    }
    println!("NHS payloads: base R4 finds {found_invalid} of the {invalid} that have errors");
    assert!(found_invalid >= 15);
}
