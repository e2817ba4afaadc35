//! Everything that is wrong with a configuration folder, or that looks like a mistake: what `signalbox check` tells.
//! Nothing is started, written or connected to.

use std::path::Path;

use super::{StartError, bottlenecks, destinations, doubts, listeners, reachability, translated};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, ConfigErrors, Environment};
use crate::validation::guides::Guides;

/// What was found.
pub struct Findings {
    /// The gateway would not start, or part of what is configured could not work.
    pub errors: ConfigErrors,
    /// Whether it would start all the same.
    pub starts: bool,
    /// It would start, and somebody should look.
    pub warnings: ConfigErrors,
}

/// Checks a configuration folder as a start would, and further.
///
/// # Errors
/// When the profile packs of the binary cannot be read.
pub fn inspect(folder: &Path, environment: &Environment, clock: &Clock) -> Result<Findings, StartError> {
    let inspection = Config::inspect(Some(folder), environment);
    let mut errors: Vec<ConfigError> = inspection.errors.iter().cloned().collect();
    let (mut warnings, mut broken) = (Vec::new(), Vec::new());
    if let Some(config) = inspection.config {
        let loaded = Guides::load(&config)?;
        let mut further = loaded.errors;
        further.extend(loaded.guides.unknown_profiles(&config));
        if let Err(found) = destinations::check(&config, loaded.guides.built_in(), clock, &Chance::seeded(0)) {
            further.extend(found.iter().cloned());
        }
        if let Err(found) = destinations::tls(&config) {
            further.extend(found.iter().cloned());
        }
        if let Err(found) = listeners::certificates(&config) {
            further.extend(found.iter().cloned());
        }
        warnings = reachability::loose_ends(&config);
        warnings.extend(translated::unseen_losses(&config));
        warnings.extend(bottlenecks::narrower_than_the_door(&config));
        warnings.extend(loaded.warnings);
        let doubts = doubts::of(&config, clock.now());
        warnings.extend(doubts.odd);
        broken = doubts.broken;
        let news = |found: &ConfigError| !errors.iter().any(|known| found.is_within(known) || known.is_within(found));
        let further: Vec<ConfigError> = further.into_iter().filter(news).collect();
        errors.extend(further);
    }
    let starts = errors.is_empty();
    let news = |found: &ConfigError| !errors.iter().any(|known| found.is_within(known) || known.is_within(found));
    let broken: Vec<ConfigError> = broken.into_iter().filter(news).collect();
    errors.extend(broken);
    Ok(Findings { starts, errors: ConfigErrors::new(errors), warnings: ConfigErrors::new(warnings) })
}
