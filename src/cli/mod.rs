//! The command line: one command per file. Exit codes: 0 done, 1 the answer is no (invalid, not found, lost), 2 the
//! command could not be carried out (usage, configuration, no database).

mod access;
mod check;
mod conformance;
mod db;
mod deliveries;
mod demo;
mod destinations;
mod exchanges;
mod fhirpath;
mod hl7;
mod operator;
mod package;
mod partner;
mod quarantine;
mod ready;
mod schema;
mod serve;
mod settings_page;
mod show;
mod source;
mod test;
mod validate;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use show::tell;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::Environment;

/// What commands get of the world outside.
pub struct World {
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub chance: Chance,
    /// The environment's variables.
    pub environment: Environment,
}

/// A FHIR R4 gateway: accepts, validates, routes, delivers and records.
#[derive(Parser)]
#[command(name = "signalbox", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// What to log, such as `info` or `signalbox=debug`
    #[arg(long, global = true, default_value = "info", value_name = "FILTER")]
    log: String,
}

#[derive(Args)]
struct ConfigFolder {
    /// Folder with signalbox.toml, signalbox.lock and routes/
    #[arg(long, value_name = "DIR", default_value = ".")]
    config: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway
    Serve(serve::Serve),
    /// Run everything at once: database, gateway, two fake partners and a stream of synthetic patients
    Demo(demo::Demo),
    /// Check a configuration folder and tell everything that is wrong with it
    Check(check::Check),
    /// Try the golden cases beside the routes: a message in, the expected destinations and payloads out
    Test(test::Test),
    /// Print the JSON Schema of the configuration, for editors
    Schema(schema::Schema),
    /// Ask a running gateway whether it can accept messages: exit code 0 when it can
    Ready(ready::Ready),
    /// Say which database is used, and what protects the register in it
    Db(db::Db),
    /// Sources: partners that may send
    #[command(subcommand)]
    Source(source::Source),
    /// List exchanges, newest first
    Exchanges(exchanges::Exchanges),
    /// Tell the whole story of one exchange
    Show(show::Show),
    /// Try a delivery again, or leave it out
    #[command(subcommand)]
    Deliveries(deliveries::Deliveries),
    /// What the policy of its source holds for a person to decide on
    #[command(subcommand)]
    Quarantine(quarantine::Quarantine),
    /// Keep everything for a destination back, or let it go on
    #[command(subcommand)]
    Destinations(destinations::Destinations),
    /// People who may use the pages
    #[command(subcommand)]
    Operator(operator::Operator),
    /// Check FHIR resources in files against the profiles the binary carries
    Validate(validate::Validate),
    /// Evaluate a FHIRPath expression for a resource in a file
    Fhirpath(fhirpath::Fhirpath),
    /// HL7 v2 messages: show, send, listen
    #[command(subcommand)]
    Hl7(hl7::Hl7),
    /// FHIR packages: add, list, verify, compare, remove
    #[command(subcommand)]
    Package(package::Package),
    /// The demo's partners, each on its own
    #[command(subcommand)]
    Partner(partner::Partner),
}

/// Runs the command line.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>, world: World) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    crate::telemetry::start(&cli.log);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the async runtime cannot be started: {error}")),
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Serve(serve) => serve.run(world).await,
            Command::Demo(demo) => demo.run(world).await,
            Command::Check(check) => check.run(&world),
            Command::Test(test) => test.run(&world),
            Command::Schema(schema) => schema.run(),
            Command::Ready(ready) => ready.run(world).await,
            Command::Db(db) => db.run(world).await,
            Command::Source(source) => source.run(&world),
            Command::Exchanges(exchanges) => exchanges.run(world).await,
            Command::Show(show) => show.run(world).await,
            Command::Deliveries(deliveries) => deliveries.run(world).await,
            Command::Quarantine(quarantine) => quarantine.run(world).await,
            Command::Destinations(destinations) => destinations.run(world).await,
            Command::Operator(operator) => operator.run(world).await,
            Command::Validate(validate) => validate.run(),
            Command::Fhirpath(fhirpath) => fhirpath.run(&world),
            Command::Hl7(hl7) => hl7.run(world).await,
            Command::Package(package) => package.run(&world),
            Command::Partner(partner) => partner.run(world).await,
        }
    });
    // A sender's connection that stays open must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match outcome {
        Ok(code) => code,
        Err(error) => fail(&format!("{error:#}")),
    }
}

fn fail(message: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "signalbox: {message}");
    ExitCode::from(2)
}
