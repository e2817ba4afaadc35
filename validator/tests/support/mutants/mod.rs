//! Seeded mutants of resources: each is a published or an own resource with one thing changed, most of them for the worse.
//!
//! The same seed gives the same mutants. What is wrong with one is for a validator to say; its class only says what was
//! done.

mod changes;
mod random;
mod sites;

use serde_json::Value as Json;
use signalbox_validator::ProfileSet;

pub(crate) use changes::CLASSES;
use random::Random;
use sites::Facts;

/// A resource with one thing changed.
pub(crate) struct Mutant {
    /// One of [`CLASSES`].
    pub(crate) class: &'static str,
    pub(crate) resource: Json,
}

/// Makes mutants, in a sequence that its seed decides.
pub(crate) struct Generator<'s> {
    facts: Facts<'s>,
    random: Random,
}

impl<'s> Generator<'s> {
    pub(crate) fn new(set: &'s ProfileSet, seed: u64) -> Self {
        Self { facts: Facts::new(set), random: Random::new(seed) }
    }

    /// A mutant of the resource; nothing where the change that was drawn finds nothing to change.
    pub(crate) fn mutant(&mut self, source: &Json) -> Option<Mutant> {
        let sites = self.facts.sites(source);
        let (class, change) = *self.random.one(&CLASSES)?;
        let mut resource = source.clone();
        change(&mut self.random, &sites, &mut resource)?;
        (resource != *source || class == "harmless").then_some(Mutant { class, resource })
    }
}
