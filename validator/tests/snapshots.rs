//! Snapshots as we generate them from differentials, compared with the ones HL7 publishes with
//! [R4](https://hl7.org/fhir/R4/downloads.html), element by element.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]
#![expect(clippy::print_stdout, reason = "says what was skipped, and the figures")]

#[path = "support/shared.rs"]
mod shared;
#[path = "support/snapshot_facts.rs"]
mod snapshot_facts;

use std::io::Read;

use serde_json::Value as Json;
use signalbox_validator::ProfileSet;

const PACK: &[u8] = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");

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
        let ours = serde_json::from_str(&text).unwrap();
        let (same, all) = snapshot_facts::compare(url, &ours, &published, &mut different);
        equal += same;
        compared += all;
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
        let ours = snapshot_facts::elements(&serde_json::from_str(&text).unwrap());
        assert!(ours.len() >= definition["differential"]["element"].as_array().unwrap().len());
    }
    assert_eq!(published.len(), 153);
}
