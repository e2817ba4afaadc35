//! Which implementation guides the messages of a source are checked by: each source names its `packages`, and sources that
//! name the same list share one compiled set. Several versions of one guide stand side by side that way.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::library::{Gathered, Library};
use super::lock::Lock;
use super::reference::Reference;
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
        let (lock, errors) = match Lock::read(&config.base) {
            Ok(lock) => (Some(lock), vec![]),
            Err(faults) => (None, faults),
        };
        let mut loader =
            Loader { config, plain: &built_in, lock: lock.as_ref(), lists: HashMap::new(), warnings: vec![], errors };
        let (mut of_sources, mut unread) = (HashMap::new(), HashSet::new());
        for (name, source) in &config.sources {
            match loader.set(name, &source.packages) {
                Set::BuiltIn => {}
                Set::Own(set) => {
                    of_sources.insert(name.clone(), set);
                }
                Set::Unread => {
                    unread.insert(name.clone());
                }
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
    /// What `name@version` means; absent when the file is damaged.
    lock: Option<&'c Lock>,
    lists: HashMap<&'c [String], Validation>,
    warnings: Vec<ConfigError>,
    errors: Vec<ConfigError>,
}

/// What one source is checked by.
enum Set {
    /// What the binary carries.
    BuiltIn,
    Own(Validation),
    /// Its packages cannot be read.
    Unread,
}

impl<'c> Loader<'c> {
    fn set(&mut self, source: &str, list: &'c [String]) -> Set {
        if list.iter().map(String::as_str).eq(packages::built_in()) {
            return Set::BuiltIn;
        }
        if let Some(known) = self.lists.get(list) {
            return Set::Own(known.clone());
        }
        let Some(gathered) = self.gather(source, list) else { return Set::Unread };
        let key = format!("sources.{source}.packages");
        match gathered.compile() {
            Ok((set, found)) => {
                let told = found.iter().take(MOST_WARNINGS).map(ToString::to_string);
                let more = found.len().saturating_sub(MOST_WARNINGS);
                let rest =
                    (more > 0).then(|| format!("and {more} more; `signalbox validate --package` tells them all"));
                let problem = |sentence| self.config.error(&key, Problem::Other(sentence));
                self.warnings.extend(told.chain(rest).map(problem));
                self.lists.insert(list, set.clone());
                Set::Own(set)
            }
            Err(error) => {
                self.errors.push(self.config.error(&key, Problem::Other(format!("cannot be used together: {error}"))));
                Set::Unread
            }
        }
    }

    /// The definitions of a list; `None` when one of its names stands for nothing that can be used.
    fn gather(&mut self, source: &str, list: &[String]) -> Option<Gathered> {
        // Of a damaged lock it is said already that it is.
        let unlocked = Lock::none(&self.config.base);
        let library = Library { lock: self.lock.unwrap_or(&unlocked), paths: &self.config.base, plain: self.plain };
        let (mut gathered, mut is_whole) = (Gathered::default(), true);
        for (at, name) in list.iter().enumerate() {
            let key = format!("sources.{source}.packages[{at}]");
            if self.lock.is_none() && Reference::read(name).is_some() {
                is_whole = false;
            } else if let Err(problem) = library.gather(name, &mut gathered) {
                self.errors.push(self.config.error(&key, problem));
                is_whole = false;
            }
            let lacking = gathered.lacking();
            self.warnings.extend(lacking.into_iter().map(|told| self.config.error(&key, Problem::Other(told))));
        }
        is_whole.then_some(gathered)
    }
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
