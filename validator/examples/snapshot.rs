//! Prints snapshots as we generate them:
//! `cargo run --release -p signalbox-validator --example snapshot -- [URL]... [FILE.json]...`.
//!
//! Files are conformance resources that come on top of base R4; without a URL every definition in them is printed, one
//! `StructureDefinition` a line.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the snapshots are the output, and what is wrong with them"
)]

use std::error::Error;

use signalbox_validator::{ProfileSet, json::Document};

fn main() -> Result<(), Box<dyn Error>> {
    let pack = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");
    let mut builder = ProfileSet::builder().pack(pack);
    let (mut asked, mut found) = (Vec::new(), Vec::new());
    for argument in std::env::args().skip(1) {
        if argument.starts_with("http") {
            asked.push(argument);
            continue;
        }
        let bytes = std::fs::read(&argument)?;
        let url = Document::read(&bytes)?.root().str_at(&["url"]).map(std::borrow::Cow::into_owned);
        found.extend(url.filter(|_| argument.contains("StructureDefinition") || !argument.contains("ValueSet")));
        builder = builder.resource(argument, bytes);
    }
    let (set, warnings) = builder.build()?;
    for warning in warnings {
        eprintln!("{warning}");
    }
    for url in if asked.is_empty() { found } else { asked } {
        match set.snapshot(&url) {
            Ok((text, problems)) => {
                println!("{text}");
                for problem in problems {
                    eprintln!("{url}: {problem}");
                }
            }
            Err(reason) => eprintln!("{reason}"),
        }
    }
    Ok(())
}
