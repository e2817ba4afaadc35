//! What a profile demands beyond the types it constrains: a sparse tree that the walk lays over the arena of types. Only
//! elements of which the profile says more than their type are in it. See
//! [profiling](https://hl7.org/fhir/R4/profiling.html).

mod compile;
mod discriminator;
mod test;
pub(crate) mod vital_signs;

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::definition::{Aggregation, Binding, Constant, Context, Definitions, Max, SlicingRules, Typed, Versioning};
use crate::node::ValueSetId;
use crate::rules::invariant::Compiled;
use crate::snapshot::Snapshots;

pub(crate) use test::{Step, Test, TestKind};

/// A compiled profile, or the definition of an extension.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) id: ProfileId,
    pub(crate) canonical: Box<str>,
    pub(crate) type_name: Box<str>,
    /// A type itself, which demands nothing that the arena does not know.
    pub(crate) is_type: bool,
    pub(crate) is_modifier: bool,
    pub(crate) contexts: Box<[Context]>,
    pub(crate) context_invariants: Box<[Box<str>]>,
    pub(crate) root: Demand,
}

/// Index of a definition, and so of its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct ProfileId(pub(crate) u32);

/// What is demanded of one element.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    /// The id of the element, for messages: `Patient.identifier:nhs`.
    pub(crate) label: Box<str>,
    pub(crate) profile: ProfileId,
    pub(crate) min: u32,
    pub(crate) max: Option<Max>,
    /// Names of the types that are left of those the type allows.
    pub(crate) types: Option<Box<[Box<str>]>>,
    pub(crate) type_profiles: Box<[TypeProfiles]>,
    pub(crate) reference: Option<ReferenceDemand>,
    pub(crate) fixed: Option<Constant>,
    pub(crate) pattern: Option<Constant>,
    pub(crate) min_value: Option<Typed>,
    pub(crate) max_value: Option<Typed>,
    pub(crate) max_length: Option<u32>,
    /// The id is missing where the value set is not loaded.
    pub(crate) binding: Option<(Binding, Option<ValueSetId>)>,
    pub(crate) invariants: Box<[Compiled]>,
    pub(crate) children: Option<Box<Shape>>,
    pub(crate) slicing: Option<Box<Slicing>>,
}

/// For a type, the profiles of which a value must meet one.
#[derive(Debug)]
pub(crate) struct TypeProfiles {
    pub(crate) code: Box<str>,
    /// Canonicals.
    pub(crate) profiles: Box<[Box<str>]>,
}

/// Where a reference may lead.
#[derive(Debug, Default)]
pub(crate) struct ReferenceDemand {
    /// Canonicals of types and profiles; empty for any.
    pub(crate) targets: Box<[Box<str>]>,
    /// The types of the targets; empty for any.
    pub(crate) types: Box<[Box<str>]>,
    pub(crate) aggregation: Box<[Aggregation]>,
    pub(crate) versioning: Option<Versioning>,
}

/// Demands on the elements of an object, by name without `[x]`.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub(crate) demands: FxHashMap<Box<str>, Demand>,
    /// Names of those that must be there, by themselves or in a slice.
    pub(crate) required: Box<[Box<str>]>,
}

/// How the items of an element are told apart.
#[derive(Debug)]
pub(crate) struct Slicing {
    pub(crate) rules: SlicingRules,
    pub(crate) ordered: bool,
    pub(crate) slices: Box<[Slice]>,
    /// Slices of extensions by their url: the position among `slices`.
    pub(crate) by_url: Option<FxHashMap<Box<str>, u16>>,
    /// The name of a slice `@default` is that of what fits no other.
    pub(crate) default: Option<u16>,
}

#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) name: Box<str>,
    pub(crate) min: u32,
    pub(crate) max: Option<Max>,
    /// All must hold for an item of the slice; `None` where the profile does not say how to tell.
    pub(crate) tests: Option<Box<[Test]>>,
    pub(crate) demand: Demand,
}

impl Demand {
    /// Whether this says nothing.
    fn is_empty(&self) -> bool {
        self.min == 0
            && self.max.is_none()
            && self.types.is_none()
            && self.type_profiles.is_empty()
            && self.reference.is_none()
            && self.fixed.is_none()
            && self.pattern.is_none()
            && self.min_value.is_none()
            && self.max_value.is_none()
            && self.max_length.is_none()
            && self.binding.is_none()
            && self.invariants.is_empty()
            && self.children.is_none()
            && self.slicing.is_none()
    }
}

/// What profiles are compiled from.
#[derive(Clone, Copy)]
pub(crate) struct Source<'p> {
    pub(crate) definitions: &'p Definitions,
    pub(crate) snapshots: &'p Snapshots,
    pub(crate) value_sets: &'p FxHashMap<String, ValueSetId>,
}

/// Profiles by index of their definition, each compiled when it is first asked for.
#[derive(Debug)]
pub(crate) struct Profiles {
    cells: Vec<OnceLock<Option<Box<Profile>>>>,
}

impl Profiles {
    pub(crate) fn new(definitions: usize) -> Self {
        Self { cells: std::iter::repeat_with(OnceLock::new).take(definitions).collect() }
    }

    /// The profile that a canonical names; nothing where it is not loaded, or has no snapshot.
    pub(crate) fn get<'p>(&'p self, source: Source<'p>, canonical: &str) -> Option<&'p Profile> {
        let index = source.definitions.find(canonical)?;
        let compiled = || compile::profile(source, index).map(Box::new);
        self.cells[index].get_or_init(compiled).as_deref()
    }

    /// The profile of this id, once compiled.
    pub(crate) fn at(&self, id: ProfileId) -> Option<&Profile> {
        self.cells.get(id.0 as usize)?.get()?.as_deref()
    }
}
