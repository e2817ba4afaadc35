//! `signalbox quarantine list|release|refuse`: messages that the policy of their source holds for a person to decide on.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{ConfigFolder, World, access, deliveries};
use crate::delivery::operator::ActError;
use crate::delivery::quarantine::{Decision, decide};
use crate::delivery::standing::{id, time};
use crate::exchange::ids::Id;
use crate::outcome::Issue;
use crate::store::quarantine::{self, Held};

#[derive(Subcommand)]
pub(super) enum Quarantine {
    /// List what is held, in its order, with what was found
    List(List),
    /// Deliver an exchange after all, in its old place in the order of its patients
    Release(Which),
    /// Deliver it to nobody; later messages of the same patients may pass
    Refuse(Which),
}

#[derive(Args)]
pub(super) struct List {
    /// Most exchanges
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    #[command(flatten)]
    config: ConfigFolder,
}

#[derive(Args)]
pub(super) struct Which {
    /// Id of the exchange, as the list tells it
    id: Id,
    /// Why; kept in the register
    #[arg(long)]
    reason: String,
    /// Who you are; by default the user of this process
    #[arg(long)]
    operator: Option<String>,
    #[command(flatten)]
    config: ConfigFolder,
}

impl Quarantine {
    pub(super) async fn run(self, world: World) -> anyhow::Result<ExitCode> {
        match self {
            Self::List(list) => list.run(&world).await,
            Self::Release(which) => which.run(&world, Decision::Release).await,
            Self::Refuse(which) => which.run(&world, Decision::Refuse).await,
        }
    }
}

impl List {
    async fn run(self, world: &World) -> anyhow::Result<ExitCode> {
        let mut access = access::open(&self.config.config, world).await?;
        let held = quarantine::list(&mut access.db, self.limit).await?;
        let whole = quarantine::count(&mut access.db).await?;
        access.close().await?;
        let mut out = std::io::stdout().lock();
        if held.is_empty() {
            writeln!(out, "Nothing is in quarantine.")?;
        }
        for one in &held {
            tell(&mut out, one)?;
        }
        let more = whole.saturating_sub(i64::try_from(held.len()).unwrap_or(i64::MAX));
        if more > 0 {
            writeln!(out, "and {more} more; --limit says how many are told")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(out: &mut impl Write, held: &Held) -> std::io::Result<()> {
    let what = held.resource_type.as_deref().unwrap_or("-");
    let Held { source, interaction, destinations, behind, .. } = held;
    write!(out, "{}  {}  {source} {interaction} {what} to {destinations}", id(held.id), time(held.received_at))?;
    match behind {
        0 => writeln!(out)?,
        1 => writeln!(out, "; 1 waits behind it")?,
        behind => writeln!(out, "; {behind} wait behind it")?,
    }
    for issue in held.issues.0.iter().filter(|issue| matters(issue)) {
        write!(out, "    {} {}: {}", issue.severity, issue.code, issue.message)?;
        match &issue.expression {
            Some(expression) => writeln!(out, " at {expression}")?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

/// Remarks hold nothing.
fn matters(issue: &Issue) -> bool {
    issue.severity != "information"
}

impl Which {
    async fn run(self, world: &World, decision: Decision) -> anyhow::Result<ExitCode> {
        let mut access = access::open(&self.config.config, world).await?;
        let act = deliveries::act(&access.config, world, self.operator, self.reason)?;
        let done = decide(&mut access.db, self.id, decision, &act).await;
        access.close().await?;
        match done {
            Ok(count) => {
                let deliveries = if count == 1 { "1 delivery".to_owned() } else { format!("{count} deliveries") };
                let what = match decision {
                    Decision::Release => "is released: it goes out",
                    Decision::Refuse => "is refused: it goes to nobody",
                };
                writeln!(std::io::stdout(), "Exchange {} {what} ({deliveries}).", self.id)?;
                Ok(ExitCode::SUCCESS)
            }
            Err(
                error @ (ActError::NoExchange(_)
                | ActError::NotQuarantined(_)
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
