//! Asks HL7's validator, in one warm process, and remembers its answers in the target folder: it gives the same answer to
//! the same question.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::hash::{Hash, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use super::inputs::Input;
use super::{Failure, UK_CORE};

/// The outcome of each input, in their order.
pub(crate) fn ask(shared: &Path, inputs: &[Input]) -> Result<Vec<Json>, Failure> {
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/agreement.ndjson");
    let mut known = remembered(&cache)?;
    let missing: Vec<&Input> = inputs.iter().filter(|input| !known.contains_key(&key(input))).collect();
    if !missing.is_empty() {
        let mut file = OpenOptions::new().create(true).append(true).open(&cache)?;
        let outcomes = serve(shared, &missing)?;
        for (input, outcome) in missing.iter().zip(outcomes) {
            writeln!(file, "{}", json!({ "key": key(input), "outcome": outcome }))?;
            known.insert(key(input), outcome);
        }
    }
    Ok(inputs.iter().map(|input| known.get(&key(input)).cloned().unwrap_or_default()).collect())
}

fn key(input: &Input) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    (&input.text, &input.profile).hash(&mut hasher);
    hasher.finish()
}

fn remembered(cache: &Path) -> Result<HashMap<u64, Json>, Failure> {
    let Ok(text) = std::fs::read_to_string(cache) else { return Ok(HashMap::new()) };
    let mut known = HashMap::new();
    for line in text.lines() {
        let mut entry: Json = serde_json::from_str(line)?;
        known.insert(entry["key"].as_u64().unwrap_or_default(), entry["outcome"].take());
    }
    Ok(known)
}

fn serve(shared: &Path, inputs: &[&Input]) -> Result<Vec<Json>, Failure> {
    let mut child = Command::new(shared.join("oracle/oracle"))
        .args(["serve", "--package"])
        .arg(shared.join(UK_CORE))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or("the oracle takes no input")?;
    let stdout = child.stdout.take().ok_or("the oracle gives no output")?;
    let questions: Vec<String> = inputs
        .iter()
        .map(|input| json!({ "text": input.text, "profile": input.profile.iter().collect::<Vec<_>>() }).to_string())
        .collect();
    let writer = std::thread::spawn(move || {
        for question in questions {
            // It ends when the other side does, which the answers then lack.
            if writeln!(stdin, "{question}").is_err() {
                break;
            }
        }
    });
    let outcomes: Vec<Json> =
        BufReader::new(stdout).lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect::<Result<_, Failure>>()?;
    let _ = writer.join();
    child.wait()?;
    if outcomes.len() == inputs.len() {
        Ok(outcomes)
    } else {
        Err(format!("the oracle answered {} of {} questions", outcomes.len(), inputs.len()).into())
    }
}
