//! The [filters](https://hl7.org/fhir/R4/valueset.html#4.9.4.1) of a value set: which concepts of a code system they
//! select. A filter whose operation or property is not known selects nobody knows what.

use regex::{Regex, RegexBuilder};

use super::code_system::{CodeSystem, Concept};
use crate::json::Value;

/// Memory that one pattern may take, in bytes.
const PATTERN: usize = 1 << 20;

/// The properties that every code system has.
const OF_ALL: [&str; 7] = ["concept", "code", "display", "parent", "child", "inactive", "status"];

/// One filter, read.
pub(super) struct Filter {
    property: Box<str>,
    operation: Operation,
}

enum Operation {
    IsA(Box<str>),
    DescendentOf(Box<str>),
    IsNotA(Box<str>),
    Generalizes(Box<str>),
    Equals(Box<str>),
    In(Vec<Box<str>>),
    NotIn(Vec<Box<str>>),
    Matches(Regex),
    Exists(bool),
}

impl Filter {
    /// Nothing where it cannot be said what is selected.
    pub(super) fn read(filter: Value<'_>, system: &CodeSystem) -> Option<Self> {
        let property = filter.str_at(&["property"])?;
        let value = filter.str_at(&["value"])?;
        let list = || value.split(',').map(|item| item.trim().into()).collect();
        let operation = match &*filter.str_at(&["op"])? {
            "is-a" => Operation::IsA((*value).into()),
            "descendent-of" => Operation::DescendentOf((*value).into()),
            "is-not-a" => Operation::IsNotA((*value).into()),
            "generalizes" => Operation::Generalizes((*value).into()),
            "=" => Operation::Equals((*value).into()),
            "in" => Operation::In(list()),
            "not-in" => Operation::NotIn(list()),
            // The pattern is for the whole text.
            "regex" => {
                let whole = format!("^(?:{value})$");
                Operation::Matches(RegexBuilder::new(&whole).size_limit(PATTERN).build().ok()?)
            }
            "exists" => Operation::Exists(&*value == "true"),
            _ => return None,
        };
        let is_hierarchy = matches!(
            operation,
            Operation::IsA(_) | Operation::DescendentOf(_) | Operation::IsNotA(_) | Operation::Generalizes(_)
        );
        let known = if is_hierarchy { ["concept", "code"].contains(&&*property) } else { OF_ALL.contains(&&*property) };
        (known || (!is_hierarchy && system.declares(&property)))
            .then(|| Self { property: (*property).into(), operation })
    }

    pub(super) fn selects(&self, system: &CodeSystem, concept: &Concept) -> bool {
        let is = |code: &str| system.find(code).is_some_and(|found| found.code == concept.code);
        match &self.operation {
            Operation::IsA(above) => is(above) || system.is_below(concept, above),
            Operation::DescendentOf(above) => system.is_below(concept, above),
            Operation::IsNotA(above) => !is(above) && !system.is_below(concept, above),
            Operation::Generalizes(below) => {
                is(below) || system.find(below).is_some_and(|below| system.is_below(below, &concept.code))
            }
            Operation::Equals(value) => self.any(system, concept, |found| found == &**value),
            Operation::In(list) => self.any(system, concept, |found| list.iter().any(|item| &**item == found)),
            Operation::NotIn(list) => !self.any(system, concept, |found| list.iter().any(|item| &**item == found)),
            Operation::Matches(pattern) => self.any(system, concept, |found| pattern.is_match(found)),
            Operation::Exists(wanted) => self.any(system, concept, |_| true) == *wanted,
        }
    }

    /// Whether the concept has such a value for the property.
    fn any(&self, system: &CodeSystem, concept: &Concept, test: impl Fn(&str) -> bool) -> bool {
        match &*self.property {
            "concept" | "code" => test(&concept.code),
            "display" => concept.displays.first().is_some_and(|display| test(display)),
            "parent" => concept.parents.iter().any(|parent| test(parent)),
            "child" => {
                let is_above = |other: &&Concept| other.parents.contains(&concept.code);
                system.concepts.iter().filter(is_above).any(|child| test(&child.code))
            }
            "inactive" => test(if concept.is_inactive() { "true" } else { "false" }),
            name => concept.properties.iter().any(|(found, value)| &**found == name && test(value)),
        }
    }
}
