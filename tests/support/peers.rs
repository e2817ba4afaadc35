//! Partners that somebody else wrote: MLLP of the PyPI package `hl7` and of the npm package `simple-hl7`, which
//! `.ci/install` puts into `target/peers`. They run as programs beside the test.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::require;

/// A foreign implementation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Peer {
    Python,
    Node,
}

impl Peer {
    /// Those that are here; the others are said to be skipped.
    pub(crate) fn installed() -> Vec<Self> {
        let here = |peer: &Self| {
            let (folder, what) = match peer {
                Self::Python => ("target/peers/python/hl7", "the PyPI package hl7"),
                Self::Node => ("target/peers/node/node_modules/simple-hl7", "the npm package simple-hl7"),
            };
            let found = Path::new(folder).is_dir();
            if !found {
                require::skip("peers", &format!("{what} is not in {folder}; .ci/install puts it there"));
            }
            found
        };
        [Self::Python, Self::Node].into_iter().filter(here).collect()
    }

    fn command(self) -> Command {
        let mut command = match self {
            Self::Python => Command::new("python3"),
            Self::Node => Command::new("node"),
        };
        command.arg(match self {
            Self::Python => "tests/peers/peer.py",
            Self::Node => "tests/peers/peer.js",
        });
        command.kill_on_drop(true).stdin(Stdio::null());
        command
    }

    /// Sends these messages and gives MSA-1 and MSA-2 of each answer.
    pub(crate) async fn send(self, address: SocketAddr, messages: &[String]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("messages.hl7");
        std::fs::write(&file, messages.join("\n\n")).unwrap();
        let arguments = ["send".to_owned(), address.ip().to_string(), address.port().to_string()];
        let output = self.command().args(arguments).arg(&file).output().await.unwrap();
        assert!(output.status.success(), "{self:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// Starts to listen.
    pub(crate) async fn receive(self) -> Receiver {
        let mut child = self.command().arg("receive").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port: u16 = lines.next_line().await.unwrap().unwrap().parse().unwrap();
        Receiver { address: ([127, 0, 0, 1], port).into(), lines, _child: child }
    }
}

/// A foreign implementation that listens.
pub(crate) struct Receiver {
    pub address: SocketAddr,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Receiver {
    /// MSH-10 and PID-5 of the next message.
    pub(crate) async fn next(&mut self) -> String {
        self.lines.next_line().await.unwrap().unwrap()
    }
}
