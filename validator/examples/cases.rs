//! Runs a suite of validation cases and prints one line of JSON for each run, `{"name", "outcome": OperationOutcome}`, in
//! the order of the suite. It only prints; judging is the reader's.
//!
//! `cargo run --release -p signalbox-validator --example cases -- CASES.json`: an array of `{"name", "file", "profile_url",
//! "supporting", "options"}` with the files in the folder `files` beside it.

#[path = "../tests/support/case.rs"]
mod case;

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use case::{Failure, Suite};
use serde_json::{Value, json};

fn main() -> Result<(), Failure> {
    let path = PathBuf::from(std::env::args().nth(1).ok_or("cases CASES.json")?);
    let runs: Vec<Value> = serde_json::from_slice(&std::fs::read(&path)?)?;
    let suite = Suite::new(path.parent().unwrap_or(Path::new(".")))?;
    let mut sets = HashMap::new();
    let mut out = std::io::stdout().lock();
    for run in &runs {
        let supporting = Suite::supporting(run);
        if !sets.contains_key(&supporting) {
            sets.insert(supporting.clone(), suite.load(&supporting)?);
        }
        let outcome = json!({ "resourceType": "OperationOutcome", "issue": suite.issues(run, &sets[&supporting])? });
        writeln!(out, "{}", json!({ "name": run["name"], "outcome": outcome }))?;
    }
    Ok(())
}
