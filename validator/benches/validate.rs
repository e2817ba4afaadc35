//! Measures validation, warm and on one thread:
//! `cargo bench -p signalbox-validator -- [--profile URL]... [--package DIR]... FILE...`.
//!
//! For each file: the whole (read the JSON and walk it), and the walk alone over a document already read. A package is a
//! folder of conformance resources as JSON; `--bundle N` measures a collection of N resources made of the files given.
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use signalbox_validator::{Options, ProfileSet, ProfileSetBuilder, json::Document};

const TIME: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn Error>> {
    let pack = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");
    let loading = seconds_each(|| ProfileSet::load(&[pack]).is_ok());
    println!("load {} kB pack: {:.1} ms", pack.len() / 1000, loading * 1e3);
    let (mut builder, mut options, mut files) = (ProfileSet::builder().pack(pack), Options::default(), Vec::new());
    let mut entries = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--profile" => options.profiles.extend(arguments.next()),
            "--package" => builder = package(builder, Path::new(&arguments.next().unwrap_or_default()))?,
            // What cargo says to every benchmark.
            "--bench" => {}
            "--bundle" => entries = arguments.next().and_then(|count| count.parse::<usize>().ok()),
            _ => files.push((argument.clone(), std::fs::read(&argument)?)),
        }
    }
    let (profiles, _) = builder.build()?;
    if let Some(count) = entries {
        files = vec![(format!("Bundle of {count}"), bundle(&files, count))];
    }
    for (name, bytes) in &files {
        measure(&profiles, &options, name, bytes)?;
    }
    Ok(())
}

fn package<'b>(mut builder: ProfileSetBuilder<'b>, folder: &Path) -> Result<ProfileSetBuilder<'b>, Box<dyn Error>> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "json") {
            builder = builder.resource(path.display().to_string(), std::fs::read(path)?);
        }
    }
    Ok(builder)
}

/// A collection of `count` resources, each of the files in turn.
fn bundle(files: &[(String, Vec<u8>)], count: usize) -> Vec<u8> {
    let texts: Vec<&[u8]> = files.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let mut bundle = b"{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[".to_vec();
    for (number, text) in texts.iter().cycle().take(count).enumerate() {
        let separator = if number == 0 { "" } else { "," };
        bundle.extend(format!("{separator}{{\"fullUrl\":\"http://example.org/{number}\",\"resource\":").bytes());
        bundle.extend_from_slice(text);
        bundle.push(b'}');
    }
    bundle.extend(b"]}");
    bundle
}

fn measure(profiles: &ProfileSet, options: &Options, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let document = Document::read(bytes)?;
    let issues = profiles.validate_with(&document, options).len();
    let read = seconds_each(|| Document::read(bytes).is_ok());
    let walk = seconds_each(|| profiles.validate_with(&document, options).len() == issues);
    let whole =
        seconds_each(|| Document::read(bytes).is_ok_and(|read| profiles.validate_with(&read, options).len() == issues));
    println!("{name}: {} bytes, {} values, {issues} issues", bytes.len(), document.size());
    for (what, seconds) in [("read", read), ("walk", walk), ("read and walk", whole)] {
        println!("  {what:14} {:10.2} us = {:8.0}/s", seconds * 1e6, 1.0 / seconds);
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
