//! How the gateway compares with the least that any such gateway must do (`examples/floor.rs`): the same load on one, then
//! on the other, in alternation, each with a database of its own (fsync on). Prints the tables of `docs/performance.md`.
//!
//! `cargo build --release --examples --bins && cargo run --release --example load -- [ROUNDS] [SECONDS]`

mod client;
mod patient;
mod servers;

use std::io::Write;
use std::time::Duration;

use client::Measured;
use servers::{Deliveries, Kind, Server};

/// Requests under way at once in the closed loop.
const IN_FLIGHT: usize = 64;
/// Connections of the open loop: enough that none has to wait for another while the server keeps up.
const CONNECTIONS: usize = 256;
/// The open loop asks for this share of what the gateway does in the closed loop.
const SHARE: f64 = 0.7;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| arguments.get(at).map_or(Ok(default), |text| text.parse());
    let (rounds, seconds) = (number(0, 5)?, Duration::from_secs(number(1, 8)?));
    for deliveries in [Deliveries::Paused, Deliveries::Flow] {
        compare(deliveries, rounds, seconds).await?;
    }
    Ok(())
}

/// What the rounds came to for one server.
#[derive(Default)]
struct Figures {
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    server: Vec<f64>,
    database: Vec<f64>,
    open_p50: Vec<f64>,
    open_p99: Vec<f64>,
    memory: Vec<f64>,
    warm: Vec<f64>,
}

async fn compare(deliveries: Deliveries, rounds: u64, seconds: Duration) -> anyhow::Result<()> {
    let (mut floor, mut gateway) = (Figures::default(), Figures::default());
    for _ in 0..rounds {
        for (kind, figures) in [(Kind::Floor, &mut floor), (Kind::Gateway, &mut gateway)] {
            let server = Server::start(kind, deliveries).await?;
            let before = server.used();
            let measured = client::closed(&server.target, IN_FLIGHT, seconds).await?;
            let used = server.used();
            let each = |before, after| per_message(after - before, measured.count);
            figures.server.push(each(before.server, used.server));
            figures.database.push(each(before.database, used.database));
            figures.rate.push(measured.rate);
            figures.p50.push(measured.p50);
            figures.p99.push(measured.p99);
            figures.warm.push(server.warm.as_secs_f64() * 1000.0);
            figures.memory.push(server.stop()?);
        }
        let rate = SHARE * median(&gateway.rate);
        for (kind, figures) in [(Kind::Floor, &mut floor), (Kind::Gateway, &mut gateway)] {
            let server = Server::start(kind, deliveries).await?;
            let Measured { p50, p99, .. } = client::open(&server.target, CONNECTIONS, rate, seconds).await?;
            figures.open_p50.push(p50);
            figures.open_p99.push(p99);
            figures.memory.push(server.stop()?);
        }
    }
    tell(deliveries, &floor, &gateway)
}

/// One of the figures.
type Get = fn(&Figures) -> &Vec<f64>;

fn tell(deliveries: Deliveries, floor: &Figures, gateway: &Figures) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nPatient of {} bytes, deliveries {}; medians\n", patient::of(0, 0).len(), deliveries.word())?;
    writeln!(out, "| figure | floor | gateway | gateway / floor |\n|---|---|---|---|")?;
    let rows: [(&str, Get); 9] = [
        ("closed loop, 64 in flight: accepted a second", |of| &of.rate),
        ("closed loop: median, ms", |of| &of.p50),
        ("closed loop: 99th percentile, ms", |of| &of.p99),
        ("closed loop: processor time of the server for each message, microseconds", |of| &of.server),
        ("closed loop: processor time of the database for each message, microseconds", |of| &of.database),
        ("open loop at 70 % of the gateway's rate: median, ms", |of| &of.open_p50),
        ("open loop: 99th percentile, ms", |of| &of.open_p99),
        ("memory at its peak, MB", |of| &of.memory),
        ("start until it listens, existing database, ms", |of| &of.warm),
    ];
    for (name, get) in rows {
        let (floor, gateway) = (median(get(floor)), median(get(gateway)));
        writeln!(out, "| {name} | {floor:.1} | {gateway:.1} | {:.2} |", gateway / floor)?;
    }
    Ok(())
}

/// Microseconds for each of `count` messages; a tick is a hundredth of a second.
fn per_message(ticks: u64, count: usize) -> f64 {
    let whole = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    whole(ticks * 10_000) / whole(count as u64)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
