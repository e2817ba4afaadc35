//! What differs between two versions of a package: definitions that came, went, or say something else. Profiles are
//! compared by their snapshots, so a change of what a profile starts from shows as well.
//!
//! `element` reads what one element says, `tree` compares the elements of a definition, `terms` value sets and code systems.

mod element;
mod terms;
mod tree;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::Validation;
use super::packages::Opened;
use tree::Elements;

/// One of the two versions.
#[derive(Clone, Copy)]
pub struct Side<'s> {
    /// Its definitions.
    pub opened: &'s Opened,
    /// They and everything they start from, compiled.
    pub set: &'s Validation,
}

/// What differs, sorted by kind and canonical.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// Definitions that only the second has.
    pub added: Vec<Named>,
    /// Definitions that only the first has.
    pub removed: Vec<Named>,
    /// Definitions that both have and that do not say the same.
    pub changed: Vec<Changed>,
}

/// A definition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Named {
    /// What it is.
    pub kind: Kind,
    /// Its canonical.
    pub url: String,
}

/// What a definition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A `StructureDefinition` that narrows another.
    Profile,
    /// A `StructureDefinition` of an extension.
    Extension,
    /// A `StructureDefinition` that introduces a type or a logical model.
    Type,
    /// A `ValueSet`.
    ValueSet,
    /// A `CodeSystem`.
    CodeSystem,
}

/// A definition that does not say the same.
#[derive(Debug, Serialize)]
pub struct Changed {
    /// Which.
    #[serde(flatten)]
    pub named: Named,
    /// Why only what it says itself could be compared, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What changed of the definition as a whole.
    pub facts: Vec<Change>,
    /// What changed of its elements.
    pub elements: Vec<ChangedElement>,
}

/// An element that does not say the same.
#[derive(Debug, Serialize)]
pub struct ChangedElement {
    /// Its path with the names of slices.
    pub id: String,
    /// Whether it is new, gone, or says something else.
    pub change: How,
    /// What it says.
    pub facts: Vec<Change>,
}

/// What became of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Only the second has it.
    Added,
    /// Only the first has it.
    Removed,
    /// Both have it.
    Changed,
}

/// One thing that is said, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it is, such as `cardinality` or `constraint ward-1`.
    pub fact: String,
    /// What the first says.
    pub before: Option<String>,
    /// What the second says.
    pub after: Option<String>,
}

impl Kind {
    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Extension => "extension",
            Self::Type => "type",
            Self::ValueSet => "value set",
            Self::CodeSystem => "code system",
        }
    }

    /// What a resource is; `None` when it is no definition that is compared.
    #[must_use]
    pub fn of(resource: &Value) -> Option<Self> {
        Some(match resource["resourceType"].as_str()? {
            "StructureDefinition" if resource["type"] == "Extension" => Self::Extension,
            "StructureDefinition" if resource["derivation"] == "constraint" => Self::Profile,
            "StructureDefinition" => Self::Type,
            "ValueSet" => Self::ValueSet,
            "CodeSystem" => Self::CodeSystem,
            _ => return None,
        })
    }
}

/// The definitions that were read, by kind and canonical; of two the later one.
#[must_use]
pub fn definitions(opened: &Opened) -> BTreeMap<Named, Value> {
    let read = |(_, text): &(String, Vec<u8>)| {
        let resource: Value = serde_json::from_slice(text).ok()?;
        let named = Named { kind: Kind::of(&resource)?, url: resource["url"].as_str()?.to_owned() };
        Some((named, resource))
    };
    opened.definitions.iter().filter_map(read).collect()
}

/// What differs from the first to the second.
#[must_use]
pub fn compare(from: Side<'_>, to: Side<'_>) -> Difference {
    let (before, after) = (definitions(from.opened), definitions(to.opened));
    let only = |these: &BTreeMap<Named, Value>, those: &BTreeMap<Named, Value>| {
        these.keys().filter(|named| !those.contains_key(named)).cloned().collect()
    };
    let both = before.iter().filter_map(|(named, old)| Some((named, old, after.get(named)?)));
    let (mut olds, mut news) = (Elements::of(from.set), Elements::of(to.set));
    let changed = both.filter_map(|(named, old, new)| {
        let mut changed = Changed { named: named.clone(), note: None, facts: vec![], elements: vec![] };
        match named.kind {
            Kind::ValueSet => changed.facts = terms::value_sets(old, new),
            Kind::CodeSystem => changed.facts = terms::code_systems(old, new),
            Kind::Profile | Kind::Extension | Kind::Type => {
                changed.facts = differing(&facts(old), &facts(new));
                (changed.elements, changed.note) = tree::compare((&mut olds, old), (&mut news, new));
            }
        }
        (!changed.facts.is_empty() || !changed.elements.is_empty()).then_some(changed)
    });
    let changed = changed.collect();
    Difference { added: only(&after, &before), removed: only(&before, &after), changed }
}

/// Things said, by what they are.
type Facts = BTreeMap<String, String>;

/// What a `StructureDefinition` says as a whole.
fn facts(definition: &Value) -> Facts {
    let named = [
        ("starts from", "baseDefinition"),
        ("type", "type"),
        ("kind", "kind"),
        ("abstract", "abstract"),
        ("derivation", "derivation"),
        ("contextInvariant", "contextInvariant"),
    ];
    let mut facts: Facts = named
        .into_iter()
        .filter_map(|(fact, key)| Some((fact.to_owned(), element::plain(definition.get(key)?))))
        .collect();
    let contexts = definition["context"].as_array().into_iter().flatten();
    let mut contexts: Vec<String> = contexts
        .map(|context| format!("{} {}", element::plain(&context["type"]), element::plain(&context["expression"])))
        .collect();
    contexts.sort();
    if !contexts.is_empty() {
        facts.insert("context".to_owned(), contexts.join(", "));
    }
    facts
}

/// What is not said the same by both.
fn differing(before: &Facts, after: &Facts) -> Vec<Change> {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let change = |fact: &String| {
        let (before, after) = (before.get(fact).cloned(), after.get(fact).cloned());
        (before != after).then(|| Change { fact: fact.clone(), before, after })
    };
    names.into_iter().filter_map(change).collect()
}
