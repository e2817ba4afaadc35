//! The [terminology](https://hl7.org/fhir/R4/terminologies.html) that is loaded: value sets and code systems by
//! canonical, several versions side by side. Each is read, and each value set expanded, when it is first asked about.

mod code_system;
mod compose;
mod filter;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::definition::split;
use crate::json::{Document, Value};
use crate::node::ValueSetId;
use crate::value_set::{Membership, Part, ValueSet};
pub(crate) use code_system::CodeSystem;
use compose::Composition;

/// A resource as text, and what was made of it once it was asked about.
struct Entry<T> {
    url: Box<str>,
    version: Option<Box<str>>,
    /// Empty where a value set is bound to and nobody has it.
    text: Box<str>,
    made: OnceLock<T>,
}

/// Resources of one type, by canonical without version.
struct Shelf<T> {
    entries: Vec<Entry<T>>,
    by_url: FxHashMap<Box<str>, Vec<usize>>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), by_url: FxHashMap::default() }
    }
}

impl<T> Shelf<T> {
    fn add(&mut self, url: &str, version: Option<&str>, text: &str) -> usize {
        let version = version.map(Box::from);
        self.entries.push(Entry { url: url.into(), version, text: text.into(), made: OnceLock::new() });
        let at = self.entries.len() - 1;
        self.by_url.entry(url.into()).or_default().push(at);
        at
    }

    /// Of this version, where one is asked for.
    fn exactly(&self, url: &str, version: &str) -> Option<usize> {
        let known = self.by_url.get(url)?;
        known.iter().rev().find(|at| self.entries[**at].version.as_deref() == Some(version)).copied()
    }

    /// The one loaded last.
    fn last(&self, url: &str) -> Option<usize> {
        self.by_url.get(url)?.last().copied()
    }
}

/// The value sets and code systems of the packs.
#[derive(Default)]
pub(crate) struct Terminology {
    value_sets: Shelf<ValueSet>,
    code_systems: Shelf<CodeSystem>,
    /// Code systems by the canonical of the value set of all their codes.
    of_all_codes: FxHashMap<Box<str>, Box<str>>,
    /// The ids of value sets that something is bound to, by canonical as it is written there.
    bound: FxHashMap<String, ValueSetId>,
}

impl Terminology {
    pub(crate) fn add_value_set(&mut self, url: &str, resource: Value<'_>) {
        self.value_sets.add(url, resource.str_at(&["version"]).as_deref(), resource.raw());
    }

    pub(crate) fn add_code_system(&mut self, url: &str, resource: Value<'_>) {
        self.code_systems.add(url, resource.str_at(&["version"]).as_deref(), resource.raw());
        if let Some(of_all) = resource.str_at(&["valueSet"]) {
            self.of_all_codes.insert((*of_all).into(), url.into());
        }
    }

    /// Gives each canonical that something is bound to an id; one that nobody has is a set that is not known.
    pub(crate) fn bind(&mut self, canonicals: &[String]) {
        for canonical in canonicals {
            let at = self.value_set_at(canonical);
            let at = at.unwrap_or_else(|| self.value_sets.add(split(canonical).0, None, ""));
            self.bound.insert(canonical.clone(), ValueSetId::new(at));
        }
    }

    pub(crate) fn bound(&self) -> &FxHashMap<String, ValueSetId> {
        &self.bound
    }

    pub(crate) fn value_set(&self, id: ValueSetId) -> &ValueSet {
        self.made(id.index())
    }

    /// The value set with this canonical.
    pub(crate) fn value_set_named(&self, canonical: &str) -> Option<&ValueSet> {
        self.value_set_at(canonical).map(|at| self.made(at))
    }

    /// Whether a code is in a value set; nothing when that is not known here.
    pub(crate) fn member_of(&self, canonical: &str, system: Option<&str>, code: &str) -> Option<bool> {
        let found = self.value_set_named(canonical)?;
        let membership = system.map_or_else(|| found.contains_code(code), |system| found.contains(system, code));
        match membership {
            Membership::In => Some(true),
            Membership::Out => Some(false),
            Membership::Unknown => None,
        }
    }

    /// The code system with this canonical; of a version, where one is named.
    pub(crate) fn code_system(&self, canonical: &str, version: Option<&str>) -> Option<&CodeSystem> {
        let (url, own) = split(canonical);
        let at = match version.or(own) {
            Some(version) => self.code_systems.exactly(url, version)?,
            None => self.code_systems.last(url)?,
        };
        let entry = &self.code_systems.entries[at];
        Some(entry.made.get_or_init(|| reading(&entry.text, CodeSystem::read).unwrap_or_default()))
    }

    /// Whether a code system is loaded, and not in this version.
    pub(crate) fn lacks_version(&self, canonical: &str, version: &str) -> bool {
        self.code_systems.last(canonical).is_some() && self.code_systems.exactly(canonical, version).is_none()
    }

    /// Whether this is the canonical of a value set.
    pub(crate) fn has_value_set(&self, canonical: &str) -> bool {
        self.value_set_at(canonical).is_some_and(|at| !self.value_sets.entries[at].text.is_empty())
    }

    /// What is wrong with a value set that is said to hold all codes of a system: it includes the system, whole, and
    /// nothing else.
    pub(crate) fn fault_of_whole_set(&self, canonical: &str, system: &str) -> Option<&'static str> {
        let at = self.value_set_at(canonical)?;
        let fault = self.definition(at, |set| {
            let includes: Vec<Value<'_>> =
                set.get("compose").into_iter().flat_map(|found| items(found, "include")).collect();
            let [include] = includes.as_slice() else {
                return Some("The value set of all codes includes one system, and nothing else.");
            };
            if include.str_at(&["system"]).as_deref() != Some(system) {
                return Some("The value set of all codes includes another system than this one.");
            }
            let is_part = ["valueSet", "concept", "filter"].iter().any(|key| include.get(key).is_some());
            is_part.then_some("The value set of all codes includes only some of them.")
        });
        fault.flatten()
    }

    fn value_set_at(&self, canonical: &str) -> Option<usize> {
        let (url, version) = split(canonical);
        // A version that nobody has: the one we have is nearer than nothing.
        version.and_then(|version| self.value_sets.exactly(url, version)).or_else(|| self.value_sets.last(url))
    }

    fn made(&self, at: usize) -> &ValueSet {
        let entry = &self.value_sets.entries[at];
        entry.made.get_or_init(|| {
            let mut composition = Composition { terminology: self, path: vec![at] };
            let made = self.definition(at, |definition| composition.of(definition));
            let made = made.or_else(|| self.implicit(&entry.url));
            let made = made.unwrap_or_else(|| ValueSet { open: true, ..ValueSet::default() });
            ValueSet { canonical: entry.url.clone(), ..made }
        })
    }

    /// A value set that has been asked about before.
    fn expanded(&self, at: usize) -> Option<&ValueSet> {
        self.value_sets.entries[at].made.get()
    }

    /// What `read` makes of the definition of a value set.
    fn definition<R>(&self, at: usize, read: impl FnOnce(Value<'_>) -> R) -> Option<R> {
        reading(&self.value_sets.entries[at].text, read)
    }

    /// The value set that nobody writes because a code system implies it: all its codes.
    fn implicit(&self, canonical: &str) -> Option<ValueSet> {
        let url = split(canonical).0;
        let system = url.strip_suffix("?vs").or_else(|| self.of_all_codes.get(url).map(|found| &**found))?;
        let found = self.code_system(system, None)?;
        let codes = found.concepts.iter().map(|concept| found.key(&concept.code)).collect();
        let (complete, any_case) = (found.complete, found.any_case);
        let parts = vec![Part { system: system.into(), codes, complete, any_case }];
        Some(ValueSet { canonical: url.into(), parts, open: false })
    }
}

/// What `read` makes of a resource that was read before, so it can be read.
fn reading<R>(text: &str, read: impl FnOnce(Value<'_>) -> R) -> Option<R> {
    let document = Document::read(text.as_bytes()).ok()?;
    Some(read(document.root()))
}

fn items<'d>(object: Value<'d>, key: &str) -> impl Iterator<Item = Value<'d>> + use<'d> {
    object.get(key).into_iter().flat_map(Value::items)
}
