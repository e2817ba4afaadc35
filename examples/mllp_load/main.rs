//! How taking HL7 v2 by MLLP compares with the least that any such gateway must do (`floor.rs`): the same 2 kB ADT^A31 over
//! the same connections to one, then to the other, in short turns, each with a database of its own (fsync on) and each
//! message answered after its commit. Prints the table of `docs/performance.md`.
//!
//! `cargo build --release --bins && cargo run --release --example mllp_load -- [CONNECTIONS] [ROUNDS] [SECONDS]`

mod floor;
mod message;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use signalbox::adapters::mllp::framing::{Deframer, frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Messages of one connection in one round have numbers below this.
const ROUND: usize = 100_000;

/// Requests a second, and times in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Measured {
    rate: f64,
    p50: f64,
    p99: f64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, folder] = &arguments[..]
        && word == "floor"
    {
        return floor::serve(Path::new(folder)).await;
    }
    let number = |at: usize, default: usize| arguments.get(at).map_or(Ok(default), |text| text.parse());
    let (connections, rounds, seconds) = (number(0, 16)?, number(1, 20)?, number(2, 2)?);
    let time = Duration::from_secs(seconds as u64);
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
    for folder in &folders {
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    }
    let (mut least, floor_address) = start_floor(folders[0].path())?;
    let (mut child, address) = start(folders[1].path())?;
    let figures = turns([floor_address, address], connections, rounds, time).await;
    stop(&mut least)?;
    stop(&mut child)?;
    let [floor, gateway] = figures?;
    tell(connections, &floor, &gateway)
}

/// The same load on each of the two, in turn. The first round warms both and does not count.
async fn turns(
    addresses: [SocketAddr; 2],
    connections: usize,
    rounds: usize,
    time: Duration,
) -> anyhow::Result<[Vec<Measured>; 2]> {
    let mut figures = [Vec::new(), Vec::new()];
    for round in 0..=rounds {
        for (address, figures) in addresses.into_iter().zip(&mut figures) {
            let measured = load(address, connections, round * ROUND, time).await?;
            if round > 0 {
                figures.push(measured);
            }
        }
    }
    Ok(figures)
}

/// One of the figures.
type Get = fn(&Measured) -> f64;

fn tell(connections: usize, floor: &[Measured], gateway: &[Measured]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{connections} connections, messages of {} bytes; medians of {} rounds\n",
        message::adt(0, 0).len(),
        floor.len()
    )?;
    writeln!(out, "| figure | floor | gateway | gateway / floor |\n|---|---|---|---|")?;
    let rows: [(&str, Get, usize); 3] = [
        ("acknowledged a second", |of| of.rate, 0),
        ("acknowledgement, median, ms", |of| of.p50, 2),
        ("acknowledgement, 99th percentile, ms", |of| of.p99, 2),
    ];
    for (what, get, digits) in rows {
        let (least, ours) = (median(floor, get), median(gateway, get));
        writeln!(out, "| {what} | {least:.digits$} | {ours:.digits$} | {:.2} |", ours / least)?;
    }
    Ok(())
}

fn median(measured: &[Measured], get: Get) -> f64 {
    let mut figures: Vec<f64> = measured.iter().map(get).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn start_floor(folder: &Path) -> anyhow::Result<(Child, SocketAddr)> {
    let mut child = Command::new(std::env::current_exe()?).arg("floor").arg(folder).stdout(Stdio::piped()).spawn()?;
    let line = first_line(&mut child)?;
    let address = line.strip_prefix("listening on ").context("the floor did not start")?.parse()?;
    Ok((child, address))
}

fn start(folder: &Path) -> anyhow::Result<(Child, SocketAddr)> {
    let door = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let settings = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[sources.pas]\nods = \"RX1\"\naddresses = [\"127.0.0.1\"]\n\
         [mllp.adt]\nlisten = \"{door}\"\nsources = [\"pas\"]\nauthorities = {{ \"https://pas.example/number\" = \"RX1\" }}\n\
         [[routes]]\nname = \"all\"\nmessages = [\"ADT\"]\nto = []\n"
    );
    std::fs::write(folder.join("signalbox.toml"), settings)?;
    let program = std::env::current_exe()?;
    let program = program.parent().and_then(Path::parent).context("no target folder")?.join("signalbox");
    let mut child = Command::new(&program)
        .args(["serve", "--log", "warn", "--config"])
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{}: build the release binary first", program.display()))?;
    let line = first_line(&mut child)?;
    anyhow::ensure!(line.starts_with("listening on "), "the gateway did not start: {line}");
    Ok((child, door))
}

fn first_line(child: &mut Child) -> anyhow::Result<String> {
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn stop(child: &mut Child) -> anyhow::Result<()> {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
    }
    child.wait()?;
    Ok(())
}

async fn load(address: SocketAddr, connections: usize, first: usize, time: Duration) -> anyhow::Result<Measured> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut senders = JoinSet::new();
    let begun = Instant::now();
    for sender in 0..connections {
        senders.spawn(send(address, sender, first, Arc::clone(&stop)));
    }
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    while let Some(sent) = senders.join_next().await {
        times.extend(sent??);
    }
    let elapsed = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let at =
        |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default().as_secs_f64() * 1000.0;
    Ok(Measured { rate: f64::from(u32::try_from(times.len())?) / elapsed, p50: at(50), p99: at(99) })
}

/// One connection: each message waits for its acknowledgement.
async fn send(
    address: SocketAddr,
    sender: usize,
    first: usize,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut deframer, mut buffer, mut times) = (Deframer::new(1 << 16), vec![0; 4096], Vec::new());
    let mut number = first;
    while !stop.load(Ordering::Relaxed) {
        let message = frame(message::adt(sender, number).as_bytes());
        let begun = Instant::now();
        stream.write_all(&message).await?;
        let answer = loop {
            if let Some(answer) = deframer.pop() {
                break answer;
            }
            let count = stream.read(&mut buffer).await?;
            anyhow::ensure!(count > 0, "hung up");
            deframer.push(&buffer[..count])?;
        };
        times.push(begun.elapsed());
        let accepted = format!("\rMSA|AA|{sender}.{number}\r");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        anyhow::ensure!(answer.contains(&accepted), "answered {answer}");
        number += 1;
    }
    Ok(times)
}
