//! `signalbox operator …`: people who may use the pages. A password comes from the terminal or from standard input, never
//! from an argument, where others on the machine could read it.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use sqlx::Connection;
use uuid::Uuid;

use super::access::Access;
use super::{ConfigFolder, World, access, deliveries};
use crate::dashboard::password;
use crate::dashboard::role::Role;
use crate::exchange::rows::AuditRow;
use crate::store::{audit, operators};

#[derive(Subcommand)]
pub(super) enum Operator {
    /// Add an operator
    Add(Add),
    /// Give an operator a new password; whoever is signed in under the name is signed out
    Passwd(Which),
    /// Remove an operator
    Remove(Which),
    /// List the operators
    List(ConfigFolder),
}

#[derive(Args)]
pub(super) struct Add {
    #[command(flatten)]
    which: Which,
    /// viewer: sees; operator: also pauses, retries and skips; engineer: the same; auditor: sees, and reads bodies
    #[arg(long, value_parser = role)]
    role: Role,
}

#[derive(Args)]
pub(super) struct Which {
    /// The name to sign in with: 1 to 64 letters, digits, '.', '-', '_' and '@'
    #[arg(value_parser = name)]
    name: String,
    #[command(flatten)]
    config: ConfigFolder,
}

fn role(text: &str) -> Result<Role, String> {
    let known = Role::ALL.map(Role::as_str).join(", ");
    Role::of(text).ok_or_else(|| format!("expected one of {known}"))
}

fn name(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || ".-_@".contains(letter);
    let good = (1..=64).contains(&text.len()) && text.chars().all(fits);
    good.then(|| text.to_owned()).ok_or_else(|| "expected 1 to 64 letters, digits, '.', '-', '_' and '@'".to_owned())
}

impl Operator {
    pub(super) async fn run(self, world: World) -> anyhow::Result<ExitCode> {
        match self {
            Self::Add(Add { which, role }) => which.change(&world, Change::Add(role)).await,
            Self::Passwd(which) => which.change(&world, Change::Password).await,
            Self::Remove(which) => which.change(&world, Change::Remove).await,
            Self::List(config) => list(&config, &world).await,
        }
    }
}

#[derive(Clone, Copy)]
enum Change {
    Add(Role),
    Password,
    Remove,
}

impl Which {
    async fn change(self, world: &World, change: Change) -> anyhow::Result<ExitCode> {
        let mut access = access::open(&self.config.config, world).await?;
        let all = operators::list(&mut access.db).await?;
        let near = all.iter().find(|(name, ..)| name.eq_ignore_ascii_case(&self.name)).map(|(name, ..)| name.clone());
        let known = all.into_iter().find(|(name, ..)| *name == self.name);
        let refused = match (&change, &known) {
            // Two names that differ in capitals only would be taken for one person.
            (Change::Add(_), _) if near.is_some() => near.as_deref().map(taken),
            (Change::Password | Change::Remove, None) => Some(format!("there is no operator '{}'", self.name)),
            _ => None,
        };
        let told = match refused {
            Some(refused) => Err(refused),
            None => self.carry_out(&mut access, world, change, known.and_then(|(_, role, _)| Role::of(&role))).await?,
        };
        access.close().await?;
        match told {
            Ok(sentence) => {
                writeln!(std::io::stdout(), "{sentence}")?;
                Ok(ExitCode::SUCCESS)
            }
            Err(refused) => {
                writeln!(std::io::stderr(), "signalbox: {refused}")?;
                Ok(ExitCode::from(1))
            }
        }
    }

    /// Does it and writes it to the register, in one commit.
    async fn carry_out(
        &self,
        access: &mut Access,
        world: &World,
        change: Change,
        before: Option<Role>,
    ) -> anyhow::Result<Result<String, String>> {
        let name = &self.name;
        let now = world.clock.now();
        let role = match change {
            Change::Add(role) => Some(role),
            Change::Password => before,
            Change::Remove => None,
        };
        let hash = match role {
            Some(_) => match password::hash(&read_password(name)?, &world.chance) {
                Ok(hash) => hash,
                Err(refused) => return Ok(Err(refused)),
            },
            None => String::new(),
        };
        let act = deliveries::act(&access.config, world, None, String::new())?;
        let mut tx = access.db.begin().await?;
        let (verb, sentence) = match (change, role) {
            (Change::Remove, _) | (_, None) => {
                operators::remove(&mut tx, name).await?;
                ("operator removed", format!("Operator '{name}' is removed and signed out."))
            }
            (Change::Add(_), Some(role)) => {
                if !operators::add(&mut tx, name, &hash, role.as_str(), now).await? {
                    return Ok(Err(taken(name)));
                }
                ("operator added", format!("Operator '{name}' may sign in as {}.", role.as_str()))
            }
            (Change::Password, Some(_)) => {
                operators::set_password(&mut tx, name, &hash).await?;
                ("password changed", format!("Operator '{name}' has a new password and is signed out."))
            }
        };
        let mut row = AuditRow::new("operators", verb, now, now);
        row.actor = Some(act.actor);
        row.reason = Some(role.map_or_else(|| name.clone(), |role| format!("{name}, {}", role.as_str())));
        let batch = Uuid::from_bytes(world.chance.bytes());
        audit::insert(&mut tx, batch, &[row], &act.config_hash, &act.packs).await?;
        tx.commit().await?;
        Ok(Ok(sentence))
    }
}

fn taken(name: &str) -> String {
    format!("there is an operator '{name}' already; `signalbox operator passwd {name}` changes the password")
}

async fn list(config: &ConfigFolder, world: &World) -> anyhow::Result<ExitCode> {
    let mut access = access::open(&config.config, world).await?;
    let found = operators::list(&mut access.db).await?;
    access.close().await?;
    let mut out = std::io::stdout().lock();
    if found.is_empty() {
        writeln!(out, "There is no operator. Add one: signalbox operator add NAME --role operator")?;
    }
    for (name, role, since) in found {
        writeln!(out, "{name:<24} {role:<10} since {}", since.format("%Y-%m-%d"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// From the terminal, twice and unseen; otherwise the first line of standard input.
fn read_password(name: &str) -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let mut line = String::new();
        stdin.lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let first =
        rpassword::prompt_password(format!("Password for '{name}' ({} characters or more): ", password::SHORTEST))?;
    let second = rpassword::prompt_password("Once more: ")?;
    anyhow::ensure!(first == second, "the two are not the same; nothing was changed");
    Ok(first)
}
