//! Snapshots of all UK Core definitions as both generate them, compared element by element.
#![expect(clippy::print_stdout, reason = "the comparison is the output")]

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;
use signalbox_validator::ProfileSet;

use super::{Failure, UK_CORE, snapshot_facts};

pub(crate) fn compare(set: &ProfileSet, shared: &Path) -> Result<(), Failure> {
    let own = "https://fhir.hl7.org.uk/";
    let mut urls: Vec<&str> = set.definitions().filter(|url| url.starts_with(own)).collect();
    urls.sort_unstable();
    let mut oracle = Command::new(shared.join("oracle/oracle"));
    let output = oracle.arg("snapshot").args(&urls).arg("--package").arg(shared.join(UK_CORE)).output()?;
    let (mut equal, mut all, mut snapshots, mut different) = (0, 0, 0, Vec::new());
    for line in String::from_utf8(output.stdout)?.lines() {
        let theirs: Json = serde_json::from_str(line)?;
        let url = theirs["url"].as_str().unwrap_or_default();
        let (text, problems) = set.snapshot(url)?;
        different.extend(problems.iter().map(|problem| format!("{url}: {problem}")));
        let (same, elements) = snapshot_facts::compare(url, &serde_json::from_str(&text)?, &theirs, &mut different);
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
