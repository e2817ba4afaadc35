//! `signalbox package remove NAME@VERSION`: takes a package out of `signalbox.lock`, unless somebody needs it.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::{ConfigFolder, World, conformance, hold, no};
use crate::config::Config;
use crate::validation::Validation;
use crate::validation::library::Library;
use crate::validation::lock::FILE;
use crate::validation::reference::{Reference, nearest_of};

#[derive(Args)]
pub(in crate::cli) struct Remove {
    /// The package, as `signalbox package list` has it
    #[arg(value_name = "NAME@VERSION")]
    package: String,
    #[command(flatten)]
    config: ConfigFolder,
}

impl Remove {
    pub(super) fn run(self, world: &World) -> anyhow::Result<ExitCode> {
        let config = &self.config.config;
        let _held = config.is_dir().then(|| hold(config)).transpose()?;
        let mut lock = conformance::lock(config)?;
        let entry = Reference::read(&self.package).and_then(|reference| lock.get(&reference)).cloned();
        let Some(entry) = entry else {
            let perhaps = nearest_of(&self.package, lock.packages().iter().map(|package| &package.reference));
            let perhaps = perhaps.map(|near| format!(", perhaps {near}")).unwrap_or_default();
            return no(&format!("{} is not in {FILE}{perhaps}", self.package));
        };
        let settings = Config::inspect(Some(config), &world.environment).config;
        let sources = settings.iter().flat_map(|settings| &settings.sources);
        let named: Vec<&str> = sources
            .filter(|(_, source)| source.packages.contains(&self.package))
            .map(|(name, _)| name.as_str())
            .collect();
        if !named.is_empty() {
            return no(&format!(
                "{} is named by the packages of {}: take it out there first",
                self.package,
                named.join(", ")
            ));
        }
        lock.remove(&entry.reference);
        let plain = Validation::built_in()?;
        let library = Library { lock: &lock, paths: lock.folder(), plain: &plain };
        let needed = lock.packages().iter().find(|package| {
            let mut needs = package.dependencies.iter().filter(|wanted| entry.reference.answers(wanted));
            needs.any(|wanted| library.has(wanted).is_none())
        });
        if let Some(package) = needed {
            return no(&format!("{} starts from {}: take that out first", package.reference, self.package));
        }
        lock.write().with_context(|| format!("{} cannot be written", config.join(FILE).display()))?;
        let path = config.join(&entry.file);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} cannot be deleted", path.display()))?;
            }
            _ => {}
        }
        writeln!(std::io::stdout(), "{} is out of {FILE}; {} is deleted", self.package, entry.file)?;
        Ok(ExitCode::SUCCESS)
    }
}
