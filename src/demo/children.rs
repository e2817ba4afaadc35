//! The demo's other processes: this same binary with other commands, each telling on its first line where it listens.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A process of the demo.
pub(super) struct Process {
    /// The gateway, or the kind of a partner.
    pub(super) name: &'static str,
    child: Child,
    log: PathBuf,
    /// Its end has been told.
    missed: bool,
    /// Where it listens.
    pub(super) place: String,
}

const START: Duration = Duration::from_mins(4);
const STOP: Duration = Duration::from_secs(40);

impl Process {
    /// Starts this binary with `arguments`, its log going to a file, and waits for the line that says where it listens.
    pub(super) async fn start(name: &'static str, arguments: &[&str], log: &Path) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("the path of this program is not known")?;
        let log_file = std::fs::File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
        // Its own group: ctrl-C reaches the demo first, which stops the others in order.
        let mut child = Command::new(program)
            .args(arguments)
            // It ends with this pipe, which ends with us, however we end.
            .arg("--leashed")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log_file)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        let out = child.stdout.take().with_context(|| format!("{name} has no output"))?;
        let mut line = String::new();
        let read = tokio::time::timeout(START, BufReader::new(out).read_line(&mut line)).await;
        match line.trim().strip_prefix("listening on ") {
            Some(place) if read.is_ok() => {
                Ok(Self { name, child, log: log.to_owned(), missed: false, place: place.to_owned() })
            }
            _ => {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let last = said.lines().rev().find(|line| line.starts_with("signalbox: ")).unwrap_or_default();
                bail!("{name} did not start: {}", last.trim_start_matches("signalbox: "))
            }
        }
    }

    /// Host and port of where it listens.
    pub(super) fn address(&self) -> &str {
        let place = self.place.trim_start_matches("http://");
        place.split_once('/').map_or(place, |(address, _)| address)
    }

    /// What is to be said when it has ended by itself; once only.
    pub(super) fn has_ended(&mut self) -> Option<String> {
        if self.missed {
            return None;
        }
        let how = match self.child.try_wait() {
            Ok(None) => return None,
            Ok(Some(status)) => status.to_string(),
            Err(error) => error.to_string(),
        };
        self.missed = true;
        Some(format!("{} has ended by itself ({how}); its log is {}", self.name, self.log.display()))
    }

    /// Asks it to stop and waits; kills it when it does not.
    pub(super) async fn stop(mut self) {
        if let Some(pid) =
            self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        if tokio::time::timeout(STOP, self.child.wait()).await.is_err() {
            tracing::warn!(name = self.name, "had to be killed");
            let _ = self.child.kill().await;
        }
    }
}
