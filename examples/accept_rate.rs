//! How many Patients a second the gateway accepts: starts the release binary with a database of its own (fsync on), sends
//! a 4 kB Patient over `IN_FLIGHT` kept-alive connections, each waiting for its answer, and prints rate, latency, start
//! time and memory. Every message has an X-Request-ID and a patient of its own.
//!
//! `cargo build --release && cargo run --release --example accept_rate -- [IN_FLIGHT] [SECONDS] [none|file]`

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use signalbox::chance::Chance;
use signalbox::config::token;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const REST: &str = r#"
[[routes]]
name = "all"
to = []
"#;
const FILE: &str = r#"
[destinations.archive]
type = "file"
concurrency = 8
settings = { folder = "archive", name = "{delivery}.json" }
[[routes]]
name = "all"
to = ["archive"]
"#;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| arguments.get(at).map_or(Ok(default), |text| text.parse());
    let (in_flight, seconds) = (number(0, 64)?, number(1, 10)?);
    let routes = if arguments.get(2).is_some_and(|to| to == "file") { FILE } else { REST };

    let folder = tempfile::tempdir()?;
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    std::fs::create_dir(folder.path().join("archive"))?;
    let (secret, hash) = token::new_token(&Chance::from_system());
    let settings = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[sources.gp]\nods = \"A99001\"\ntoken_sha256 = [\"{hash}\"]\n{routes}"
    );
    std::fs::write(folder.path().join("signalbox.toml"), settings)?;

    let (mut child, cold, _) = start(folder.path())?;
    stop(&mut child)?;
    let (mut child, warm, address) = start(folder.path())?;
    let ended = load(&address, secret.expose(), in_flight, seconds).await;
    let memory = memory(child.id());
    stop(&mut child)?;
    let (rate, p50, p99) = ended?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{in_flight} in flight, {} bytes each: {rate:.0} accepts/s, p50 {p50:?}, p99 {p99:?}",
        patient(0, 0).len()
    )?;
    writeln!(out, "start: {cold:?} with a new database, {warm:?} with an old one; memory at its peak: {memory}")?;
    Ok(())
}

fn start(folder: &Path) -> anyhow::Result<(std::process::Child, Duration, String)> {
    let program = std::env::current_exe()?;
    let program = program.parent().and_then(Path::parent).context("no target folder")?.join("signalbox");
    let begun = Instant::now();
    let mut child = Command::new(&program)
        .args(["serve", "--log", "warn", "--config"])
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{}: build the release binary first", program.display()))?;
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().context("no output")?), &mut line)?;
    let Some(address) = line.trim().strip_prefix("listening on http://").and_then(|rest| rest.strip_suffix("/fhir"))
    else {
        bail!("the gateway did not start: {line}");
    };
    Ok((child, begun.elapsed(), address.to_owned()))
}

fn stop(child: &mut std::process::Child) -> anyhow::Result<()> {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
    }
    child.wait()?;
    Ok(())
}

fn memory(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or("VmHWM: ?");
    line.trim_start_matches("VmHWM:").trim().to_owned()
}

async fn load(address: &str, token: &str, in_flight: u64, seconds: u64) -> anyhow::Result<(f64, Duration, Duration)> {
    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut senders = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..in_flight {
        let (address, token, stop, next) = (address.to_owned(), token.to_owned(), Arc::clone(&stop), Arc::clone(&next));
        senders.spawn(async move { send(&address, &token, &stop, &next).await });
    }
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    stop.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    while let Some(sent) = senders.join_next().await {
        times.extend(sent??);
    }
    let elapsed = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    let count = f64::from(u32::try_from(times.len())?);
    Ok((count / elapsed, at(50), at(99)))
}

/// One sender: bare HTTP/1.1, so that the client costs little of the two cores it shares with what is measured.
async fn send(address: &str, token: &str, stop: &AtomicBool, next: &AtomicU64) -> anyhow::Result<Vec<Duration>> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    stream.get_ref().set_nodelay(true)?;
    let mut times = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let body = patient(number, number);
        let request = format!(
            "POST /fhir/Patient HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/fhir+json\r\n\
             x-request-id: 00000000-0000-4000-8000-{number:012x}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let begun = Instant::now();
        stream.get_mut().write_all(request.as_bytes()).await?;
        let (status, length) = head(&mut stream).await?;
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).await?;
        times.push(begun.elapsed());
        if status != 202 {
            bail!("answered {status}: {}", String::from_utf8_lossy(&answer));
        }
    }
    Ok(times)
}

async fn head(stream: &mut BufReader<TcpStream>) -> anyhow::Result<(u16, usize)> {
    let (mut line, mut status, mut length) = (String::new(), 0, 0);
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            bail!("the gateway hung up");
        }
        let text = line.trim_end().to_ascii_lowercase();
        if let Some(rest) = text.strip_prefix("http/1.1 ") {
            status = rest.get(..3).unwrap_or("0").parse()?;
        } else if let Some(rest) = text.strip_prefix("content-length: ") {
            length = rest.parse()?;
        } else if text.is_empty() {
            return Ok((status, length));
        }
    }
}

/// About 4 kB: names, addresses, contacts and identifiers of an invented patient.
fn patient(number: u64, seed: u64) -> String {
    let identifier = format!(
        r#"{{"use":"usual","system":"https://demo.signalbox.example/Id/hospital-number","value":"RX{number:09}"}}"#
    );
    let name = r#"{"use":"official","family":"Ashworth","given":["Bronwen","Imogen"],"prefix":["Mrs"],"period":{"start":"2001-04-05"}}"#;
    let address = r#"{"use":"home","type":"both","text":"12 Semaphore Street, Crossley Junction","line":["12 Semaphore Street","Flat 3"],"city":"Crossley Junction","district":"Upper Tamping","postalCode":"ZZ99 3VZ","country":"GBR","period":{"start":"2011-02-03"}}"#;
    let phone = r#"{"system":"phone","value":"01632 960123","use":"home","rank":1,"period":{"start":"2011-02-03"}}"#;
    let contact = format!(
        r#"{{"relationship":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/v2-0131","code":"N","display":"Next-of-Kin"}}]}}],"name":{name},"telecom":[{phone}],"address":{address},"gender":"female"}}"#
    );
    let many = |one: &str, count: usize| vec![one; count].join(",");
    format!(
        r#"{{"resourceType":"Patient","language":"en-GB","identifier":[{identifier}],"active":true,"name":[{}],"telecom":[{}],"gender":"female","birthDate":"19{:02}-02-28","address":[{}],"contact":[{}],"multipleBirthBoolean":false}}"#,
        many(name, 3),
        many(phone, 4),
        seed % 100,
        many(address, 3),
        many(&contact, 3)
    )
}
