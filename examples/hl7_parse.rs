//! How fast a message is read: index it and ask it for five values, on one thread, beside two readers by others, in turns
//! within one run; and whether a message with ten times the results takes ten times as long.
//!
//! `cargo run --release --example hl7_parse -- [ROUNDS]`

use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use signalbox::formats::hl7v2::fields::Fields;
use signalbox::formats::hl7v2::path::Path;

#[path = "mllp_load/message.rs"]
mod message;

/// As the gateway has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PLACES: [&str; 5] = ["MSH-10", "PID-3[2].1", "PID-5.2", "PID-7", "PD1-4.1"];

/// Reads a message and tells how long the values are that it found.
type Reader<'r> = &'r dyn Fn(&str) -> usize;

/// Of one turn.
const TURN: Duration = Duration::from_millis(300);

fn main() -> anyhow::Result<()> {
    let rounds: usize = std::env::args().nth(1).map_or(Ok(9), |text| text.parse())?;
    let adt = message::adt(1, 1);
    let paths: Vec<Path> = PLACES.iter().map(|place| place.parse()).collect::<Result<_, _>>()?;
    let ours = |message: &str| Fields::read(message.as_bytes()).map_or(0, |fields| asked(&fields, &paths));
    let er7 = |message: &str| {
        let Ok(message) = er7::parse(message) else { return 0 };
        PLACES.iter().filter_map(|place| message.query(place).ok()?).map(|value| value.len()).sum()
    };
    let hl7_parser = |message: &str| {
        let Ok(message) = hl7_parser::parse_message(message) else { return 0 };
        let value = |segment, field, repetition, component| {
            let field = message.segment(segment)?.field(field)?;
            let repetition = field.repeat(repetition)?;
            Some(repetition.component(component)?.raw_value().len())
        };
        [("MSH", 10, 1, 1), ("PID", 3, 2, 1), ("PID", 5, 1, 2), ("PID", 7, 1, 1), ("PD1", 4, 1, 1)]
            .into_iter()
            .filter_map(|(segment, field, repetition, component)| value(segment, field, repetition, component))
            .sum()
    };
    anyhow::ensure!(ours(&adt) == er7(&adt) && ours(&adt) == hl7_parser(&adt), "the three do not find the same");

    let readers: [(&str, Reader<'_>); 3] = [("ours", &ours), ("er7", &er7), ("hl7-parser", &hl7_parser)];
    let mut rates = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        for ((_, reader), rates) in readers.iter().zip(&mut rates) {
            rates.push(rate(reader, &adt));
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "ADT^A31 of {} bytes, read and asked for five values; medians of {rounds}\n", adt.len())?;
    writeln!(out, "| reader | a second | ours / it |\n|---|---|---|")?;
    let medians = rates.map(median);
    for ((name, _), rate) in readers.iter().zip(medians) {
        writeln!(out, "| {name} | {rate:.0} | {:.1} |", medians[0] / rate)?;
    }
    let (few, many) = (results(500), results(5_000));
    let [few, many] = [few, many].map(|message| median((0..rounds).map(|_| rate(&ours, &message)).collect()));
    writeln!(out, "\n500 OBX: {few:.0} a second; 5,000 OBX: {many:.0}; {:.1} times as long", few / many)?;
    Ok(())
}

fn asked(fields: &Fields<'_>, paths: &[Path]) -> usize {
    paths.iter().filter_map(|path| fields.get(path)).map(<[u8]>::len).sum()
}

fn rate(reader: Reader<'_>, message: &str) -> f64 {
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < TURN {
        for _ in 0..16 {
            black_box(reader(black_box(message)));
        }
        count += 16;
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A message with so many results.
fn results(count: usize) -> String {
    let obx = |number| format!("OBX|{number}|NM|GLU^Glucose^L||{number}|mmol/L|3-8|N|||F\r");
    let results: Vec<String> = (1..=count).map(obx).collect();
    format!("MSH|^~\\&|LAB|RX1|TIE|RYY|20260701120000||ORU^R01|1|P|2.4\rPID|1||1^^^NHS\r{}", results.concat())
}
