//! UK Core's own published examples against UK Core: an error exactly where the reference validator has one. See
//! [UK Core](https://simplifier.net/hl7fhirukcorer4).
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]
#![expect(clippy::print_stdout, reason = "says what was skipped, and the figures")]

#[path = "support/mutants/mod.rs"]
mod mutants;
#[path = "support/shared.rs"]
mod shared;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde_json::Value as Json;
use signalbox_validator::{Issue, Options, Package, ProfileSet, Rule, Severity, json::Document};

const PACK: &[u8] = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");

const UK_CORE: &[u8] = include_bytes!("../../fhir-profiles/fhir.r4.ukcore.pack");

#[test]
fn the_pack_is_what_the_package_reduces_to() {
    let Some(shared) = shared::folder("the UK Core pack is rebuilt") else { return };
    let package = std::fs::read(shared.join("packages/fhir.r4.ukcore-2.0.0-sequence.tgz")).unwrap();
    let rebuilt = signalbox_validator::reduce(&package).unwrap();
    assert!(rebuilt == UK_CORE, "rebuild fhir-profiles/fhir.r4.ukcore.pack as its README says");
}

/// What the pack holds can be read: one file a definition, as a differential that says facts only.
#[test]
fn the_files_to_read_say_what_the_pack_says() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fhir-profiles/fhir.r4.ukcore");
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut resource: Json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        if resource["resourceType"] == "StructureDefinition" {
            let elements = resource["differential"]["element"].take();
            resource.as_object_mut().unwrap().remove("differential");
            resource["element"] = elements;
        }
        files.insert(resource["url"].as_str().unwrap().to_owned(), resource);
    }
    let pack = Package::read(UK_CORE).unwrap();
    assert_eq!(files.len(), pack.definitions.len(), "write the files anew as fhir-profiles/README.md says");
    for (_, text) in &pack.definitions {
        let packed: Json = serde_json::from_slice(text).unwrap();
        let url = packed["url"].as_str().unwrap();
        assert!(files.get(url) == Some(&packed), "write {url} anew as fhir-profiles/README.md says");
    }
}

/// Base R4 with all conformance resources of a package on top.
fn with_package(package: &std::path::Path) -> ProfileSet {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(package).unwrap()));
    let mut builder = ProfileSet::builder().pack(PACK);
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut text = Vec::new();
        entry.read_to_end(&mut text).unwrap();
        let is_json = std::path::Path::new(&name).extension().is_some_and(|end| end == "json");
        if is_json && !name.ends_with("/package.json") {
            builder = builder.resource(name, text);
        }
    }
    builder.build().unwrap().0
}

/// Rules that find the errors of these examples and are not part of profiles: displays of codes, and Bundle.
const NOT_OF_PROFILES: [&str; 2] =
    ["UKCore-DiagnosticReport-ECG-Example.json", "UKCore-HealthcareService-OrthopaedicService-Example.json"];

#[test]
fn uk_core_examples_have_an_error_exactly_where_the_reference_has_one() {
    let Some(shared) = shared::folder("UK Core examples against UK Core") else { return };
    let set = with_package(&shared.join("packages/fhir.r4.ukcore-2.0.0-sequence.tgz"));
    let built_in = ProfileSet::load(&[PACK, UK_CORE]).unwrap();
    let labels: Json =
        serde_json::from_slice(&std::fs::read(shared.join("oracle/labels-uk-core.json")).unwrap()).unwrap();
    let is_error = |issue: &Json| matches!(issue["severity"].as_str(), Some("error" | "fatal"));
    let mut compared = 0;
    let (mut expected, mut found) = (BTreeSet::new(), BTreeSet::new());
    for entry in std::fs::read_dir(shared.join("examples/uk-core")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let document = Document::read(&bytes).unwrap();
        let resource_type = document.root().str_at(&["resourceType"]).unwrap();
        let profile = format!("https://fhir.hl7.org.uk/StructureDefinition/UKCore-{resource_type}");
        let options = Options { profiles: vec![profile], ..Options::default() };
        let errors: Vec<String> = set
            .validate_with(&document, &options)
            .iter()
            .filter(|issue| issue.severity.is_error())
            .map(ToString::to_string)
            .collect();
        let told = |set: &ProfileSet| {
            let issues = set.validate_with(&document, &options);
            issues.iter().filter(|issue| issue.severity.is_error()).map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(told(&built_in), told(&set), "{name}: the pack and the package give the same errors");
        compared += 1;
        let label = labels[&name].as_array();
        if label.is_some_and(|issues| issues.iter().any(is_error)) {
            expected.insert(name.clone());
        }
        assert!(errors.is_empty() || expected.contains(&name), "false alarm in {name}: {errors:#?}");
        if !errors.is_empty() {
            found.insert(name);
        }
    }
    let missed: BTreeSet<&str> = expected.difference(&found).map(String::as_str).collect();
    println!("UK Core: {compared} examples, {} of {} broken ones found, no false alarm", found.len(), expected.len());
    assert_eq!(compared, 139);
    assert!(missed.is_subset(&NOT_OF_PROFILES.into()), "{missed:?}");
}

/// What a set says of a resource that makes it wrong, or worth a look.
fn told(set: &ProfileSet, text: &[u8], options: &Options) -> Vec<Issue> {
    let Ok(document) = Document::read(text) else { return Vec::new() };
    let mut issues = set.validate_with(&document, options);
    issues.retain(|issue| issue.severity <= Severity::Warning);
    issues
}

/// Whether the package may know more: it has codes of SNOMED CT, dm+d and LOINC, and displays of UK Core's own.
fn may_be_more(issue: &Issue) -> bool {
    issue.rule == Rule::Binding || (issue.rule == Rule::CodeSystem && issue.expression.ends_with(".display"))
}

/// The same thing in the same place; a sentence may list the codes that are known.
fn same(one: &Issue, other: &Issue) -> bool {
    let key = |issue: &Issue| (issue.severity, issue.code, issue.rule, issue.expression.clone());
    key(one) == key(other)
}

/// Files below a folder.
fn files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "json") && !path.ends_with("manifest.json") {
            found.push(path);
        }
    }
}

#[test]
fn the_pack_and_the_package_say_the_same_of_examples_payloads_and_mutants() {
    let Some(shared) = shared::folder("the UK Core pack beside its package") else { return };
    let package = with_package(&shared.join("packages/fhir.r4.ukcore-2.0.0-sequence.tgz"));
    let built_in = ProfileSet::load(&[PACK, UK_CORE]).unwrap();
    let mut paths = Vec::new();
    files(&shared.join("examples"), &mut paths);
    paths.sort();
    let mut generator = mutants::Generator::new(&built_in, 3);
    let (mut compared, mut more) = (0, 0);
    for path in paths {
        let Ok(resource) = serde_json::from_slice::<Json>(&std::fs::read(&path).unwrap()) else { continue };
        let Some(name) = resource["resourceType"].as_str() else { continue };
        let profile = format!("https://fhir.hl7.org.uk/StructureDefinition/UKCore-{name}");
        let profiles = if built_in.has_profile(&profile) { vec![profile] } else { Vec::new() };
        let options = Options { profiles, ..Options::default() };
        let mutants: Vec<_> = (0..4).filter_map(|_| generator.mutant(&resource)).collect();
        let variants = mutants.iter().map(|mutant| (mutant.class, &mutant.resource));
        for (class, variant) in std::iter::once(("as it is", &resource)).chain(variants) {
            let text = variant.to_string();
            let mut rest = told(&package, text.as_bytes(), &options);
            for issue in told(&built_in, text.as_bytes(), &options) {
                let at = rest.iter().position(|other| same(other, &issue));
                assert!(at.is_some(), "{} ({class}): only the pack says: {issue}", path.display());
                rest.remove(at.unwrap());
            }
            let unexplained: Vec<String> =
                rest.iter().filter(|issue| !may_be_more(issue)).map(Issue::to_string).collect();
            assert!(unexplained.is_empty(), "{} ({class}): only the package says: {unexplained:#?}", path.display());
            more += rest.len();
            compared += 1;
        }
    }
    println!(
        "pack and package: {compared} resources compared, {more} issues of codes and displays only the package has"
    );
    assert!(compared >= 900, "{compared}");
}
