//! The two servers, each the release program with a new database in a folder of its own, started twice: the second start
//! is the one on an existing database.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use signalbox::chance::Chance;
use signalbox::config::token;
use tempfile::TempDir;

use crate::client::Target;

/// Which server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Floor,
    Gateway,
}

/// What becomes of deliveries meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deliveries {
    /// They wait.
    Paused,
    /// They are written to a folder.
    Flow,
}

impl Deliveries {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Flow => "flowing to files",
        }
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) target: Target,
    /// From its start until it listened, on an existing database.
    pub(crate) warm: Duration,
    child: Child,
    folder: TempDir,
}

impl Server {
    /// Starts one on a new database.
    pub(crate) async fn start(kind: Kind, deliveries: Deliveries) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        std::fs::create_dir(folder.path().join("archive"))?;
        let (token, hash) = token::new_token(&Chance::from_system());
        std::fs::write(folder.path().join("signalbox.toml"), settings(&hash))?;
        let (child, _, _) = launch(kind, folder.path(), deliveries)?;
        end(child)?;
        if kind == Kind::Gateway && deliveries == Deliveries::Paused {
            pause(folder.path())?;
        }
        let (child, warm, address) = launch(kind, folder.path(), deliveries)?;
        // The database has just been recovered and its pages are not in memory: let it come to rest.
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(Self { target: Target { address, token: token.expose().to_owned() }, warm, child, folder })
    }

    /// Processor time that it and its database have used so far.
    pub(crate) fn used(&self) -> Used {
        let database = self.folder.path().join("signalbox-data/postgres");
        let database = if database.is_dir() { database } else { self.folder.path().join("postgres") };
        let is_of_database = |pid: &str| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|at| at == database);
        let names = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = names.map(|name| name.file_name().to_string_lossy().into_owned());
        let pids = pids.filter(|pid| pid.bytes().all(|byte| byte.is_ascii_digit()) && is_of_database(pid));
        Used { server: ticks(&self.child.id().to_string()), database: pids.map(|pid| ticks(&pid)).sum() }
    }

    /// Stops it; the megabytes of its peak.
    pub(crate) fn stop(self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes: f64 = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(f64::NAN);
        end(self.child)?;
        Ok(kilobytes / 1024.0)
    }
}

/// Processor time in ticks of a hundredth of a second.
#[derive(Clone, Copy, Default)]
pub(crate) struct Used {
    pub(crate) server: u64,
    pub(crate) database: u64,
}

/// Of a process, in user and system mode: the 14th and 15th field of its `stat` (proc(5)).
fn ticks(pid: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(") ").map(|(_, rest)| rest).unwrap_or_default().split(' ');
    fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

fn settings(hash: &str) -> String {
    format!(
        r#"
[http]
listen = "127.0.0.1:0"
[sources.gp]
ods = "A99001"
token_sha256 = ["{hash}"]
[destinations.archive]
type = "file"
concurrency = 8
settings = {{ folder = "archive", name = "{{delivery}}.json" }}
[[routes]]
name = "all"
to = ["archive"]
"#
    )
}

/// A program of the release folder.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let examples = own.parent().context("no folder")?;
    let folder = if name == "signalbox" { examples.parent().context("no target folder")? } else { examples };
    Ok(folder.join(name))
}

fn launch(kind: Kind, folder: &Path, deliveries: Deliveries) -> anyhow::Result<(Child, Duration, String)> {
    let mut command = match kind {
        Kind::Gateway => {
            let mut command = Command::new(program("signalbox")?);
            command.args(["serve", "--log", "warn", "--config"]).arg(folder);
            command
        }
        Kind::Floor => {
            let mut command = Command::new(program("floor")?);
            command.arg(folder).args((deliveries == Deliveries::Flow).then_some("flow"));
            command
        }
    };
    let begun = Instant::now();
    let mut child =
        command.stdout(Stdio::piped()).spawn().context("build the release binary and the examples first")?;
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().context("no output")?), &mut line)?;
    let address = line.trim().strip_prefix("listening on http://").and_then(|rest| rest.strip_suffix("/fhir"));
    match address {
        Some(address) => Ok((child, begun.elapsed(), address.to_owned())),
        None => bail!("the server did not start: {line}"),
    }
}

fn pause(folder: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(program("signalbox")?);
    command
        .args(["destinations", "pause", "archive", "--reason", "measuring", "--log", "warn", "--config"])
        .arg(folder);
    if !command.stdout(Stdio::null()).status()?.success() {
        bail!("the destination could not be paused");
    }
    Ok(())
}

fn end(mut child: Child) -> anyhow::Result<()> {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
    }
    child.wait()?;
    Ok(())
}
