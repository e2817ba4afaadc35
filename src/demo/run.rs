//! Runs the demo: starts its processes, keeps the stream going, shows a line of rates, and at the end asks the register
//! whether everything adds up.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::Context;
use sqlx::{ConnectOptions, PgConnection};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::children::Process;
use super::configuration::configuration;
use super::stream::Stream;
use crate::app::StopSignal;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::store::reconciliation::{self, Reconciliation};
use crate::store::server;

/// What to show.
pub struct Plan {
    /// Stop after this many messages and check.
    pub exchanges: Option<u64>,
    /// Messages a second without an end.
    pub rate: u32,
    /// Folder of the demo.
    pub data: PathBuf,
}

/// Senders at work at once when the number of messages is given.
const SENDERS: usize = 16;

/// How long the deliveries may take to end after the last message.
const SETTLING: Duration = Duration::from_secs(90);

/// Runs the demo. Exit code 1: something did not add up.
///
/// # Errors
/// When one of its processes cannot be started, or the gateway ends by itself.
pub async fn run(plan: Plan, clock: Clock, chance: Chance) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(plan.data.join("archive"))
        .with_context(|| format!("{} cannot be made", plan.data.display()))?;
    let data = plan.data.canonicalize()?;
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(cancel_on_signal(StopSignal::listen()?, stop.clone()));
    let mut stage = Stage::build(&data, &chance).await?;
    let stream = Arc::new(Stream::new(stage.gateway.place.clone(), stage.tokens.clone(), clock, chance)?);
    let (app, _) = server::own_connection(&data.join("data"))?;
    let mut db = app.connect().await?;
    announce(&stage, &data)?;
    let verdict = async {
        let settled = play(&plan, &stream, &stop, &mut db, &mut stage).await?;
        Ok(if plan.exchanges.is_some() { Some(judge(&stream, &mut db, settled).await?) } else { None })
    };
    let verdict: anyhow::Result<Option<bool>> = verdict.await;
    drop(db);
    stage.stop().await;
    let verdict = verdict?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nStopped. The database, what the partners received and the logs are in {}.", data.display())?;
    Ok(match verdict {
        Some(false) => ExitCode::from(1),
        _ => ExitCode::SUCCESS,
    })
}

/// The processes on stage.
struct Stage {
    gateway: Process,
    pas: Process,
    central: Process,
    data: PathBuf,
    tokens: [String; 3],
}

impl Stage {
    async fn build(data: &Path, chance: &Chance) -> anyhow::Result<Self> {
        let file = |name: &str| data.join(name);
        let text = |path: PathBuf| path.display().to_string();
        let partner = |kind: &'static str| {
            let (ledger, log) = (ledger(data, kind), file(&format!("{kind}.log")));
            async move { Process::start(kind, &["partner", kind, "--moody", "--ledger", &ledger], &log).await }
        };
        let pas = partner("pas").await?;
        let central = partner("central").await?;
        let (configuration, tokens) = configuration(&pas.place, &central.place, chance);
        std::fs::write(file("signalbox.toml"), configuration)?;
        let folder = text(data.to_owned());
        let arguments = ["serve", "--fetch-postgres", "--config", &folder];
        let gateway = Process::start("gateway", &arguments, &file("gateway.log")).await?;
        Ok(Self { gateway, pas, central, data: data.to_owned(), tokens })
    }

    /// Says which partner has ended: what is for it waits, as with any partner that is down.
    ///
    /// # Errors
    /// When the gateway has ended.
    fn look_around(&mut self) -> anyhow::Result<()> {
        if let Some(ended) = self.gateway.has_ended() {
            anyhow::bail!("{ended}");
        }
        for partner in [&mut self.pas, &mut self.central] {
            if let Some(ended) = partner.has_ended() {
                let (name, address) = (partner.name, partner.address());
                let ledger = ledger(&self.data, name);
                let mut out = std::io::stdout().lock();
                writeln!(out, "\n{ended}. What is for it waits; start it again with")?;
                writeln!(out, "  signalbox partner {name} --moody --listen {address} --ledger {ledger}")?;
            }
        }
        Ok(())
    }

    /// The gateway first: what it is sending is taken or known to be unknown.
    async fn stop(self) {
        self.gateway.stop().await;
        self.pas.stop().await;
        self.central.stop().await;
    }
}

/// Where a partner writes what it receives.
fn ledger(data: &Path, partner: &str) -> String {
    data.join(format!("{partner}-received.jsonl")).display().to_string()
}

async fn cancel_on_signal(mut signal: StopSignal, stop: CancellationToken) {
    signal.wait().await;
    stop.cancel();
}

fn announce(stage: &Stage, data: &Path) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "Signalbox demo")?;
    writeln!(out, "  gateway   {}  (FHIR R4; three trust systems are sending)", stage.gateway.place)?;
    writeln!(out, "  pas       {}  (HL7 v2 over MLLP; sometimes slow, refusing or hanging up)", stage.pas.place)?;
    writeln!(out, "  central   {}  (FHIR REST; sometimes busy)", stage.central.place)?;
    writeln!(out, "  archive   {}", data.join("archive").display())?;
    writeln!(out, "Look around from another terminal:")?;
    writeln!(out, "  signalbox exchanges --config {}", data.display())?;
    writeln!(out, "  signalbox show ID --config {}\n", data.display())
}

/// Sends until the plan is done or somebody stops it; returns whether all deliveries have ended.
async fn play(
    plan: &Plan,
    stream: &Arc<Stream>,
    stop: &CancellationToken,
    db: &mut PgConnection,
    stage: &mut Stage,
) -> anyhow::Result<bool> {
    let senders = TaskTracker::new();
    let done = CancellationToken::new();
    match plan.exchanges {
        Some(count) => send_count(count, stream, stop, &senders),
        None => drop(senders.spawn(send_at_rate(plan.rate, Arc::clone(stream), stop.clone()))),
    }
    senders.close();
    let mut last = (0, Instant::now());
    loop {
        let finished = tokio::time::timeout(Duration::from_secs(1), senders.wait()).await.is_ok();
        let open = reconciliation::open(db).await?;
        last = show(stream, open, last, finished)?;
        stage.look_around()?;
        if finished || stop.is_cancelled() {
            break;
        }
    }
    done.cancel();
    senders.wait().await;
    if plan.exchanges.is_none() {
        return Ok(true);
    }
    let deadline = Instant::now() + SETTLING;
    loop {
        let open = reconciliation::open(db).await?;
        last = show(stream, open, last, open == 0)?;
        if open == 0 || Instant::now() > deadline || stop.is_cancelled() {
            return Ok(open == 0);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn send_count(count: u64, stream: &Arc<Stream>, stop: &CancellationToken, senders: &TaskTracker) {
    let left = Arc::new(std::sync::atomic::AtomicU64::new(count));
    for _ in 0..SENDERS {
        let (stream, stop, left) = (Arc::clone(stream), stop.clone(), Arc::clone(&left));
        senders.spawn(async move {
            let take = |left: u64| left.checked_sub(1);
            while !stop.is_cancelled() && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                stream.send_next().await;
            }
        });
    }
}

async fn send_at_rate(rate: u32, stream: Arc<Stream>, stop: CancellationToken) {
    let mut beat = tokio::time::interval(Duration::from_secs(1) / rate.max(1));
    let under_way = TaskTracker::new();
    loop {
        tokio::select! {
            _ = beat.tick() => {}
            () = stop.cancelled() => break,
        }
        // A gateway that is slower than the beat must not be buried under its own demo.
        if under_way.len() < 256 {
            let stream = Arc::clone(&stream);
            under_way.spawn(async move { stream.send_next().await });
        }
    }
    under_way.close();
    under_way.wait().await;
}

/// One live line; on a terminal it is written over, elsewhere only the last one is kept.
fn show(stream: &Stream, open: i64, last: (u64, Instant), end: bool) -> std::io::Result<(u64, Instant)> {
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let tally = &stream.tally;
    let (accepted, refused, failed) = (count(&tally.accepted), count(&tally.refused), count(&tally.failed));
    let total = accepted + refused + failed;
    let (before, since) = last;
    let seconds = since.elapsed().as_secs_f64().max(0.001);
    let rate = f64::from(u32::try_from(total - before).unwrap_or(u32::MAX)) / seconds;
    let line = format!(
        "{rate:7.0}/s  {accepted} accepted  {refused} refused with reasons  {failed} unanswered  {open} under way"
    );
    let mut out = std::io::stdout().lock();
    if out.is_terminal() {
        write!(out, "\r\x1b[2K{line}")?;
        out.flush()?;
    } else if end {
        writeln!(out, "{line}")?;
    }
    Ok((total, Instant::now()))
}

/// Asks the register whether everything adds up, and says what does not.
async fn judge(stream: &Stream, db: &mut PgConnection, settled: bool) -> anyhow::Result<bool> {
    let tasks = stream.tally.tasks.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let ids: Vec<uuid::Uuid> = tasks.iter().map(|task| task.uuid()).collect();
    let stored = reconciliation::stored(db, &ids).await?;
    let Reconciliation { open, unaudited_exchanges, unaudited_attempts } = reconciliation::reconcile(db).await?;
    let states = reconciliation::states(db).await?;
    let lost = i64::try_from(ids.len()).unwrap_or(i64::MAX) - stored;
    let (failed, surprises) =
        (stream.tally.failed.load(Ordering::Relaxed), stream.tally.surprises.load(Ordering::Relaxed));
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nDeliveries:")?;
    for (destination, state, count) in states {
        writeln!(out, "  {destination:<8} {state:<10} {count}")?;
    }
    let checks = [
        ("accepted messages that are not in the database", lost),
        ("deliveries neither ended nor waiting behind a dead letter", open),
        ("exchanges without a record in the register", unaudited_exchanges),
        ("attempts without a record in the register", unaudited_attempts),
        ("messages without an answer", i64::try_from(failed).unwrap_or(i64::MAX)),
        ("answers that were not as they should be", i64::try_from(surprises).unwrap_or(i64::MAX)),
    ];
    writeln!(out, "Checks:")?;
    for (what, count) in checks {
        writeln!(out, "  {} {count} {what}", if count == 0 { "ok  " } else { "FAIL" })?;
    }
    Ok(settled && checks.iter().all(|(_, count)| *count == 0))
}
