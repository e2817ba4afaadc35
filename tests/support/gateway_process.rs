//! The real binary, as a person or a service manager runs it: `signalbox serve` in a process that can be killed, and the
//! other commands beside it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use sqlx::ConnectOptions;

use super::database::TestDatabase;

/// A folder that the account Postgres runs as can reach, also when we are root.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

/// A configuration folder for commands on this database.
pub(crate) fn folder_on(database: &TestDatabase) -> tempfile::TempDir {
    let folder = folder();
    let file = folder.path().join("database-url");
    std::fs::write(&file, database.app.to_url_lossy().as_str()).unwrap();
    let text = format!("[database]\nurl = \"secret:file:{}\"\n", file.display());
    std::fs::write(folder.path().join("signalbox.toml"), text).unwrap();
    folder
}

/// `signalbox serve`.
pub(crate) struct GatewayProcess {
    child: Child,
    /// Base URL of its front door.
    pub base: String,
}

impl GatewayProcess {
    /// Starts it with the configuration in `folder` and waits until it listens.
    pub(crate) fn start(folder: &Path) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(folder.join("gateway.log")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_signalbox"))
            .args(["serve", "--fetch-postgres", "--config"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(base) = line.trim().strip_prefix("listening on ") else {
            panic!("the gateway did not start: {}", std::fs::read_to_string(folder.join("gateway.log")).unwrap());
        };
        Self { base: base.to_owned(), child }
    }

    /// What the system tells of its process (Linux, proc(5)).
    pub(crate) fn status(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap()
    }

    /// As `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as a service manager does, and waits until it has.
    pub(crate) fn terminate(mut self) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for GatewayProcess {
    fn drop(&mut self) {
        // It has ended already unless its test failed.
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What a command said, and how it ended.
pub(crate) struct Said {
    pub code: i32,
    pub out: String,
    pub errors: String,
}

/// Runs `signalbox` with these arguments.
pub(crate) fn run(arguments: &[&str]) -> Said {
    run_with(arguments, "")
}

/// Runs `signalbox` with these arguments and this on its standard input.
pub(crate) fn run_with(arguments: &[&str], input: &str) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
    let pipes = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // A command that reads nothing may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: status.code().unwrap(), out: text(stdout), errors: text(stderr) }
}
