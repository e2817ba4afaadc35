//! [Cardinality](https://hl7.org/fhir/R4/conformance-rules.html#cardinality): elements that must be there, and how
//! many of an element there may be.

use super::{Finding, Rule};
use crate::definition::Max;
use crate::issue::IssueCode;
use crate::node::Element;

/// A required element that is not there.
pub(crate) fn missing(node: &str, element: &Element) -> Finding {
    let name = if element.is_choice { format!("{}[x]", element.name) } else { element.name.to_string() };
    let message = format!("{node} must have '{name}' (at least {}, found 0).", element.min);
    Finding::error(Rule::Cardinality, IssueCode::Structure, message)
}

/// Checks the number of items in an array.
pub(crate) fn count(element: &Element, found: usize) -> Option<Finding> {
    let name = &element.name;
    if found < element.min as usize {
        let message = format!("'{name}' must appear at least {} times, found {found}.", element.min);
        return Some(Finding::error(Rule::Cardinality, IssueCode::Structure, message));
    }
    match element.max {
        Max::Count(most) if found > most as usize => {
            let message = format!("'{name}' may appear at most {most} times, found {found}.");
            Some(Finding::error(Rule::Cardinality, IssueCode::Structure, message))
        }
        _ => None,
    }
}

/// An element that does not repeat, written as an array.
pub(crate) fn unexpected_array(element: &Element) -> Finding {
    let message = format!("'{}' does not repeat: expected a single value, found an array.", element.name);
    Finding::error(Rule::Cardinality, IssueCode::Invalid, message)
}

/// An element that repeats, written without its array.
pub(crate) fn missing_array(element: &Element) -> Finding {
    let message = format!("'{}' may repeat: expected an array, even for one value.", element.name);
    Finding::error(Rule::Cardinality, IssueCode::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(min: u32, max: Max) -> Element {
        Element {
            name: "name".into(),
            slot: 0,
            min,
            max,
            is_choice: false,
            types: Box::default(),
            binding: None,
            invariants: Box::default(),
        }
    }

    #[test]
    fn an_array_is_counted_against_both_ends() {
        let some = element(2, Max::Count(3));
        assert_eq!(count(&some, 1).map(|found| found.code), Some(IssueCode::Structure));
        assert_eq!(count(&some, 2), None);
        assert_eq!(count(&some, 3), None);
        assert_eq!(count(&some, 4).map(|found| found.code), Some(IssueCode::Structure));
        assert_eq!(count(&element(0, Max::Many), 10_000), None);
    }
}
