//! `signalbox destinations pause|resume NAME --reason …`: keep everything for a partner back, as during its upgrade, and
//! let it go on. The same state as on the pages.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{ConfigFolder, World, access, deliveries};
use crate::delivery::operator::{self, ActError};

#[derive(Subcommand)]
pub(super) enum Destinations {
    /// Send nothing more to it; what comes for it waits in its order
    Pause(Which),
    /// Let it go on
    Resume(Which),
}

#[derive(Args)]
pub(super) struct Which {
    /// Name of the destination
    name: String,
    /// Why; kept in the register
    #[arg(long)]
    reason: String,
    /// Who you are; by default the user of this process
    #[arg(long)]
    operator: Option<String>,
    #[command(flatten)]
    config: ConfigFolder,
}

impl Destinations {
    pub(super) async fn run(self, world: World) -> anyhow::Result<ExitCode> {
        let (which, pause) = match self {
            Self::Pause(which) => (which, true),
            Self::Resume(which) => (which, false),
        };
        let mut access = access::open(&which.config.config, &world).await?;
        let act = deliveries::act(&access.config, &world, which.operator, which.reason)?;
        let done = if pause {
            operator::pause(&mut access.db, &which.name, &act).await
        } else {
            operator::resume(&mut access.db, &which.name, &act).await
        };
        access.close().await?;
        match done {
            Ok(()) => {
                let what = if pause { "is paused; what comes for it waits" } else { "goes on" };
                writeln!(std::io::stdout(), "Destination {} {what}.", which.name)?;
                Ok(ExitCode::SUCCESS)
            }
            Err(error @ ActError::Database(_)) => Err(error.into()),
            Err(error) => {
                writeln!(std::io::stderr(), "signalbox: {error}")?;
                Ok(ExitCode::from(1))
            }
        }
    }
}
