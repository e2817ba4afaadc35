//! What `postmaster.pid` says of a server: is one running in this cluster, and is it ready
//! ([file format](https://www.postgresql.org/docs/current/storage-file-layout.html)).

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::error::ServerError;

/// How long an orphan may take to shut down.
const PATIENCE: Duration = Duration::from_mins(1);

/// The process of the server that runs in this cluster, if there is one.
pub(super) fn running(cluster: &Path) -> Option<Pid> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let pid = Pid::from_raw(text.lines().next()?.trim().parse().ok()?)?;
    (is_alive(pid) && is_postgres_of(pid, cluster)).then_some(pid)
}

/// Whether the server has said that it is ready: line 8.
pub(super) fn is_ready(cluster: &Path) -> bool {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).unwrap_or_default();
    text.lines().nth(7).is_some_and(|status| status.trim() == "ready")
}

/// Ends what an earlier gateway left behind: an orphan is shut down cleanly, a stale file is removed.
pub(super) async fn clear(cluster: &Path) -> Result<(), ServerError> {
    let file = cluster.join("postmaster.pid");
    let Some(pid) = running(cluster) else {
        return match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(ServerError::io(format!("removing the stale {}", file.display()))(error))
            }
            _ => Ok(()),
        };
    };
    tracing::warn!(pid = pid.as_raw_nonzero().get(), "stopping the Postgres an earlier gateway left running");
    stop(pid).await;
    Ok(())
}

/// Stops a server: fast, and at once when it does not.
pub(super) async fn stop(pid: Pid) {
    for (signal, patience) in
        [(Signal::INT, PATIENCE), (Signal::QUIT, PATIENCE), (Signal::KILL, Duration::from_secs(5))]
    {
        let _ = kill_process(pid, signal);
        let deadline = tokio::time::Instant::now() + patience;
        while tokio::time::Instant::now() < deadline {
            if !is_alive(pid) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn is_alive(pid: Pid) -> bool {
    // A process that has ended and not been waited for is not alive either.
    let ended = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()))
        .is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')));
    !ended && (test_kill_process(pid).is_ok() || Path::new(&format!("/proc/{}", pid.as_raw_nonzero())).exists())
}

/// Process ids are used again: only a postgres started for this very cluster counts.
fn is_postgres_of(pid: Pid, cluster: &Path) -> bool {
    let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    let mut words = line.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let program = words.next().unwrap_or_default().into_owned();
    Path::new(&program).file_name().is_some_and(|name| name == "postgres")
        && words.any(|word| Path::new(&*word) == cluster)
}
