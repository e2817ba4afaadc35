//! What one message costs in instructions, by step: `scripts/instructions` runs this under callgrind twice, with few and
//! with many messages, and takes the difference, so that start-up does not count. Instructions repeat on a busy machine,
//! where times do not.
//!
//! `instructions STEP COUNT`, STEP one of read, validate, identify.

use std::hint::black_box;
use std::path::Path;

use anyhow::{Context, bail};
use signalbox::exchange::keys::SearchKey;
use signalbox::formats::fhir_json::patients;
use signalbox::validation::Validation;
use signalbox_validator::json::Document;

#[path = "load/patient.rs"]
mod patient;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let step = arguments.first().context("instructions STEP COUNT")?;
    let count: usize = arguments.get(1).context("instructions STEP COUNT")?.parse()?;
    let validation = Validation::built_in()?;
    let key = SearchKey::new(&[7; 32])?;
    let body = match arguments.get(2) {
        Some(path) => std::fs::read(Path::new(path))?,
        None => patient::of(1, 1).into_bytes(),
    };
    for _ in 0..count {
        let document = Document::read(black_box(&body)).map_err(|error| anyhow::anyhow!("{:?}", error.kind))?;
        match step.as_str() {
            "read" => {
                black_box(document.size());
            }
            "validate" => {
                black_box(validation.check(&document));
            }
            "identify" => {
                black_box(key.keys(&patients::identities(document.root(), "gp")));
            }
            other => bail!("there is no step '{other}'"),
        }
    }
    Ok(())
}
