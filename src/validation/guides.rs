//! Which implementation guides the messages of a source are checked by: each source names its `packages`, and sources that
//! name the same list share one compiled set. Several versions of one guide stand side by side that way.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use super::{Validation, packages};
use crate::config::{Config, ConfigError, Problem, nearest};

/// What is wrong with definitions of one list of packages is told up to this many times.
const MOST_WARNINGS: usize = 10;

/// The compiled sets; cheap to clone.
#[derive(Clone)]
pub struct Guides {
    built_in: Validation,
    of_sources: HashMap<String, Validation>,
    /// Sources whose packages cannot be read: nothing can be said of their profiles.
    unread: HashSet<String>,
}

/// Guides, and what in their packages could not be used.
pub struct Loaded {
    /// The guides.
    pub guides: Guides,
    /// Definitions that were left out or stand for others, by the source that names them first.
    pub warnings: Vec<ConfigError>,
    /// Packages that cannot be read; their lists are as if they were not named.
    pub errors: Vec<ConfigError>,
}

impl Guides {
    /// Reads the packages that the sources of a configuration name.
    ///
    /// # Errors
    /// When a pack of the binary cannot be read.
    pub fn load(config: &Config) -> Result<Loaded, signalbox_validator::PackError> {
        let built_in = Validation::built_in()?;
        let mut loader = Loader { config, plain: &built_in, lists: HashMap::new(), warnings: vec![], errors: vec![] };
        let (mut of_sources, mut unread) = (HashMap::new(), HashSet::new());
        for (name, source) in &config.sources {
            let before = loader.errors.len();
            if let Some(set) = loader.set(name, &source.packages) {
                of_sources.insert(name.clone(), set);
            }
            if loader.errors.len() > before {
                unread.insert(name.clone());
            }
        }
        let Loader { warnings, errors, .. } = loader;
        Ok(Loaded { guides: Self { built_in, of_sources, unread }, warnings, errors })
    }

    /// What messages of this source are checked by.
    #[must_use]
    pub fn of(&self, source: &str) -> &Validation {
        self.of_sources.get(source).unwrap_or(&self.built_in)
    }

    /// What the binary carries.
    #[must_use]
    pub fn built_in(&self) -> &Validation {
        &self.built_in
    }

    /// Name and version of every pack that some source is checked by, sorted.
    #[must_use]
    pub fn packs(&self) -> Vec<(String, String)> {
        let mut all = self.built_in.packs();
        for pack in self.of_sources.values().flat_map(Validation::packs) {
            if !all.contains(&pack) {
                all.push(pack);
            }
        }
        all
    }

    /// Profiles that the settings name, of sources and of routes, and that those who must meet them do not have.
    #[must_use]
    pub fn unknown_profiles(&self, config: &Config) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        let read = |name: &String| !self.unread.contains(name);
        for (name, source) in config.sources.iter().filter(|(name, _)| read(name)) {
            let set = self.of(name);
            errors.extend(faults(config, &format!("sources.{name}"), &source.profiles, set, ""));
        }
        for (at, route) in config.routes.iter().enumerate() {
            let takes = |name: &&String| route.sources.is_empty() || route.sources.contains(*name);
            let mut told: HashSet<String> = HashSet::new();
            for name in config.sources.keys().filter(|name| read(name)).filter(takes) {
                let whose = format!(" of the source {name:?}");
                let found = faults(config, &format!("routes[{at}]"), &route.profiles, self.of(name), &whose);
                errors.extend(found.into_iter().filter(|error| told.insert(error.key.clone())));
            }
        }
        errors
    }
}

struct Loader<'c> {
    config: &'c Config,
    plain: &'c Validation,
    lists: HashMap<&'c [String], Validation>,
    warnings: Vec<ConfigError>,
    errors: Vec<ConfigError>,
}

impl<'c> Loader<'c> {
    /// The set of one source; `None` when it is what the binary carries, or cannot be made.
    fn set(&mut self, source: &str, list: &'c [String]) -> Option<Validation> {
        if list.iter().map(String::as_str).eq(packages::built_in()) {
            return None;
        }
        if let Some(known) = self.lists.get(list) {
            return Some(known.clone());
        }
        let before = self.errors.len();
        let (mut packs, mut resources) = (Vec::new(), Vec::new());
        for (at, name) in list.iter().enumerate() {
            if let Some((_, pack)) = packages::BUILT_IN.iter().find(|(known, _)| known == name) {
                packs.push(*pack);
                continue;
            }
            match packages::read(&self.config.base.join(name), self.plain) {
                Ok(found) => resources.extend(found.definitions),
                Err(sentence) => self.errors.push(unusable(self.config, source, at, name, sentence)),
            }
        }
        if self.errors.len() > before {
            return None;
        }
        let key = format!("sources.{source}.packages");
        let given: HashSet<String> = resources.iter().map(|(from, _)| from.clone()).collect();
        match Validation::of(&packs, resources) {
            Ok((set, found)) => {
                let found: Vec<_> = found.iter().filter(|warning| given.contains(&warning.source)).collect();
                let told = found.iter().take(MOST_WARNINGS).map(ToString::to_string);
                let more = found.len().saturating_sub(MOST_WARNINGS);
                let rest =
                    (more > 0).then(|| format!("and {more} more; `signalbox validate --package` tells them all"));
                let problem = |sentence| self.config.error(&key, Problem::Other(sentence));
                self.warnings.extend(told.chain(rest).map(problem));
                self.lists.insert(list, set.clone());
                Some(set)
            }
            Err(error) => {
                self.errors.push(self.config.error(&key, Problem::Other(format!("cannot be used together: {error}"))));
                None
            }
        }
    }
}

/// A package that is not there, or is none.
fn unusable(config: &Config, source: &str, at: usize, name: &str, sentence: String) -> ConfigError {
    let key = format!("sources.{source}.packages[{at}]");
    if config.base.join(name).exists() {
        return config.error(&key, Problem::Other(sentence));
    }
    let path = Path::new(name);
    let beside = config.base.join(path.parent().unwrap_or(Path::new("")));
    let files = std::fs::read_dir(beside).into_iter().flatten().flatten();
    let files: Vec<String> = files
        .map(|entry| path.with_file_name(entry.file_name()).display().to_string())
        .chain(packages::built_in().into_iter().map(str::to_owned))
        .collect();
    let perhaps = nearest(name, files.iter().map(String::as_str)).map(|near| format!(", perhaps {near:?}"));
    let expected = format!(
        "a FHIR package (.tgz), a folder or a file of resources, or one the binary carries ({}){}",
        packages::built_in().join(", "),
        perhaps.unwrap_or_default()
    );
    config.error(&key, Problem::Unexpected { found: format!("{name:?}, which is not there"), expected })
}

/// What is wrong with profiles by type.
fn faults(
    config: &Config,
    key: &str,
    profiles: &BTreeMap<String, Vec<String>>,
    set: &Validation,
    whose: &str,
) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    for (resource_type, canonicals) in profiles {
        let key = format!("{key}.profiles.{resource_type}");
        if !set.is_resource_type(resource_type) {
            let known = set.resource_types();
            let perhaps = nearest(resource_type, known.iter().map(String::as_str));
            let perhaps = perhaps.map(|near| format!(", perhaps {near}")).unwrap_or_default();
            let expected = format!("a resource type of FHIR R4{perhaps}");
            errors.push(config.error(&key, Problem::Unexpected { found: format!("{resource_type:?}"), expected }));
            continue;
        }
        for (at, canonical) in canonicals.iter().enumerate() {
            if let Some(problem) = set.unfit(resource_type, canonical, whose) {
                errors.push(config.error(&format!("{key}[{at}]"), problem));
            }
        }
    }
    errors
}

impl Validation {
    /// Why resources of this type cannot be held to this profile; `None` when they can.
    fn unfit(&self, resource_type: &str, canonical: &str, whose: &str) -> Option<Problem> {
        let Some(of) = self.profiles.type_of(canonical) else {
            let known = self.profiles.definitions().filter(|url| self.profiles.type_of(url) == Some(resource_type));
            let mut known: Vec<&str> = known.collect();
            known.sort_unstable();
            let perhaps = nearest(canonical, known).map(|near| format!(", perhaps {near:?}"));
            let expected =
                format!("a profile of {resource_type} in the packages{whose}{}", perhaps.unwrap_or_default());
            return Some(Problem::Unexpected { found: format!("{canonical:?}"), expected });
        };
        if of != resource_type && !matches!(of, "Resource" | "DomainResource") {
            let expected = format!("a profile of {resource_type}");
            return Some(Problem::Unexpected { found: format!("{canonical:?}, a profile of {of}"), expected });
        }
        let broken = self.profiles.snapshot(canonical).err()?;
        Some(Problem::Other(format!("{canonical:?} cannot be used: {broken}")))
    }
}
