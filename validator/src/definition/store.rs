//! Every definition that was loaded, by canonical; several versions of one may stand side by side (see
//! [canonical](https://hl7.org/fhir/R4/references.html#canonical)).

use rustc_hash::FxHashMap;

use super::StructureDefinition;

/// The definitions, in the order loaded.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    all: Vec<StructureDefinition>,
    by_url: FxHashMap<String, Vec<usize>>,
}

/// A definition whose url and version were there before.
pub(crate) struct Replaced;

impl Definitions {
    /// Adds a definition. One of the same url and version is replaced; one of the same url is kept beside it.
    pub(crate) fn insert(&mut self, definition: StructureDefinition) -> Option<Replaced> {
        let known = self.by_url.entry(definition.url.clone()).or_default();
        let replaced = known.iter().any(|&at| self.all[at].version == definition.version);
        // The last one loaded is the one that a canonical without a version means.
        known.push(self.all.len());
        self.all.push(definition);
        replaced.then_some(Replaced)
    }

    /// Index of the definition that a canonical names: with `|version` that version, else the last one loaded.
    pub(crate) fn find(&self, canonical: &str) -> Option<usize> {
        let (url, version) = split(canonical);
        let known = self.by_url.get(url)?;
        let named = known.iter().rev().find(|&&at| version.is_some() && self.all[at].version.as_deref() == version);
        // A version that nobody has: the one we have is nearer than nothing.
        named.or_else(|| known.last()).copied()
    }

    pub(crate) fn get(&self, canonical: &str) -> Option<&StructureDefinition> {
        self.find(canonical).map(|at| &self.all[at])
    }

    pub(crate) fn at(&self, index: usize) -> &StructureDefinition {
        &self.all[index]
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Those that are in force: not replaced by a later one of the same version.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &StructureDefinition> {
        let live = |(at, definition): &(usize, &StructureDefinition)| {
            let known = self.by_url.get(&definition.url);
            let last = known
                .and_then(|known| known.iter().rev().find(|&&other| self.all[other].version == definition.version));
            last == Some(at)
        };
        self.all.iter().enumerate().filter(live).map(|(_, definition)| definition)
    }

    /// Whether this url was defined before it was defined again.
    pub(crate) fn is_doubled(&self, url: &str) -> bool {
        self.by_url.get(url).is_some_and(|known| known.len() > 1)
    }

    /// Forgets the definition of this url that was loaded last; one that it replaced is in force again.
    pub(crate) fn remove(&mut self, url: &str) {
        if let Some(known) = self.by_url.get_mut(url) {
            known.pop();
            if known.is_empty() {
                self.by_url.remove(url);
            }
        }
    }
}

/// A canonical without its version, and the version.
pub(crate) fn split(canonical: &str) -> (&str, Option<&str>) {
    canonical.split_once('|').map_or((canonical, None), |(url, version)| (url, Some(version)))
}
