//! `signalbox serve`: runs the gateway until it is told to stop.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{ConfigFolder, World, access};
use crate::app::{Application, Start, StopSignal};
use crate::config::Config;
use crate::store::server;

#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigFolder,
    /// Fetch a pinned Postgres with pip when none is on this machine
    #[arg(long)]
    fetch_postgres: bool,
    /// Stop at the end of standard input too, as a child of the demo
    #[arg(long, hide = true)]
    leashed: bool,
}

impl Serve {
    pub(super) async fn run(self, world: World) -> anyhow::Result<ExitCode> {
        let config = Config::load_with(Some(&self.config.config), &world.environment)?;
        allow_open_files();
        use_small_pages();
        let patience = config.delivery.shutdown.0;
        let mut server = server::resolve(access::wanted(&config, &world, self.fetch_postgres)).await?;
        let about = server.about().await?;
        tracing::info!(which = %about.which, version = about.version, register = about.register, "database");
        let start = Start {
            config,
            app: server.app.clone(),
            owner: server.owner.clone(),
            app_role: server.app_role(),
            alone: server.alone(),
            clock: world.clock,
            chance: world.chance,
        };
        let application = match Application::start(start).await {
            Ok(application) => application,
            Err(error) => {
                server.stop().await?;
                return Err(error.into());
            }
        };
        // Before anybody knows that we run: who stops us at once stops us as at any other time.
        let mut signal = StopSignal::listen_as_child(self.leashed)?;
        // Read by whoever started us: where to send, once it can be sent there.
        writeln!(std::io::stdout(), "listening on {}", application.base_url)?;
        tokio::select! {
            () = signal.wait() => {}
            () = server.keep() => {}
        }
        tracing::info!(patience = ?patience, "stopping");
        application.stop().await;
        server.stop().await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A connection is an open file, and most systems begin with fewer than they allow.
fn allow_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        tracing::warn!(%error, open_files = ?limit.current, "the limit of open files could not be raised");
    }
}

/// The first touch of a huge page fills 2 MB with zeros, and takes ten milliseconds where a hypervisor has to find them
/// first; our allocator asks for such pages, and under a sudden load all answers waited for dozens of them. A server that
/// we start takes this over from us.
fn use_small_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "this system does not let us do without huge pages");
    }
}
