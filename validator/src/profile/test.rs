//! A test that tells whether an item belongs to a slice: where to look, and what must be there. See
//! [discriminators](https://hl7.org/fhir/R4/profiling.html#discriminator).

use crate::definition::Constant;
use crate::node::ValueSetId;

/// One discriminator, for one slice.
#[derive(Debug)]
pub(crate) struct Test {
    /// The way from the item; empty for the item itself.
    pub(crate) path: Box<[Step]>,
    pub(crate) kind: TestKind,
}

/// A step of the restricted `FHIRPath` of discriminators.
#[derive(Debug)]
pub(crate) enum Step {
    /// An element, under any of these keys: a choice has one for each type.
    Keys(Box<[Key]>),
    /// `extension('url')`
    Extension(Box<str>),
    /// `resolve()`
    Resolve,
}

/// A JSON key, and the type of what stands under it where it is one of a choice.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: Box<str>,
    pub(crate) type_name: Option<Box<str>>,
}

/// What must be at the end of the way.
#[derive(Debug)]
pub(crate) enum TestKind {
    /// A value equal to this.
    Fixed(Constant),
    /// A value that contains this.
    Pattern(Constant),
    /// Any of the values that the profile fixes below: a way from there to each.
    All(Box<[Test]>),
    /// A code of this value set.
    Bound(Option<ValueSetId>),
    Exists(bool),
    /// A value of one of these types.
    Type(Box<[Box<str>]>),
    /// A value that meets one of these profiles.
    Profile(Box<[Box<str>]>),
}
