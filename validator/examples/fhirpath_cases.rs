//! Runs a suite of FHIRPath tests and prints one line of JSON for each: what the expression gives, or why it gives
//! nothing. It only prints; judging is the reader's.
//!
//! `cargo run --release -p signalbox-validator --example fhirpath_cases -- CASES.json`, where the file is an array of
//! `{"group", "name", "input", "expression", "predicate"}` and `input` a file beside it, or null.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use signalbox_validator::ProfileSet;
use signalbox_validator::fhirpath::{Context, Expression};
use signalbox_validator::json::Document;

const PACK: &[u8] = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");

/// A moment within the life of this program; no test may depend on it.
const NOW: i64 = 1_795_000_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = PathBuf::from(std::env::args().nth(1).ok_or("fhirpath_cases CASES.json")?);
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(&path)?)?;
    let set = ProfileSet::load(&[PACK])?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut inputs: HashMap<String, Vec<u8>> = HashMap::new();
    for name in cases.iter().filter_map(|case| case["input"].as_str()) {
        inputs.entry(name.to_owned()).or_insert(std::fs::read(folder.join(name))?);
    }
    let mut out = std::io::stdout().lock();
    for case in &cases {
        let document = match case["input"].as_str().and_then(|name| inputs.get(name)) {
            Some(bytes) => Some(Document::read(bytes)?),
            None => None,
        };
        let mut line = json!({ "group": case["group"], "name": case["name"] });
        match outputs(&set, document.as_ref(), case) {
            Ok(outputs) => line["outputs"] = outputs,
            Err(error) => line["error"] = error.into(),
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn outputs(set: &ProfileSet, document: Option<&Document<'_>>, case: &Value) -> Result<Value, String> {
    let text = case["expression"].as_str().ok_or("the case has no expression")?;
    let expression = Expression::parse(text).map_err(|error| error.to_string())?;
    let context = Context::new(set).at(NOW);
    let found = match document {
        Some(document) => {
            let name = document.root().str_at(&["resourceType"]).unwrap_or_default();
            expression.check(set, &[&*name]).map_err(|error| error.to_string())?;
            expression.evaluate(&context, document.root())
        }
        None => expression.evaluate_alone(&context),
    };
    let found = found.map_err(|error| error.to_string())?;
    if case["predicate"] == true {
        // A predicate asks whether there is anything that is not false.
        let holds = !found.is_empty() && found.iter().all(|item| item.as_bool() != Some(false));
        return Ok(json!([{ "type": "boolean", "value": holds.to_string() }]));
    }
    let items = found.iter().map(|item| json!({ "type": item.type_name(), "value": item.text() }));
    Ok(items.collect())
}
