//! Snapshots as we generate them from differentials, compared with the ones HL7 publishes with
//! [R4](https://hl7.org/fhir/R4/downloads.html), element by element.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]
#![expect(clippy::print_stdout, reason = "says what was skipped, and the figures")]

#[path = "support/shared.rs"]
mod shared;

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::{Value as Json, json};
use signalbox_validator::ProfileSet;

const PACK: &[u8] = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");
const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";

/// The definitions of a package.
fn definitions(package: &std::path::Path) -> Vec<Json> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(package).unwrap()));
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut text = Vec::new();
        entry.read_to_end(&mut text).unwrap();
        if let Ok(resource) = serde_json::from_slice::<Json>(&text)
            && resource["resourceType"] == "StructureDefinition"
        {
            found.push(resource);
        }
    }
    found
}

/// Elements that differ, by the end of the definition's canonical, and why.
const EXPLAINED: [(&[&str], &str); 7] = [
    (
        &["/bp"],
        "the published one puts the children of valueQuantity below value[x] here, and below its slice elsewhere",
    ),
    (
        &["/canonical", "/code", "/id", "/markdown", "/oid", "/positiveInt", "/unsignedInt", "/url", "/uuid", "/xhtml"],
        "the published differential and snapshot of a primitive disagree about the type and limits of its value",
    ),
    (&["/catalog", "/familymemberhistory-genetic"], "the published one lacks elements that its base has"),
    (&["/clinicaldocument"], "the published one lets an extension repeat whose definition says that it does not"),
    (
        &["/elementdefinition-de"],
        "the published one lists the children of two extensions though nothing constrains them",
    ),
    (&["/Event", "/MetadataResource"], "a pattern without a type: its elements are listed, not derived"),
    (
        &["/provenance-relevant-history"],
        "the published one keeps a binding that the differential changes, and names a slice in a contentReference",
    ),
];

/// What the comparison looks at: everything that decides validity. Left out are texts, mappings, the order of
/// constraints, and the slicing of extensions by url, which is implied.
fn facts(element: &Json) -> BTreeMap<String, Json> {
    let mut facts = BTreeMap::new();
    for key in ["id", "path", "sliceName", "min", "max", "maxLength", "contentReference"] {
        if !element[key].is_null() {
            facts.insert(key.to_owned(), element[key].clone());
        }
    }
    let path = element["path"].as_str().unwrap();
    if !element["slicing"].is_null() && !path.ends_with("xtension") {
        let slicing = &element["slicing"];
        facts.insert("slicing".to_owned(), json!([slicing["discriminator"], slicing["rules"]]));
    }
    for (key, value) in element.as_object().unwrap() {
        if ["fixed", "pattern", "minValue", "maxValue"].iter().any(|start| key.starts_with(start)) {
            facts.insert(key.clone(), without_display(value));
        }
    }
    let types = element["type"].as_array().into_iter().flatten().map(type_facts).collect::<Vec<_>>();
    facts.insert("type".to_owned(), json!(types));
    if let Some(binding) = element["binding"].as_object() {
        facts.insert("binding".to_owned(), json!([binding["strength"], binding.get("valueSet")]));
    }
    let mut keys: Vec<&Json> = element["constraint"].as_array().into_iter().flatten().map(|c| &c["key"]).collect();
    keys.sort_by_key(std::string::ToString::to_string);
    facts.insert("constraint".to_owned(), json!(keys));
    facts
}

fn type_facts(found: &Json) -> Json {
    let extension = found["extension"].as_array().into_iter().flatten().find(|found| found["url"] == FHIR_TYPE);
    let code = extension.map_or(&found["code"], |extension| &extension["valueUrl"]);
    json!([code, found["profile"], found["targetProfile"], found["aggregation"]])
}

/// Displays are no facts that a pack holds.
fn without_display(value: &Json) -> Json {
    match value {
        Json::Object(members) => {
            members.iter().filter(|(key, _)| *key != "display").map(|(k, v)| (k.clone(), without_display(v))).collect()
        }
        Json::Array(items) => items.iter().map(without_display).collect(),
        other => other.clone(),
    }
}

fn elements(definition: &Json) -> BTreeMap<String, BTreeMap<String, Json>> {
    let list = definition["snapshot"]["element"].as_array().unwrap();
    list.iter().map(|element| (element["id"].as_str().unwrap().to_owned(), facts(element))).collect()
}

#[test]
fn published_r4_snapshots_come_out_of_their_differentials() {
    let Some(shared) = shared::folder("R4 snapshots are regenerated") else { return };
    let set = ProfileSet::load(&[PACK]).unwrap();
    let (mut compared, mut equal, mut snapshots) = (0, 0, 0);
    let mut different: Vec<String> = Vec::new();
    for published in definitions(&shared.join("packages/hl7.fhir.r4.core-4.0.1.tgz")) {
        if published["snapshot"].is_null() {
            continue;
        }
        snapshots += 1;
        let url = published["url"].as_str().unwrap();
        let (text, problems) = set.snapshot(url).unwrap();
        different.extend(problems.iter().map(|problem| format!("{url}: {problem}")));
        let (ours, theirs) = (elements(&serde_json::from_str(&text).unwrap()), elements(&published));
        for (id, theirs) in &theirs {
            compared += 1;
            match ours.get(id) {
                Some(ours) if ours == theirs => equal += 1,
                Some(ours) => {
                    let keys = theirs.keys().chain(ours.keys());
                    let mut keys: Vec<&String> = keys.filter(|key| ours.get(*key) != theirs.get(*key)).collect();
                    keys.dedup();
                    for key in keys {
                        let value =
                            |facts: &BTreeMap<String, Json>| facts.get(key).map_or("-".to_owned(), Json::to_string);
                        different.push(format!("{url} {id} {key}: {} not {}", value(ours), value(theirs)));
                    }
                }
                None => different.push(format!("{url} {id}: missing")),
            }
        }
        different.extend(ours.keys().filter(|id| !theirs.contains_key(*id)).map(|id| format!("{url} {id}: too many")));
    }
    let explained = |line: &&String| {
        let url = line.split_once(' ').map_or("", |(url, _)| url);
        EXPLAINED.iter().any(|(names, _)| names.iter().any(|name| url.ends_with(name)))
    };
    let open: Vec<&String> = different.iter().filter(|line| !explained(line)).collect();
    println!("R4: {snapshots} snapshots, {equal} of {compared} elements equal");
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!((snapshots, compared), (653, 13_021));
    assert!(equal * 1000 >= compared * 995, "{equal} of {compared}");
}

/// Every national profile has a snapshot, and its differential fits what it starts from.
#[test]
fn every_uk_core_definition_has_a_snapshot() {
    let Some(shared) = shared::folder("UK Core snapshots are generated") else { return };
    let published = definitions(&shared.join("packages/fhir.r4.ukcore-2.0.0-sequence.tgz"));
    let resource = |builder: signalbox_validator::ProfileSetBuilder<'static>, definition: &Json| {
        builder.resource(definition["url"].as_str().unwrap(), definition.to_string().into_bytes())
    };
    let builder = published.iter().fold(ProfileSet::builder().pack(PACK), resource);
    let (set, _) = builder.build().unwrap();
    for definition in &published {
        let (text, problems) = set.snapshot(definition["url"].as_str().unwrap()).unwrap();
        assert!(problems.is_empty(), "{problems:#?}");
        let ours = elements(&serde_json::from_str(&text).unwrap());
        assert!(ours.len() >= definition["differential"]["element"].as_array().unwrap().len());
    }
    assert_eq!(published.len(), 153);
}
