//! The load: bare HTTP/1.1 over kept connections, so that the client costs little of the cores it shares with what is
//! measured. In the closed loop each connection sends when it was answered; in the open loop messages fall due by the
//! clock, whatever became of the earlier ones, and a late one counts from when it was due.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::patient;

/// Where to send, and as whom.
#[derive(Clone)]
pub(crate) struct Target {
    /// Host and port.
    pub(crate) address: String,
    /// Bearer token.
    pub(crate) token: String,
}

/// What one run came to; times in milliseconds.
pub(crate) struct Measured {
    /// Messages answered.
    pub(crate) count: usize,
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// As fast as it goes, with `in_flight` connections.
pub(crate) async fn closed(target: &Target, in_flight: usize, time: Duration) -> anyhow::Result<Measured> {
    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut senders = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..in_flight {
        let (target, stop, next) = (target.clone(), Arc::clone(&stop), Arc::clone(&next));
        senders.spawn(async move {
            let mut line = Line::open(&target).await?;
            let mut times = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let request = request(&target, next.fetch_add(1, Ordering::Relaxed));
                let sent = Instant::now();
                line.exchange(&request).await?;
                times.push(sent.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    gather(senders, begun).await
}

/// `rate` messages a second over `connections` connections.
pub(crate) async fn open(target: &Target, connections: usize, rate: f64, time: Duration) -> anyhow::Result<Measured> {
    let next = Arc::new(AtomicU64::new(0));
    let mut senders = JoinSet::new();
    let begun = Instant::now() + Duration::from_millis(200);
    for _ in 0..connections {
        let (target, next) = (target.clone(), Arc::clone(&next));
        senders.spawn(async move {
            let mut line = Line::open(&target).await?;
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let due = Duration::from_secs_f64(f64::from(u32::try_from(number)?) / rate);
                if due > time {
                    return anyhow::Ok(times);
                }
                let request = request(&target, number);
                tokio::time::sleep_until((begun + due).into()).await;
                line.exchange(&request).await?;
                times.push((begun + due).elapsed());
            }
        });
    }
    gather(senders, begun).await
}

async fn gather(mut senders: JoinSet<anyhow::Result<Vec<Duration>>>, begun: Instant) -> anyhow::Result<Measured> {
    let mut times = Vec::new();
    while let Some(sent) = senders.join_next().await {
        times.extend(sent??);
    }
    let elapsed = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let at =
        |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default().as_secs_f64() * 1000.0;
    Ok(Measured {
        count: times.len(),
        rate: f64::from(u32::try_from(times.len())?) / elapsed,
        p50: at(50),
        p99: at(99),
    })
}

fn request(Target { address, token }: &Target, number: u64) -> String {
    let body = patient::of(number, number);
    format!(
        "POST /fhir/Patient HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/fhir+json\r\n\
         x-request-id: 00000000-0000-4000-8000-{number:012x}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// One connection.
struct Line {
    stream: BufReader<TcpStream>,
    text: String,
    answer: Vec<u8>,
}

impl Line {
    async fn open(target: &Target) -> anyhow::Result<Self> {
        let stream = BufReader::new(TcpStream::connect(&target.address).await?);
        stream.get_ref().set_nodelay(true)?;
        Ok(Self { stream, text: String::new(), answer: Vec::new() })
    }

    /// Sends a request, which must be answered 202.
    async fn exchange(&mut self, request: &str) -> anyhow::Result<()> {
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let (status, length) = self.head().await?;
        self.answer.resize(length, 0);
        self.stream.read_exact(&mut self.answer).await?;
        if status != 202 {
            bail!("answered {status}: {}", String::from_utf8_lossy(&self.answer));
        }
        Ok(())
    }

    async fn head(&mut self) -> anyhow::Result<(u16, usize)> {
        let (mut status, mut length) = (0, 0);
        loop {
            self.text.clear();
            if self.stream.read_line(&mut self.text).await? == 0 {
                bail!("the server hung up");
            }
            let text = self.text.trim_end().to_ascii_lowercase();
            if let Some(rest) = text.strip_prefix("http/1.1 ") {
                status = rest.get(..3).unwrap_or("0").parse()?;
            } else if let Some(rest) = text.strip_prefix("content-length: ") {
                length = rest.parse()?;
            } else if text.is_empty() {
                return Ok((status, length));
            }
        }
    }
}
