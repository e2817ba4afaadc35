//! How a value set is made of others and of code systems: its
//! [compose](https://hl7.org/fhir/R4/valueset.html#compositions), or the expansion that it carries.

use super::code_system::CodeSystem;
use super::filter::Filter;
use super::{Terminology, items};
use crate::json::Value;
use crate::value_set::{Part, ValueSet};

/// Value sets that import one another in a longer chain are not followed to its end.
const DEEPEST: usize = 16;

/// One value set in the making; `path` holds those that led here.
pub(super) struct Composition<'t> {
    pub(super) terminology: &'t Terminology,
    pub(super) path: Vec<usize>,
}

impl Composition<'_> {
    /// The codes that a definition names.
    pub(super) fn of(&mut self, definition: Value<'_>) -> ValueSet {
        let mut result = ValueSet::default();
        let compose = definition.get("compose");
        if let Some(compose) = compose {
            let active = compose.get("inactive").and_then(Value::as_bool) == Some(false);
            for part in items(compose, "include") {
                result.unite(self.part(part, active));
            }
            for part in items(compose, "exclude") {
                result.subtract(&self.part(part, false));
            }
        }
        let decided = compose.is_some() && !result.open && result.parts.iter().all(|part| part.complete);
        match definition.get("expansion").filter(|_| !decided) {
            Some(expansion) => expanded(expansion),
            None => ValueSet { open: result.open || compose.is_none(), ..result },
        }
    }

    /// What one include or exclude selects: the codes that its system and all its value sets have in common.
    fn part(&mut self, part: Value<'_>, active: bool) -> ValueSet {
        let system = part.str_at(&["system"]);
        let mut selected =
            system.map(|system| ValueSet { parts: vec![self.of_system(part, &system, active)], ..ValueSet::default() });
        for canonical in items(part, "valueSet").filter_map(Value::as_str) {
            let imported = self.imported(&canonical);
            match &mut selected {
                Some(selected) => selected.intersect(&imported),
                None => selected = Some(imported),
            }
        }
        selected.unwrap_or_default()
    }

    fn imported(&mut self, canonical: &str) -> ValueSet {
        let unknown = ValueSet { open: true, ..ValueSet::default() };
        let Some(at) = self.terminology.value_set_at(canonical) else {
            return self.terminology.implicit(canonical).unwrap_or(unknown);
        };
        if self.path.contains(&at) || self.path.len() >= DEEPEST {
            return unknown;
        }
        if let Some(known) = self.terminology.expanded(at) {
            return known.clone();
        }
        self.path.push(at);
        let imported = self.terminology.definition(at, |definition| self.of(definition));
        self.path.pop();
        imported.unwrap_or(unknown)
    }

    fn of_system(&self, part: Value<'_>, url: &str, active: bool) -> Part {
        let version = part.str_at(&["version"]);
        let found = self.terminology.code_system(url, version.as_deref());
        let found = found.filter(|system| system.supplements.is_none());
        let any_case = found.is_some_and(|system| system.any_case);
        let mut selected = Part { system: url.into(), any_case, ..Part::default() };
        if part.get("concept").is_some() {
            let codes = items(part, "concept").filter_map(|concept| concept.str_at(&["code"]));
            let key = |code: &str| found.map_or_else(|| code.into(), |system| system.key(code));
            selected.codes = codes.map(|code| key(&code)).collect();
            selected.complete = true;
            return selected;
        }
        let Some(system) = found else { return selected };
        let filters: Option<Vec<Filter>> = items(part, "filter").map(|filter| Filter::read(filter, system)).collect();
        let Some(filters) = filters else { return selected };
        selected.codes = selected_by(&filters, system, active);
        selected.complete = system.complete;
        selected
    }
}

fn selected_by(filters: &[Filter], system: &CodeSystem, active: bool) -> rustc_hash::FxHashSet<Box<str>> {
    let concepts = system.concepts.iter().filter(|concept| !active || !concept.is_inactive());
    let selected = concepts.filter(|concept| filters.iter().all(|filter| filter.selects(system, concept)));
    selected.map(|concept| system.key(&concept.code)).collect()
}

/// The codes of an expansion. It is all of the set where it does not say that it is less.
fn expanded(expansion: Value<'_>) -> ValueSet {
    let mut found = ValueSet::default();
    add_contained(expansion, &mut found);
    let total = expansion.get("total").and_then(|total| total.raw().parse::<usize>().ok());
    let held: usize = found.parts.iter().map(|part| part.codes.len()).sum();
    let paged = expansion.get("offset").is_some_and(|offset| offset.raw() != "0");
    found.open = items(expansion, "extension").next().is_some() || paged || total.is_some_and(|total| total > held);
    found
}

fn add_contained(parent: Value<'_>, found: &mut ValueSet) {
    for entry in items(parent, "contains") {
        let is_abstract = entry.get("abstract").and_then(Value::as_bool) == Some(true);
        if let (Some(system), Some(code), false) = (entry.str_at(&["system"]), entry.str_at(&["code"]), is_abstract) {
            let codes = std::iter::once((*code).into()).collect();
            let part = Part { system: (*system).into(), codes, complete: true, ..Part::default() };
            found.unite(ValueSet { parts: vec![part], ..ValueSet::default() });
        }
        add_contained(entry, found);
    }
}
