//! `signalbox package …`: [FHIR packages](https://hl7.org/fhir/packages.html), pinned beside the configuration, looked at
//! and compared; packs made from them; a definition with its snapshot.

mod add;
mod diff;
mod list;
mod remove;
mod verify;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};

use super::{ConfigFolder, World, conformance};
use crate::validation::compare::{self, Kind};
use crate::validation::packages::Opened;

#[derive(Subcommand)]
pub(super) enum Package {
    /// Keep a package beside the configuration and pin it in signalbox.lock, to be named there as NAME@VERSION
    Add(add::Add),
    /// Tell which packages there are: built in, and in signalbox.lock
    List(list::List),
    /// Hold every file to signalbox.lock: exit code 0 when all is as it says, 1 when not
    Verify(verify::Verify),
    /// Tell which definitions, and which of their elements, differ: exit code 0 when none does, 1 when some do
    Diff(diff::Diff),
    /// Take a package out of signalbox.lock and delete its file
    Remove(remove::Remove),
    /// Keep the facts of a FHIR package (paths, cardinalities, types, bindings) and leave out its texts
    Reduce {
        /// The package, a .tgz file
        file: PathBuf,
        /// Where to write the pack; by default beside the package, ending in .pack
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Print a definition with the snapshot that is generated for it
    Snapshot(Snapshot),
}

#[derive(Args)]
pub(super) struct Snapshot {
    /// Its canonical
    url: String,
    /// A FHIR package (.tgz), a folder, a single conformance resource, or NAME@VERSION of signalbox.lock, to use as well;
    /// may be repeated
    #[arg(long, value_name = "FILE|DIR|NAME@VERSION")]
    package: Vec<String>,
    #[command(flatten)]
    config: ConfigFolder,
}

/// How a command tells.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One JSON object for machines
    Json,
}

impl Package {
    pub(super) fn run(self, world: &World) -> anyhow::Result<ExitCode> {
        let (file, output) = match self {
            Self::Add(add) => return add.run(),
            Self::List(list) => return list.run(),
            Self::Verify(verify) => return verify.run(),
            Self::Diff(diff) => return diff.run(),
            Self::Remove(remove) => return remove.run(world),
            Self::Snapshot(snapshot) => return snapshot.run(),
            Self::Reduce { file, output } => (file, output),
        };
        let bytes = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let pack =
            signalbox_validator::reduce(&bytes).with_context(|| format!("{} is not a FHIR package", file.display()))?;
        let output = output.unwrap_or_else(|| file.with_extension("pack"));
        std::fs::write(&output, &pack).with_context(|| format!("{} cannot be written", output.display()))?;
        writeln!(
            std::io::stdout(),
            "{}: {} bytes of package became {} bytes of facts",
            output.display(),
            bytes.len(),
            pack.len()
        )?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Snapshot {
    fn run(self) -> anyhow::Result<ExitCode> {
        match conformance::load(&self.package, &self.config.config)?.snapshot(&self.url) {
            Ok(text) => {
                writeln!(std::io::stdout(), "{text}")?;
                Ok(ExitCode::SUCCESS)
            }
            Err(why) => no(&why),
        }
    }
}

/// The answer is no, and why.
fn no(sentence: &str) -> anyhow::Result<ExitCode> {
    writeln!(std::io::stderr(), "signalbox: {sentence}")?;
    Ok(ExitCode::from(1))
}

/// Waits until nobody else changes the packages of a configuration folder, and keeps others waiting while the file is
/// open.
fn hold(folder: &Path) -> anyhow::Result<File> {
    let held = File::open(folder).and_then(|file| file.lock().map(|()| file));
    held.with_context(|| format!("{} cannot be changed", folder.display()))
}

/// How many definitions there are of each kind.
fn counts(opened: &Opened) -> BTreeMap<Kind, usize> {
    let mut counts = BTreeMap::new();
    for named in compare::definitions(opened).keys() {
        *counts.entry(named.kind).or_default() += 1;
    }
    counts
}

/// `2 profiles, 1 value set`
fn in_words(counts: &BTreeMap<Kind, usize>) -> String {
    let words: Vec<String> = counts.iter().map(|(kind, number)| count(*number, kind.name())).collect();
    if words.is_empty() { "no definitions".to_owned() } else { words.join(", ") }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
