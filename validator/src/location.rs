//! Where the walk is: a linked list on the stack, turned into text only when an issue needs it.
//!
//! The text is the simple [FHIRPath](https://hl7.org/fhir/R4/fhirpath.html) of `OperationOutcome.issue.expression`.

use std::fmt;

/// One step of the way from the root.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Segment<'l> {
    /// The type of the resource at the root.
    Root(&'l str),
    /// An element.
    Child(&'l str),
    /// An element with a choice of types, and the type it has here.
    Typed(&'l str, &'l str),
    /// A place in a repeating element.
    Item(usize),
}

/// A place in a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Location<'l> {
    pub(crate) parent: Option<&'l Location<'l>>,
    pub(crate) segment: Segment<'l>,
}

impl<'l> Location<'l> {
    pub(crate) fn root(resource_type: &'l str) -> Self {
        Self { parent: None, segment: Segment::Root(resource_type) }
    }

    pub(crate) fn step(&'l self, segment: Segment<'l>) -> Self {
        Self { parent: Some(self), segment }
    }
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.segment {
            Segment::Root(name) => f.write_str(name),
            Segment::Child(name) => write!(f, ".{name}"),
            Segment::Typed(name, type_name) => write!(f, ".{name}.ofType({type_name})"),
            Segment::Item(index) => write!(f, "[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_reads_as_fhirpath() {
        let root = Location::root("Patient");
        let name = root.step(Segment::Child("extension"));
        let item = name.step(Segment::Item(1));
        let value = item.step(Segment::Typed("value", "Quantity"));
        assert_eq!(value.to_string(), "Patient.extension[1].value.ofType(Quantity)");
    }
}
