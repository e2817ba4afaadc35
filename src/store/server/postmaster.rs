//! The server process as its folder tells of it: `postmaster.pid`
//! ([Postgres: file layout](https://www.postgresql.org/docs/current/storage-file-layout.html)). A gateway that was
//! killed leaves a server behind, and a machine that lost power leaves the file behind: both are told apart here.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::error::ServerError;

/// How long a fast shutdown may take: it writes a checkpoint.
const FAST: Duration = Duration::from_mins(1);
/// How long an immediate shutdown may take.
const IMMEDIATE: Duration = Duration::from_secs(10);
/// How often we look.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// What the file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    /// The server's process.
    pub(super) pid: u32,
    /// It takes connections.
    pub(super) ready: bool,
}

impl PidFile {
    /// Reads the file of a cluster; `None` when there is none, or it is being written.
    pub(super) fn read(cluster: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(cluster.join("postmaster.pid")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        // Negative for a single-user server.
        let pid = lines.next()?.trim().parse::<i32>().ok()?.unsigned_abs();
        Some(Self { pid, ready: lines.nth(6).is_some_and(|status| status.trim() == "ready") })
    }
}

/// Clears what an earlier run left: stops a server that still runs in this cluster, and keeps a stale file from being
/// taken for one. Only the holder of the data folder's lock may call it.
pub(super) async fn clear(cluster: &Path) -> Result<(), ServerError> {
    let Some(file) = PidFile::read(cluster) else { return Ok(()) };
    if serves(file.pid, cluster) {
        tracing::warn!(pid = file.pid, "stopping the Postgres server that an earlier run left behind");
        return stop(file.pid, || serves(file.pid, cluster)).await;
    }
    if is_alive(file.pid) {
        // Postgres would take any living process for its server. It ignores its parent, which we are; the rest of the
        // file is kept because its shared memory key shows whether children of the dead server still live.
        let path = cluster.join("postmaster.pid");
        let text = fs::read_to_string(&path).map_err(ServerError::at(&path))?;
        let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
        fs::write(&path, format!("{}\n{rest}", std::process::id())).map_err(ServerError::at(&path))?;
    }
    Ok(())
}

/// Asks a server to shut down fast (sessions are cut off, nothing is lost), then at once, and waits until it is gone.
pub(super) async fn stop(pid: u32, mut runs: impl FnMut() -> bool) -> Result<(), ServerError> {
    for (signal, patience) in [(Signal::INT, FAST), (Signal::QUIT, IMMEDIATE)] {
        send(pid, signal);
        let gone = tokio::time::timeout(patience, async {
            while runs() {
                tokio::time::sleep(PAUSE).await;
            }
        });
        if gone.await.is_ok() {
            return Ok(());
        }
    }
    Err(ServerError::DoesNotStop { pid })
}

/// Asks for a fast shutdown and does not wait.
pub(super) fn ask_to_stop(pid: u32) {
    send(pid, Signal::INT);
}

fn send(pid: u32, signal: Signal) {
    if let Some(pid) = process(pid) {
        // It may be gone already, which is what is wanted.
        let _ = kill_process(pid, signal);
    }
}

fn process(pid: u32) -> Option<Pid> {
    // 0 would be our own process group.
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

fn is_alive(pid: u32) -> bool {
    process(pid).is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Whether process `pid` is a Postgres server that serves this very cluster.
fn serves(pid: u32, cluster: &Path) -> bool {
    let of_process = Path::new("/proc").join(pid.to_string());
    if Path::new("/proc/self/cwd").exists() {
        // A server works in its cluster's folder.
        return fs::read_link(of_process.join("cwd")).is_ok_and(|folder| folder == cluster)
            && fs::read_to_string(of_process.join("comm")).is_ok_and(|name| name.trim() == "postgres");
    }
    Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output().is_ok_and(|said| {
        let command = String::from_utf8_lossy(&said.stdout).into_owned();
        command.contains("postgres") && command.contains(&*cluster.to_string_lossy())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_file_tells_process_and_readiness() {
        let text = "4711\n/data/postgres\n1700000000\n5432\n/data/socket\n\n  5432001   3\nready   \n";
        assert_eq!(PidFile::parse(text), Some(PidFile { pid: 4711, ready: true }));
        assert_eq!(PidFile::parse(&text.replace("ready   ", "starting")), Some(PidFile { pid: 4711, ready: false }));
        assert_eq!(PidFile::parse("4711\n/data/postgres\n"), Some(PidFile { pid: 4711, ready: false }));
        assert_eq!(PidFile::parse(""), None);
    }

    #[test]
    fn another_program_is_not_taken_for_the_server() {
        assert!(!serves(std::process::id(), Path::new("/")));
        assert!(is_alive(std::process::id()));
    }
}
