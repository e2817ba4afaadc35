//! Measures validation, warm and on one thread: `cargo run --release -p signalbox-validator --example bench -- FILE...`.
//!
//! For each file: the whole (read the JSON and walk it), and the walk alone over a document already read.
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use signalbox_validator::{ProfileSet, json::Document};

const TIME: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn Error>> {
    let pack = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");
    let profiles = ProfileSet::load(&[pack])?;
    let loading = seconds_each(|| ProfileSet::load(&[pack]).is_ok());
    println!("load {} kB pack: {:.1} ms", pack.len() / 1000, loading * 1e3);
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path)?;
        let document = Document::read(&bytes)?;
        let issues = profiles.validate(&document).len();
        let read = seconds_each(|| Document::read(&bytes).is_ok());
        let walk = seconds_each(|| profiles.validate(&document).len() == issues);
        let whole = seconds_each(|| Document::read(&bytes).is_ok_and(|read| profiles.validate(&read).len() == issues));
        let values = document.size();
        println!("{path}: {} bytes, {values} values, {issues} issues", bytes.len());
        for (what, seconds) in [("read", read), ("walk", walk), ("read and walk", whole)] {
            println!("  {what:14} {:10.2} us = {:8.0}/s", seconds * 1e6, 1.0 / seconds);
        }
    }
    Ok(())
}

/// Seconds that one call takes, the best of several rounds.
fn seconds_each(call: impl Fn() -> bool) -> f64 {
    let mut best = f64::INFINITY;
    let begun = Instant::now();
    while begun.elapsed() < TIME {
        let round = Instant::now();
        let mut calls = 0_u32;
        while round.elapsed() < TIME / 20 {
            assert!(black_box(call()), "the result changed");
            calls += 1;
        }
        best = best.min(round.elapsed().as_secs_f64() / f64::from(calls));
    }
    best
}
