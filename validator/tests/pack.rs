//! Packs: what may be in one, how definitions in it inherit, and what is said of one that cannot be used. See
//! [StructureDefinition](https://hl7.org/fhir/R4/structuredefinition.html).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::collections::BTreeSet;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value as Json, json};
use signalbox_validator::{PackError, Package, ProfileSet, Rule, json::Document, reduce};

/// A package archive of these resources.
fn package(resources: &[Json]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut add = |name: &str, content: &Json| {
        let bytes = content.to_string().into_bytes();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        archive.append_data(&mut header, format!("package/{name}.json"), bytes.as_slice()).unwrap();
    };
    add("package", &json!({"name": "example.package", "version": "1.2.3", "description": "Prose."}));
    for (number, resource) in resources.iter().enumerate() {
        add(&format!("{}-{number}", resource["resourceType"].as_str().unwrap()), resource);
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// A type with these elements, each given as name, cardinality and type.
fn definition(name: &str, kind: &str, base: Option<&str>, elements: &[(&str, u32, &str, &str)]) -> Json {
    let element = |&(child, min, max, code): &(&str, u32, &str, &str)| {
        let path = format!("{name}.{child}");
        json!({"path": path, "min": min, "max": max, "base": {"path": path}, "type": [{"code": code}],
               "short": "Prose.", "definition": "Prose.", "comment": "Prose."})
    };
    let root = json!({"path": name, "min": 0, "max": "*", "base": {"path": name}});
    let elements: Vec<Json> = std::iter::once(root).chain(elements.iter().map(element)).collect();
    let mut definition = json!({"resourceType": "StructureDefinition", "url": format!("http://example.org/{name}"),
        "kind": kind, "abstract": false, "type": name, "description": "Prose.", "text": {"div": "Prose."},
        "snapshot": {"element": elements}});
    if let Some(base) = base {
        definition["baseDefinition"] = json!(format!("http://example.org/{base}"));
    }
    definition
}

fn load(resources: &[Json]) -> Result<ProfileSet, PackError> {
    ProfileSet::load(&[&reduce(&package(resources)).unwrap()])
}

fn text_of(pack: &[u8]) -> String {
    String::from_utf8(miniz_oxide::inflate::decompress_to_vec_zlib(pack).unwrap()).unwrap()
}

#[test]
fn a_type_has_what_it_inherits() {
    let profiles = load(&[
        definition("string", "primitive-type", None, &[]),
        definition("Base", "resource", None, &[("note", 1, "1", "string"), ("code", 0, "1", "string")]),
        definition("Thing", "resource", Some("Base"), &[("code", 0, "*", "string"), ("gone", 0, "0", "string")]),
    ])
    .unwrap();
    assert_eq!(profiles.packs()[0].name, "example.package");
    assert_eq!(profiles.resource_types().collect::<BTreeSet<_>>(), BTreeSet::from(["Base", "Thing"]));
    let rules = |text: &str| -> Vec<Rule> {
        profiles.validate(&Document::read(text.as_bytes()).unwrap()).iter().map(|issue| issue.rule).collect()
    };
    assert_eq!(rules(r#"{"resourceType":"Thing","note":"a","code":["b"]}"#), []);
    assert_eq!(rules(r#"{"resourceType":"Thing","code":["b"]}"#), [Rule::Cardinality]);
    assert_eq!(rules(r#"{"resourceType":"Thing","note":"a","code":"b"}"#), [Rule::Cardinality]);
    assert_eq!(rules(r#"{"resourceType":"Thing","note":"a","gone":"b"}"#), [Rule::Structure]);
}

#[test]
fn a_definition_that_cannot_be_compiled_is_named() {
    let unknown = |error: &PackError, missing: &str| {
        assert!(matches!(error, PackError::UnknownType { name, .. } if name == missing), "{error}");
    };
    let orphan = load(&[definition("Thing", "resource", Some("Nowhere"), &[])]).unwrap_err();
    unknown(&orphan, "http://example.org/Nowhere");
    let untyped = load(&[definition("Thing", "resource", None, &[("a", 0, "1", "Riddle")])]).unwrap_err();
    unknown(&untyped, "Riddle");
    let circle = load(&[definition("A", "resource", Some("B"), &[]), definition("B", "resource", Some("A"), &[])]);
    assert!(matches!(circle.unwrap_err(), PackError::Circular { .. }));
    let many: Vec<String> = (0..200).map(|number| format!("e{number}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), 0, "1", "string")).collect();
    let wide = load(&[definition("string", "primitive-type", None, &[]), definition("Wide", "resource", None, &many)]);
    assert!(matches!(wide.unwrap_err(), PackError::TooManyElements { path, .. } if path == "Wide"));
}

#[test]
fn a_damaged_pack_or_package_is_an_error_wherever_it_is_cut() {
    for end in (0..support::PACK.len()).step_by(4999) {
        assert!(ProfileSet::load(&[&support::PACK[..end]]).is_err(), "cut at {end}");
    }
    assert!(ProfileSet::load(&[b"not a pack"]).is_err());
    let whole = package(&[definition("Thing", "resource", None, &[])]);
    assert!(reduce(&whole).is_ok());
    for end in 0..whole.len() / 2 {
        assert!(reduce(&whole[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn a_pack_is_the_same_whatever_the_order_of_files_and_holds_no_prose() {
    let base = definition("Base", "resource", None, &[]);
    let thing = definition("Thing", "resource", Some("Base"), &[]);
    let pack = reduce(&package(&[base.clone(), thing.clone()])).unwrap();
    assert!(pack == reduce(&package(&[thing, base])).unwrap());
    assert!(!text_of(&pack).contains("Prose"), "{}", text_of(&pack));
}

#[test]
fn a_package_and_its_pack_say_what_they_start_from() {
    let thing = definition("Thing", "resource", None, &[]);
    let manifest = json!({"name": "example.package", "version": "1.2.3", "fhirVersions": ["4.0.1"],
        "dependencies": {"hl7.fhir.r4.core": "4.0.1", "example.other": "2.0.x", "odd \"name\"": "1"}});
    let text = |value: &Json| value.to_string().into_bytes();
    let files = vec![("thing.json".to_owned(), text(&thing)), ("package.json".to_owned(), text(&manifest))];
    let archive = Package::archive(files.clone()).unwrap();
    assert_eq!(archive, Package::archive(files.into_iter().rev().collect()).unwrap());
    let read = Package::read(&archive).unwrap();
    assert_eq!((read.info.name.as_str(), read.info.version.as_str()), ("example.package", "1.2.3"));
    assert_eq!(read.info.fhir_versions, ["4.0.1"]);
    assert_eq!(read.definitions, [("thing.json".to_owned(), text(&thing))]);

    let pack = Package::read(&reduce(&archive).unwrap()).unwrap();
    assert_eq!(read.info.dependencies.len(), 3);
    let mut further = read.info.dependencies.clone();
    further.retain(|(name, _)| name != "hl7.fhir.r4.core");
    assert_eq!(pack.info.dependencies, further, "the base goes without saying");
    assert_eq!(further[1].0, "odd \"name\"");
    assert_eq!((pack.definitions.len(), pack.definitions[0].0.as_str()), (1, "line 2"));

    // As others make it; without what every package has it is none.
    assert_eq!(Package::read(&package(&[thing])).unwrap().definitions.len(), 1);
    assert!(matches!(Package::archive(vec![("a.json".to_owned(), b"{}".to_vec())]), Err(PackError::Damaged(_))));
    for manifest in ["{}", "[]", "no JSON", r#"{"name": "a"}"#] {
        let files = vec![("package.json".to_owned(), manifest.as_bytes().to_vec())];
        assert!(Package::archive(files).is_err(), "{manifest}");
    }
    assert!(Package::read(b"x\x9cno stream").is_err() && Package::read(b"text").is_err());
}

/// The licence rule: canonicals of anybody, codes of HL7 only with HL7's displays, no other words.
#[test]
fn the_r4_pack_holds_facts_only() {
    const KEYS: &str = "leftOut abstract baseDefinition binding caseSensitive code coding compose concept constraint contentReference context \
        contextInvariant derivation discriminator display element exclude expression extension filter fixedBoolean \
        fixedCode fixedCodeableConcept fixedQuantity fixedString fixedUri id include isModifier key kind max \
        maxLength maxValueInteger maxValueSet min minValueInteger name op ordered path \
        patternCodeableConcept profile property representation resourceType rules severity sliceName slicing \
        strength system targetProfile text type url value valueSet valueUrl version";
    fn keys(value: &Json, found: &mut BTreeSet<String>) {
        match value {
            Json::Object(members) => members.iter().for_each(|(key, value)| {
                found.insert(key.clone());
                keys(value, found);
            }),
            Json::Array(items) => items.iter().for_each(|item| keys(item, found)),
            _ => {}
        }
    }
    let text = text_of(support::PACK);
    let mut found = BTreeSet::new();
    let ours = |canonical: &str| {
        let hl7 = ["http://hl7.org/fhir/", "http://terminology.hl7.org/CodeSystem/"];
        let others = [
            "dicom",
            "nubc",
            "loinc",
            "snomed",
            "iso-",
            "spdx",
            "ucum",
            "audit-event-type",
            "/sid/",
            "fdi-",
            "ex-tooth",
            "ex-diagnosis-on",
            "-billingcodes",
        ];
        hl7.iter().any(|start| canonical.starts_with(start))
            && !others.iter().any(|name| canonical.to_lowercase().contains(name))
    };
    for line in text.lines() {
        let resource: Json = serde_json::from_str(line).unwrap();
        keys(&resource, &mut found);
        if resource["resourceType"] == "CodeSystem" {
            assert!(ours(resource["url"].as_str().unwrap()), "{line}");
            // Five codes of LOINC stand in a group of one system, which is left out.
            assert!(!line.contains("\"21611-9\""), "{line}");
        } else {
            assert!(!line.contains("\"display\":"), "{line}");
        }
        let parts = ["include", "exclude"].map(|key| resource["compose"][key].as_array().cloned().unwrap_or_default());
        for part in parts.iter().flatten().filter(|part| !part["concept"].is_null()) {
            assert!(ours(part["system"].as_str().unwrap()), "{line}");
        }
    }
    let allowed: BTreeSet<String> = KEYS.split(' ').map(str::to_owned).collect();
    assert!(found.is_subset(&allowed), "{:?}", found.difference(&allowed));
}

#[test]
fn a_profile_set_is_shared_between_threads() {
    let validate = || support::validate(br#"{"resourceType":"Patient","active":true}"#).unwrap().len();
    let found: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(validate)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).sum()
    });
    assert_eq!(found, 0);
    assert!(support::profiles().is_resource_type("Patient") && !support::profiles().is_resource_type("Resource"));
    assert_eq!(support::profiles().resource_types().count(), 146);
}
