//! A Postgres server that we started: as a child in a process group of its own (so that Ctrl-C reaches the gateway
//! first, which drains and then stops it), on a private socket, with a log that holds no statement and no value.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::process::Command;

use super::account::{Account, run_as};
use super::binaries::Binaries;
use super::cluster::{OWNER, options};
use super::error::{ServerError, last_words};
use super::folder::DataFolder;
use super::postmaster::{self, PAUSE, PidFile};
use super::socket::PORT;

/// Recovery after a power cut replays the log before the first answer; a large one takes minutes.
const PATIENCE: Duration = Duration::from_mins(10);
/// How long children of a killed server are given to notice and end, in tries of a quarter of a second.
const TRIES: u32 = 40;

/// Settings of [the server](https://www.postgresql.org/docs/current/runtime-config.html).
const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("max_connections", "100"),
    ("shared_buffers", "128MB"),
    // Said because `initdb` counts these in segments, and ours are small.
    ("wal_buffers", "16MB"),
    ("min_wal_size", "256MB"),
    ("max_wal_size", "1GB"),
    // Compiling a statement takes longer than any of ours, and a service may be forbidden to (`MemoryDenyWriteExecute`).
    ("jit", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("lc_messages", "C"),
    // Nothing of a patient in the log: no statement, no parameter, no detail. Even the sentence of an error can quote
    // a value (invalid input syntax), so sessions' errors stay out; they reach the gateway, which knows what to log.
    ("log_min_messages", "log"),
    ("log_min_error_statement", "panic"),
    ("log_error_verbosity", "terse"),
    ("log_statement", "none"),
    ("log_min_duration_statement", "-1"),
    ("log_parameter_max_length", "0"),
    ("log_parameter_max_length_on_error", "0"),
    ("log_checkpoints", "off"),
];
const DURABLE: &[(&str, &str)] = &[("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")];
const FORGETFUL: &[(&str, &str)] = &[("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")];

/// The running server. Dropping it asks for a fast shutdown and waits a little.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
}

/// Starts the server of a cluster and waits until it answers.
pub(super) async fn start(
    data: &DataFolder,
    binaries: &Binaries,
    account: Option<&Account>,
    socket: &Path,
    durable: bool,
) -> Result<Running, ServerError> {
    let mut tries = TRIES;
    loop {
        match start_once(data, binaries, account, socket, durable).await {
            // Children of a server that was killed hold its shared memory until they notice.
            Err(ServerError::Start { said, .. }) if said.contains("still in use") && tries > 0 => {
                tries -= 1;
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            started => return started,
        }
    }
}

async fn start_once(
    data: &DataFolder,
    binaries: &Binaries,
    account: Option<&Account>,
    socket: &Path,
    durable: bool,
) -> Result<Running, ServerError> {
    let (cluster, log) = (data.cluster(), data.log());
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&log).map_err(ServerError::at(&log))?;
    let logged = file.metadata().map_err(ServerError::at(&log))?.len();
    let errors = file.try_clone().map_err(ServerError::at(&log))?;
    let program = binaries.folder.join("postgres");
    let mut command = Command::new(&program);
    command
        .arg("-D")
        .arg(&cluster)
        .args(["-p", &PORT.to_string(), "-c"])
        .arg(format!("unix_socket_directories=\"{}\"", socket.display().to_string().replace('"', "\"\"")))
        .args(settings(durable))
        .env_clear()
        .env("LC_ALL", "C")
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors);
    run_as(account, &mut command);
    let mut running = Running { child: command.into_std().spawn().map_err(ServerError::at(&program))? };

    let ready = tokio::time::timeout(PATIENCE, running.ready(&cluster, socket)).await;
    if matches!(ready, Ok(true)) {
        return Ok(running);
    }
    let said = fs::read(&log).ok().and_then(|bytes| {
        let new = bytes.get(usize::try_from(logged).ok()?..)?;
        Some(reason(&String::from_utf8_lossy(new)))
    });
    Err(ServerError::Start { said: said.unwrap_or_default(), log })
}

fn settings(durable: bool) -> impl Iterator<Item = String> {
    let durability = if durable { DURABLE } else { FORGETFUL };
    SETTINGS.iter().chain(durability).flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")])
}

/// The line that says why: the first FATAL, else the last line.
fn reason(log: &str) -> String {
    log.lines().find(|line| line.contains("FATAL:")).map_or_else(|| last_words(log), ToOwned::to_owned)
}

impl Running {
    /// Waits until the server answers (true) or has ended (false).
    async fn ready(&mut self, cluster: &Path, socket: &Path) -> bool {
        let expected = PidFile { pid: self.child.id(), ready: true };
        while self.is_alive() {
            if PidFile::read(cluster).as_ref() == Some(&expected)
                && let Ok(connection) = PgConnection::connect_with(&options(socket, OWNER, "postgres")).await
            {
                // Its answer is all that was wanted; closing may fail as it likes.
                let _ = connection.close().await;
                return true;
            }
            tokio::time::sleep(PAUSE).await;
        }
        false
    }

    /// Whether the process is there.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Shuts it down fast and waits until it has gone.
    pub(super) async fn stop(mut self) -> Result<(), ServerError> {
        if !self.is_alive() {
            return Ok(());
        }
        postmaster::stop(self.child.id(), || self.is_alive()).await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_alive() {
            postmaster::ask_to_stop(self.child.id());
            // Usually some 20 ms. A server that takes longer is found by the next start through its pid file.
            for _ in 0..500 {
                if !self.is_alive() {
                    return;
                }
                std::thread::sleep(PAUSE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_fatal_line() {
        let log = "LOG:  starting\nFATAL:  could not bind\nLOG:  database system is shut down\n";
        assert_eq!(reason(log), "FATAL:  could not bind");
        assert_eq!(reason("sh: not found\n\n"), "sh: not found");
        assert_eq!(reason(""), "it gave no reason");
    }
}
