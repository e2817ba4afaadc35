//! Validates files against base R4: `cargo run --release -p signalbox-validator --example validate -- FILE...`.
//!
//! One line an issue, and one a file that has none.
#![expect(clippy::print_stdout, reason = "the issues are the output")]

use std::error::Error;

use signalbox_validator::{ProfileSet, json::Document};

fn main() -> Result<(), Box<dyn Error>> {
    let pack = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");
    let profiles = ProfileSet::load(&[pack])?;
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path)?;
        match Document::read(&bytes) {
            Err(error) => println!("{path}: fatal: {error}"),
            Ok(document) => {
                let issues = profiles.validate(&document);
                for issue in &issues {
                    println!("{path}: {issue}");
                }
                if issues.is_empty() {
                    println!("{path}: valid");
                }
            }
        }
    }
    Ok(())
}
