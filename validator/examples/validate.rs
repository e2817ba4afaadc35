//! Validates files against base R4 and profiles:
//! `cargo run --release -p signalbox-validator --example validate -- [--profile URL]... [--package DIR]... [--reference] FILE...`.
//!
//! `--reference` reports as HL7's own validator does by default. A package is a folder of conformance resources as JSON. One line an issue, and one a file that has none.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the issues are the output")]

use std::error::Error;

use signalbox_validator::{Options, ProfileSet, Severity, json::Document};

fn main() -> Result<(), Box<dyn Error>> {
    let pack = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");
    let (mut builder, mut options, mut files) = (ProfileSet::builder().pack(pack), Options::default(), Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // As HL7's validator reports.
            "--reference" => {
                options.reference_by_url = Severity::Warning;
                options.unknown_extension = Severity::Error;
            }
            "--profile" => options.profiles.extend(arguments.next()),
            "--package" => {
                let mut resources: Vec<_> = std::fs::read_dir(arguments.next().unwrap_or_default())?
                    .map(|entry| entry.map(|entry| entry.path()))
                    .collect::<Result<_, _>>()?;
                resources.sort();
                for path in resources.iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
                    builder = builder.resource(path.display().to_string(), std::fs::read(path)?);
                }
            }
            _ => files.push(argument),
        }
    }
    let (profiles, warnings) = builder.build()?;
    for warning in warnings {
        eprintln!("{warning}");
    }
    for path in files {
        let bytes = std::fs::read(&path)?;
        match Document::read(&bytes) {
            Err(error) => println!("{path}: fatal: {error}"),
            Ok(document) => {
                let issues = profiles.validate_with(&document, &options);
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
