//! [Choice of data types](https://hl7.org/fhir/R4/formats.html#choice): of `valueString`, `valueQuantity` and the
//! rest, one.

use super::{Finding, Rule};
use crate::issue::IssueCode;
use crate::node::Element;

/// A second type of the same choice.
pub(crate) fn second_type(element: &Element, first: usize, second: usize) -> Finding {
    let name = |choice: usize| element.types.get(choice).map_or("", |found| &found.name);
    let message =
        format!("'{}[x]' may have one type only: found {} after {}.", element.name, name(second), name(first));
    Finding::error(Rule::Choice, IssueCode::Structure, message)
}
