//! Runs a suite of validation cases and prints one line of JSON for each run, `{"name", "outcome": OperationOutcome}`, in
//! the order of the suite. It only prints; judging is the reader's.
//!
//! `cargo run --release -p signalbox-validator --example cases -- CASES.json`: an array of `{"name", "file", "profile_url",
//! "supporting", "options"}` with the files in the folder `files` beside it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use signalbox_validator::json::Document;
use signalbox_validator::{Issue, Options, ProfileSet, Severity};

const PACK: &[u8] = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let path = PathBuf::from(std::env::args().nth(1).ok_or("cases CASES.json")?);
    let runs: Vec<Value> = serde_json::from_slice(&std::fs::read(&path)?)?;
    let folder = path.parent().unwrap_or(Path::new(".")).join("files");
    let base = ProfileSet::load(&[PACK])?;
    let mut sets: HashMap<Vec<String>, ProfileSet> = HashMap::new();
    let mut out = std::io::stdout().lock();
    for run in &runs {
        let mut supporting = strings(&run["supporting"]);
        // The profile of a run need not be named among what supports it.
        if let Some(profile) = run["profile"].as_str().filter(|name| !supporting.iter().any(|known| known == name)) {
            supporting.push(profile.to_owned());
        }
        if !sets.contains_key(&supporting) {
            sets.insert(supporting.clone(), load(&base, &folder, &supporting)?);
        }
        let mut bytes = std::fs::read(folder.join(run["file"].as_str().ok_or("a run without a file")?))?;
        if bytes.trim_ascii_start().starts_with(b"<") {
            bytes = base.json_of_xml(std::str::from_utf8(&bytes)?)?.into_bytes();
        }
        let issues = match Document::read(&bytes) {
            Ok(document) => {
                let issues = sets[&supporting].validate_with(&document, &options(run));
                issues.iter().map(issue).collect()
            }
            Err(error) => vec![json!({
                "severity": "fatal",
                "code": "invalid",
                "diagnostics": format!("[{},{}] {}", error.position.line, error.position.column, error.kind),
            })],
        };
        let outcome = json!({ "resourceType": "OperationOutcome", "issue": issues });
        writeln!(out, "{}", json!({ "name": run["name"], "outcome": outcome }))?;
    }
    Ok(())
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What the options of a run are here; those that only change how the reference validator reports have no meaning.
fn options(run: &Value) -> Options {
    Options {
        profiles: run["profile_url"].as_str().map(str::to_owned).into_iter().collect(),
        unknown_extension: Severity::Error,
        // The reference validator asks the target of a reference for its type, and none of these can be asked.
        reference_by_url: Severity::Warning,
        ..Options::default()
    }
}

/// Base R4 with the conformance resources of a run.
fn load(base: &ProfileSet, folder: &Path, supporting: &[String]) -> Result<ProfileSet, Failure> {
    let mut builder = ProfileSet::builder().pack(PACK);
    for name in supporting {
        let bytes = std::fs::read(folder.join(name))?;
        if Path::new(name).extension().is_some_and(|extension| extension == "tgz") {
            for (file, text) in package(&bytes)? {
                builder = builder.resource(file, text);
            }
        } else if bytes.trim_ascii_start().starts_with(b"<") {
            builder = builder.resource(name.clone(), base.json_of_xml(std::str::from_utf8(&bytes)?)?.into_bytes());
        } else {
            builder = builder.resource(name.clone(), bytes);
        }
    }
    Ok(builder.build()?.0)
}

/// The JSON files of a FHIR package.
fn package(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    let mut files = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        if path.starts_with("package") && is_json && !path.ends_with("package.json") {
            let mut text = Vec::new();
            entry.read_to_end(&mut text)?;
            files.push((path.to_string_lossy().into_owned(), text));
        }
    }
    Ok(files)
}

fn issue(issue: &Issue) -> Value {
    json!({
        "severity": issue.severity.as_str(),
        "code": issue.code.as_str(),
        "diagnostics": format!("[{},{}] {}", issue.line, issue.column, issue.message),
        "expression": [issue.expression],
    })
}
