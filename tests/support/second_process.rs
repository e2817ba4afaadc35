//! A second process of these tests: a gateway that can be killed, or the same test as another user. It is this test
//! binary, asked for one test by its name; a variable of the environment tells that test which part it plays.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const PART: &str = "SIGNALBOX_TEST_PART";
const STARTED: &str = "the second process has started";

/// What the first process told this one; `None` in the first.
pub(crate) fn part() -> Option<OsString> {
    std::env::var_os(PART)
}

/// Tells the first process to go on, and waits to be killed.
pub(crate) fn started_and_waiting() -> ! {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "\n{STARTED}").unwrap();
    loop {
        std::thread::park();
    }
}

/// A process that is killed, as by `kill -9`, at the latest when the test is over.
pub(crate) struct SecondProcess(Child);

impl SecondProcess {
    /// Kills it and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for SecondProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts `test` (its full name) in another process and waits until it says that it has started.
pub(crate) fn start(test: &str, told: &Path) -> SecondProcess {
    let mut child = command(&std::env::current_exe().unwrap(), test, told).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap() == STARTED), "the second process ended early");
    SecondProcess(child)
}

/// Runs `test` as user `uid`, from a copy of this binary that they may read.
pub(crate) fn run_as(uid: u32, test: &str, folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let copy: PathBuf = folder.join("tests");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let done = command(&copy, test, folder).uid(uid).gid(uid).current_dir(folder).output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    assert!(done.status.success(), "as user {uid}: {}", String::from_utf8_lossy(&said));
}

fn command(binary: &Path, test: &str, told: &Path) -> Command {
    let mut command = Command::new(binary);
    command.args([test, "--exact", "--nocapture"]).env(PART, told);
    command
}
