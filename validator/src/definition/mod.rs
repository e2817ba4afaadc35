//! The parts of [StructureDefinition](https://hl7.org/fhir/R4/structuredefinition.html) and
//! [ElementDefinition](https://hl7.org/fhir/R4/elementdefinition.html) that say something about validity, as a pack, a
//! package or a single resource holds them.

mod constant;
mod element;
mod store;

use std::collections::BTreeSet;

use crate::json::Value;
use crate::pack::PackError;

pub(crate) use constant::{Constant, compact};
pub(crate) use element::{
    Aggregation, Binding, Discriminator, DiscriminatorKind, ElementDefinition, ElementType, Invariant, Max, Slicing,
    SlicingRules, Strength, Typed, Versioning,
};
pub(crate) use store::{Definitions, split};

/// What a definition introduces or constrains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Primitive,
    Complex,
    Resource,
    Logical,
}

impl Kind {
    /// The code FHIR gives it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Primitive => "primitive-type",
            Self::Complex => "complex-type",
            Self::Resource => "resource",
            Self::Logical => "logical",
        }
    }
}

/// Whether a definition introduces a type or narrows one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derivation {
    Specialization,
    Constraint,
}

/// Where an extension may be used: [context](https://hl7.org/fhir/R4/defining-extensions.html#context).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Context {
    /// The id of an element, or the name of a type.
    Element(String),
    /// The url of another extension.
    Extension(String),
    /// A `FHIRPath` expression that selects the elements.
    FhirPath(String),
}

/// A type, a profile or the definition of an extension.
#[derive(Debug, Clone)]
pub(crate) struct StructureDefinition {
    pub(crate) url: String,
    pub(crate) version: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) derivation: Derivation,
    pub(crate) is_abstract: bool,
    pub(crate) type_name: String,
    /// Canonical of the definition this one starts from.
    pub(crate) base: Option<String>,
    pub(crate) contexts: Vec<Context>,
    /// `FHIRPath` that must hold where the extension is used.
    pub(crate) context_invariants: Vec<String>,
    /// The root element, then those this definition introduces or changes.
    pub(crate) elements: Vec<ElementDefinition>,
    /// A profile published without a differential: all its elements.
    pub(crate) snapshot: Option<Vec<ElementDefinition>>,
}

impl StructureDefinition {
    pub(crate) fn read(definition: Value<'_>) -> Result<Self, PackError> {
        let url = text(definition, "url").unwrap_or_default();
        let need = |key| text(definition, key).ok_or(PackError::Incomplete { definition: url.clone(), what: key });
        let kind = match need("kind")?.as_str() {
            "primitive-type" => Kind::Primitive,
            "resource" => Kind::Resource,
            "logical" => Kind::Logical,
            _ => Kind::Complex,
        };
        let derivation = derivation(definition);
        let own: Vec<_> = own_elements(definition).into_iter().filter_map(ElementDefinition::read).collect();
        let published = definition.at(&["snapshot", "element"]).filter(|_| own.is_empty());
        let snapshot = published.map(|list| list.items().filter_map(ElementDefinition::read).collect());
        Ok(Self {
            kind,
            derivation,
            version: text(definition, "version"),
            is_abstract: definition.get("abstract").and_then(Value::as_bool) == Some(true),
            type_name: need("type")?,
            base: text(definition, "baseDefinition"),
            contexts: items_of(definition, "context", context).collect(),
            context_invariants: strings(definition, "contextInvariant").collect(),
            elements: own,
            snapshot,
            url,
        })
    }

    /// Whether this introduces a type that can stand in a resource.
    pub(crate) fn is_type(&self) -> bool {
        self.derivation == Derivation::Specialization && self.kind != Kind::Logical
    }
}

/// Whether a definition narrows another or introduces something. One that starts from the type it is about narrows it,
/// whatever it says itself.
pub(crate) fn derivation(definition: Value<'_>) -> Derivation {
    let (base, type_name) = (definition.str_at(&["baseDefinition"]), definition.str_at(&["type"]));
    let is_of_base = base.zip(type_name).is_some_and(|(base, name)| base.rsplit('/').next() == Some(&*name));
    let says_so = definition.str_at(&["derivation"]).as_deref() == Some("constraint");
    if says_so || is_of_base { Derivation::Constraint } else { Derivation::Specialization }
}

/// The elements that a definition introduces or changes: those of a pack, else the differential; where a type has
/// neither, what its snapshot does not inherit.
pub(crate) fn own_elements(definition: Value<'_>) -> Vec<Value<'_>> {
    let listed = |path: &[&str]| definition.at(path).into_iter().flat_map(Value::items).collect::<Vec<_>>();
    let given = definition.get("element").or_else(|| definition.at(&["differential", "element"]));
    if let Some(given) = given {
        return given.items().collect();
    }
    if derivation(definition) == Derivation::Constraint {
        return Vec::new();
    }
    let all = listed(&["snapshot", "element"]);
    let names: BTreeSet<_> = all.iter().filter_map(|element| element.str_at(&["path"])).collect();
    let own = |element: &Value<'_>| {
        let base = element.str_at(&["base", "path"]);
        base.is_none_or(|base| names.contains(&base))
    };
    all.into_iter().filter(own).collect()
}

fn context(context: Value<'_>) -> Option<Context> {
    let expression = text(context, "expression")?;
    Some(match context.str_at(&["type"]).as_deref() {
        Some("extension") => Context::Extension(expression),
        Some("fhirpath") => Context::FhirPath(expression),
        _ => Context::Element(expression),
    })
}

fn text(object: Value<'_>, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(std::borrow::Cow::into_owned)
}

fn strings(object: Value<'_>, key: &str) -> impl Iterator<Item = String> {
    items_of(object, key, |item| item.as_str().map(std::borrow::Cow::into_owned))
}

/// What `read` makes of each item of the array under `key`.
fn items_of<'v, T>(object: Value<'v>, key: &str, read: impl Fn(Value<'v>) -> Option<T>) -> impl Iterator<Item = T> {
    object.get(key).into_iter().flat_map(Value::items).filter_map(read)
}
