//! Golden cases: a message in, the expected destinations and payloads out, in folders beside the routes:
//! `routes/NAME.cases/CASE/case.toml`. They run through the same judge and the same adapters as live messages; nothing
//! is stored or sent.

mod case;
mod run;

use std::path::{Path, PathBuf};

use super::{StartError, destinations};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::Config;
use crate::exchange::keys::SearchKey;
use crate::gateway::Judge;

pub use run::Difference;

/// A case, and what came of it.
pub struct Tried {
    /// Folder of the case, relative to the configuration folder.
    pub case: String,
    /// Destinations it reached, in order.
    pub destinations: Vec<String>,
    /// What was not as expected; nothing: the case passes.
    pub differences: Vec<Difference>,
}

/// Tries every golden case of a configuration folder, in the order of their names; with `write`, payloads that differ
/// are written into the cases.
///
/// # Errors
/// When the configuration cannot run.
pub fn golden(config: &Config, folder: &Path, clock: &Clock, write: bool) -> Result<Vec<Tried>, StartError> {
    let guides = destinations::guides(config)?;
    let checked = destinations::check(config, guides.built_in(), clock, &Chance::seeded(0))?;
    let numbers: Vec<(i32, String)> = (0..).zip(checked.names()).collect();
    let (_, known, _) = checked.lines(&numbers);
    // Keys are stored and never shown: any secret does.
    let search_key =
        SearchKey::new(&[0; SearchKey::SHORTEST]).map_err(|error| StartError::SearchKey(error.to_string()))?;
    let judge = destinations::judge(config, guides, checked.routes, known, search_key);
    // Cases come out the same wherever and whenever they are tried: nobody is asked.
    let judge = Judge { terminology: None, ..judge };
    let tried = cases(folder).into_iter().map(|path| {
        let case = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        let outcome = case::read(&path).map(|wanted| run::run(&judge, config, &path, &wanted, write));
        match outcome {
            Ok((destinations, differences)) => Tried { case, destinations, differences },
            Err(sentence) => Tried { case, destinations: Vec::new(), differences: vec![Difference::Case(sentence)] },
        }
    });
    Ok(tried.collect())
}

/// Folders that hold a `case.toml`, below those that end in `.cases`.
fn cases(folder: &Path) -> Vec<PathBuf> {
    let collections = folders(&folder.join("routes"));
    let collections = collections.iter().filter(|path| path.extension().is_some_and(|ending| ending == "cases"));
    let mut found: Vec<PathBuf> = collections.flat_map(|path| folders(path)).collect();
    found.sort();
    found
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
