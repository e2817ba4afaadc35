//! The arena that definitions are compiled into. Nodes and elements name each other by integer, so a type that
//! contains itself, or a [contentReference](https://hl7.org/fhir/R4/elementdefinition.html), is only an edge.

use rustc_hash::FxHashMap;

use crate::definition::{Max, Strength};
use crate::rules::format::Primitive;
use crate::rules::invariant::Compiled;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) struct $name(u32);

        impl $name {
            pub(crate) fn new(index: usize) -> Self {
                // Arenas are filled from packs, which are limited to far fewer bytes than this.
                Self(u32::try_from(index).unwrap_or(u32::MAX))
            }

            pub(crate) fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

id! {
    /// A [`Node`].
    NodeId
    /// An [`Element`].
    ElementId
    /// The canonical of a `StructureDefinition`.
    DefinitionId
    /// A compiled `ValueSet`.
    ValueSetId
}

/// What may stand in an object: a resource, a complex type, a backbone element, or the `_name` of a primitive.
#[derive(Debug)]
pub(crate) struct Node {
    /// The type or path, for messages.
    pub(crate) name: Box<str>,
    pub(crate) definition: DefinitionId,
    /// Choice types are expanded: `valueQuantity`, `_valueString`.
    pub(crate) properties: FxHashMap<Box<str>, Property>,
    /// The slot of each element by its name without `[x]`.
    pub(crate) slots: FxHashMap<Box<str>, u8>,
    /// Elements that must be present.
    pub(crate) required: Box<[ElementId]>,
    pub(crate) is_resource: bool,
    pub(crate) invariants: Box<[Compiled]>,
    /// Slots of `extension` and `value[x]` where invariant ext-1 holds.
    pub(crate) ext_1: Option<(u8, u8)>,
}

impl Node {
    /// Whether this may have modifier extensions, as backbone elements may.
    pub(crate) fn is_backbone(&self) -> bool {
        self.slots.contains_key("modifierExtension")
    }
}

/// What a key means in its node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Property {
    pub(crate) element: ElementId,
    /// Bit of the element in the walk's record of what was seen.
    pub(crate) slot: u8,
    /// Index into [`Element::types`].
    pub(crate) choice: u8,
    pub(crate) role: Role,
}

/// The two places where JSON keeps one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Under the element's own name.
    Value,
    /// Under `_name`: id and extensions of a primitive.
    Sibling,
}

#[derive(Debug)]
pub(crate) struct Element {
    /// Without `[x]`.
    pub(crate) name: Box<str>,
    pub(crate) slot: u8,
    pub(crate) min: u32,
    pub(crate) max: Max,
    pub(crate) is_choice: bool,
    pub(crate) types: Box<[Type]>,
    pub(crate) binding: Option<(Strength, ValueSetId)>,
    /// Of the element itself; those of its type are the type's.
    pub(crate) invariants: Box<[Compiled]>,
}

impl Element {
    /// Whether JSON writes this element as an array.
    pub(crate) fn repeats(&self) -> bool {
        self.max != Max::Count(1)
    }
}

/// One type that an element may have.
#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) name: Box<str>,
    pub(crate) content: Content,
    pub(crate) special: Special,
    /// Profiles of which a value must meet one; empty for the plain type.
    pub(crate) profiles: Box<[Box<str>]>,
    /// Resource types that a reference may point to; empty for any.
    pub(crate) targets: Box<[Box<str>]>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Content {
    Object(NodeId),
    /// With the node of its `_name`; an XML attribute has none.
    Primitive(Primitive, Option<NodeId>),
    /// Any resource, which says itself what it is.
    Resource,
}

/// Types that a rule reads as a whole after their elements were checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    None,
    Coding,
    CodeableConcept,
    Quantity,
    Identifier,
    Reference,
}

impl Special {
    /// The types that [terminologies](https://hl7.org/fhir/R4/terminologies.html), identifiers and
    /// [references](https://hl7.org/fhir/R4/references.html) give a meaning of their own.
    pub(crate) fn of(type_name: &str) -> Self {
        match type_name {
            "Coding" => Self::Coding,
            "CodeableConcept" => Self::CodeableConcept,
            "Quantity" => Self::Quantity,
            "Identifier" => Self::Identifier,
            "Reference" => Self::Reference,
            _ => Self::None,
        }
    }
}
