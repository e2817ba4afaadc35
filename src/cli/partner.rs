//! `signalbox partner pas|central`: the demo's partners, each on its own, for demos and tests.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::World;
use crate::app::StopSignal;
use crate::demo::partners::{Ledger, central, pas::Pas};

#[derive(Subcommand)]
pub(super) enum Partner {
    /// A fake hospital system: HL7 v2 over MLLP
    Pas(Stall),
    /// A fake central FHIR server
    Central(Stall),
}

#[derive(Args)]
pub(super) struct Stall {
    /// Address to listen on, loopback unless `--exposed`; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Listen on other addresses too, as in a container
    #[arg(long)]
    exposed: bool,
    /// Be slow, refuse and hang up now and then
    #[arg(long)]
    moody: bool,
    /// Append what is received to this file, one JSON line each
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Stop at the end of standard input too, as a child of the demo
    #[arg(long, hide = true)]
    leashed: bool,
}

impl Partner {
    pub(super) async fn run(self, world: World) -> anyhow::Result<ExitCode> {
        let (stall, is_pas) = match self {
            Self::Pas(stall) => (stall, true),
            Self::Central(stall) => (stall, false),
        };
        let Stall { listen, exposed, moody, ledger, leashed } = stall;
        let sentence = "a fake partner takes whatever comes: it listens on loopback addresses only, unless --exposed";
        anyhow::ensure!(exposed || listen.ip().is_loopback(), "{listen}: {sentence}");
        let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
        let address = listener.local_addr()?;
        let ledger = match ledger {
            Some(path) => Ledger::open(&path).with_context(|| format!("{} cannot be written", path.display()))?,
            None => Ledger::default(),
        };
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let signalled = stop.clone();
        let mut signal = StopSignal::listen_as_child(leashed)?;
        tasks.spawn(async move {
            signal.wait().await;
            signalled.cancel();
        });
        if is_pas {
            writeln!(std::io::stdout(), "listening on {address}")?;
            Pas::new(moody, ledger, world.chance, world.clock).serve(listener, stop).await?;
        } else {
            writeln!(std::io::stdout(), "listening on http://{address}/fhir")?;
            let router = central::router(moody, ledger, world.chance);
            axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
