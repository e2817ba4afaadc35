//! `signalbox deliveries retry|skip ID --reason …`: what an operator does about a delivery that is stuck.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{ConfigFolder, World, access};
use crate::config::Config;
use crate::delivery::operator::{self, Act, ActError};
use crate::exchange::DeliveryId;
use crate::validation::Validation;

#[derive(Subcommand)]
pub(super) enum Deliveries {
    /// Try it again now, under the same id and in its old place
    Retry(Which),
    /// Leave it out for good; later messages of the same patient may pass
    Skip(Which),
}

#[derive(Args)]
pub(super) struct Which {
    /// Id of the delivery, as `signalbox show` tells it
    id: DeliveryId,
    /// Why; kept in the register
    #[arg(long)]
    reason: String,
    /// Who you are; by default the user of this process
    #[arg(long)]
    operator: Option<String>,
    #[command(flatten)]
    config: ConfigFolder,
}

impl Deliveries {
    pub(super) async fn run(self, world: World) -> anyhow::Result<ExitCode> {
        let (which, retry) = match self {
            Self::Retry(which) => (which, true),
            Self::Skip(which) => (which, false),
        };
        let mut access = access::open(&which.config.config, &world).await?;
        let act = act(&access.config, &world, which.operator, which.reason)?;
        let done = if retry {
            operator::retry(&mut access.db, which.id, &act).await
        } else {
            operator::skip(&mut access.db, which.id, &act).await
        };
        access.close().await?;
        match done {
            Ok(()) => {
                let what = if retry { "goes out again now" } else { "is left out" };
                writeln!(std::io::stdout(), "Delivery {} {what}.", which.id)?;
                Ok(ExitCode::SUCCESS)
            }
            Err(
                error @ (ActError::NotFound(_)
                | ActError::NotPossible { .. }
                | ActError::NoReason
                | ActError::LongReason(_)),
            ) => {
                writeln!(std::io::stderr(), "signalbox: {error}")?;
                Ok(ExitCode::from(1))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The act of whoever is named, or else of the user of this process.
pub(super) fn act(config: &Config, world: &World, operator: Option<String>, reason: String) -> anyhow::Result<Act> {
    let user = || ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| world.environment.get(name));
    Ok(Act {
        actor: operator.or_else(user).unwrap_or_else(|| "unnamed".to_owned()),
        reason,
        now: world.clock.now(),
        config_hash: config.hash.clone(),
        packs: Validation::built_in()?.packs_hash().to_string(),
    })
}
