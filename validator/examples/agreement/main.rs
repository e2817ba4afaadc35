//! Compares this validator with HL7's, which `oracle` runs without network, and says where they differ.
//!
//! `cargo run --release -p signalbox-validator --example agreement -- mutants [COUNT [SEED [FOLDER]]] | examples | nhs | snapshots |
//! files FILE...`; `scripts/oracle-agreement` runs all of them. It needs the folder of shared inputs beside the repository,
//! and Java.
#![expect(clippy::print_stdout, reason = "the comparison is the output")]

#[path = "../../tests/support/mutants/mod.rs"]
mod mutants;
#[path = "../../tests/support/snapshot_facts.rs"]
mod snapshot_facts;

mod compare;
mod inputs;
mod oracle;
mod snapshots;

use std::error::Error;
use std::path::PathBuf;

use compare::Tally;
use inputs::Input;
use signalbox_validator::{Options, ProfileSet, Severity, json::Document};

/// What a comparison may fail with.
type Failure = Box<dyn Error>;

const PACK: &[u8] = include_bytes!("../../../fhir-profiles/hl7.fhir.r4.core.pack");
const UK_CORE: &str = "packages/fhir.r4.ukcore-2.0.0-sequence.tgz";

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let number = |at: usize, otherwise: u64| rest.get(at).map_or(Ok(otherwise), |text| text.parse());
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let set = with_uk_core(&shared)?;
    let inputs = match mode.as_str() {
        "mutants" => inputs::mutants(&set, &shared, usize::try_from(number(0, 10_000)?)?, number(1, 1)?)?,
        "examples" => inputs::uk_core(&shared)?,
        "nhs" => inputs::nhs(&shared)?,
        "files" => inputs::files(&rest)?,
        "freeze" => return freeze(&set, &shared, rest.first().ok_or("freeze FILE")?),
        "snapshots" => return snapshots::compare(&set, &shared),
        _ => {
            return Err(
                "agreement mutants [COUNT [SEED [FOLDER]]] | examples | nhs | snapshots | files FILE... | freeze FILE"
                    .into(),
            );
        }
    };
    if let Some(folder) = rest.get(2) {
        inputs::write(&inputs, std::path::Path::new(folder))?;
    }
    let outcomes = oracle::ask(&shared, &inputs)?;
    let mut tally = Tally::default();
    for (input, expected) in inputs.iter().zip(&outcomes) {
        tally.add(input, &ours(&set, input), expected);
    }
    tally.print(mode != "mutants");
    Ok(())
}

/// Writes a sample of mutants of our own resources on which both agree, with our errors, one a line.
fn freeze(set: &ProfileSet, shared: &std::path::Path, file: &str) -> Result<(), Failure> {
    let inputs = inputs::own(set)?;
    let outcomes = oracle::ask(shared, &inputs)?;
    let base = ProfileSet::load(&[PACK])?;
    let mut lines = String::new();
    for (input, outcome) in inputs.iter().zip(&outcomes) {
        let is_invalid = compare::has_error(outcome);
        if ours(set, input).iter().any(compare::Found::is_error) != is_invalid {
            continue;
        }
        let document = Document::read(input.text.as_bytes())?;
        let issues = base.validate(&document);
        let errors = issues.iter().filter(|issue| issue.severity.is_error());
        let errors: Vec<String> = errors.map(|issue| format!("{} {}", issue.code, issue.expression)).collect();
        let resource: serde_json::Value = serde_json::from_str(&input.text)?;
        let line = serde_json::json!({ "class": input.class, "resource": resource, "errors": errors });
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    std::fs::write(file, lines)?;
    Ok(())
}

/// Base R4 with the UK Core package.
fn with_uk_core(shared: &std::path::Path) -> Result<ProfileSet, Failure> {
    let package = std::fs::read(shared.join(UK_CORE))?;
    let resources = signalbox_validator::Package::read(&package)?.definitions;
    let builder = ProfileSet::builder().pack(PACK);
    Ok(resources.into_iter().fold(builder, |builder, (name, text)| builder.resource(name, text)).build()?.0)
}

/// Our errors and warnings, reported as HL7's validator does by default.
fn ours(set: &ProfileSet, input: &Input) -> Vec<compare::Found> {
    let options = Options {
        profiles: input.profile.clone().into_iter().collect(),
        unknown_extension: Severity::Error,
        reference_by_url: Severity::Warning,
        ..Options::default()
    };
    match Document::read(input.text.as_bytes()) {
        Ok(document) => set.validate_with(&document, &options).iter().map(compare::Found::of).collect(),
        Err(error) => vec![compare::Found::fatal(error.to_string())],
    }
}
