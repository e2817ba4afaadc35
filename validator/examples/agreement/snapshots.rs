//! Snapshots of all UK Core definitions as both generate them, compared element by element.
#![expect(clippy::print_stdout, reason = "the comparison is the output")]

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;
use signalbox_validator::ProfileSet;

use super::{Failure, UK_CORE, snapshot_facts};

pub(crate) fn compare(set: &ProfileSet, shared: &Path) -> Result<(), Failure> {
    let package = signalbox_validator::Package::read(&std::fs::read(shared.join(UK_CORE))?)?;
    let mut urls = Vec::new();
    for (_, text) in &package.definitions {
        let resource: Json = serde_json::from_slice(text)?;
        if resource["resourceType"] == "StructureDefinition" {
            urls.extend(resource["url"].as_str().map(str::to_owned));
        }
    }
    urls.sort_unstable();
    let mut oracle = Command::new(shared.join("oracle/oracle"));
    let output = oracle.arg("snapshot").args(&urls).arg("--package").arg(shared.join(UK_CORE)).output()?;
    let (mut equal, mut all, mut snapshots, mut different) = (0, 0, 0, Vec::new());
    for line in String::from_utf8(output.stdout)?.lines() {
        let theirs = plain(line)?;
        let url = theirs["url"].as_str().unwrap_or_default();
        let (text, problems) = set.snapshot(url)?;
        different.extend(problems.iter().map(|problem| format!("{url}: {problem}")));
        let (same, elements) = snapshot_facts::compare(url, &plain(&text)?, &theirs, &mut different);
        equal += same;
        all += elements;
        snapshots += 1;
    }
    println!("{snapshots} of {} snapshots, {equal} of {all} elements equal", urls.len());
    for line in &different {
        println!("{line}");
    }
    if snapshots == urls.len() && equal * 100 >= all * 99 { Ok(()) } else { Err("less than 99 % are equal".into()) }
}

/// A definition without what the two write differently: the version of base R4, the type that a contentReference is in, and
/// the type of the id of a resource, which R4 publishes as a string and means as an id.
fn plain(text: &str) -> Result<Json, Failure> {
    let mut definition: Json = serde_json::from_str(&text.replace("|4.0.1\"", "\""))?;
    for element in definition["snapshot"]["element"].as_array_mut().into_iter().flatten() {
        if let Some(reference) = element["contentReference"].as_str().and_then(|text| text.split('#').nth(1)) {
            element["contentReference"] = format!("#{reference}").into();
        }
        let parts = element["path"].as_str().and_then(|path| path.split_once('.'));
        let is_id = parts.is_some_and(|(_, name)| name == "id");
        if is_id {
            element["type"] = serde_json::json!([{ "code": "id" }]);
        }
    }
    Ok(definition)
}
