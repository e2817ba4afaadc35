//! Nothing is empty: an element has a value or children (ele-1 of
//! [Element](https://hl7.org/fhir/R4/element.html)), an array has items, and null stands for nothing of its own.

use super::{Finding, Rule};
use crate::issue::IssueCode;
use crate::json::{Kind, Value};
use crate::node::{Content, Element, Type};

/// An object or array with nothing in it.
pub(crate) fn empty(value: Value<'_>) -> Option<Finding> {
    if !value.is_empty() {
        return None;
    }
    let what = if value.kind() == crate::json::Kind::Array { "array" } else { "object" };
    let message = format!("An empty {what} is not allowed; leave the property out instead.");
    Some(Finding::error(Rule::Content, IssueCode::Invalid, message))
}

/// ele-1, for an object known not to be empty: more than an id.
pub(crate) fn only_id(object: Value<'_>) -> Option<Finding> {
    let only_id = object.len() == 1 && object.get("id").is_some();
    let message = "An element must have a value or children; this one has only an id (ele-1).";
    only_id.then(|| Finding::error(Rule::Content, IssueCode::Invariant, message))
}

/// Whether a member of an object holds a value of the shape that its element has, whatever it is worth; what does not
/// leaves the element missing.
pub(crate) fn is_there(member: Value<'_>, element: &Element, element_type: &Type) -> bool {
    let is_one = |value: Value<'_>| match (element_type.content, value.kind()) {
        (_, Kind::Null | Kind::Array) => false,
        (Content::Primitive(..), kind) => kind != Kind::Object,
        (_, kind) => kind == Kind::Object,
    };
    match (member.kind(), element.repeats()) {
        (Kind::Array, true) => member.children().any(is_one),
        (Kind::Array, false) => false,
        _ => is_one(member),
    }
}

/// An id that another element of the resource has already: see [Element.id](https://hl7.org/fhir/R4/element.html#id).
pub(crate) fn second_id() -> Finding {
    let message = "Another element of this resource has the same id.";
    Finding::error(Rule::Content, IssueCode::BusinessRule, message)
}

/// A null with nothing beside it to stand for.
pub(crate) fn null() -> Finding {
    let message = "null is allowed only in the array of a primitive, to hold the place of a value that is in its \
                   '_' property or the other way round; leave the property out instead.";
    Finding::error(Rule::Content, IssueCode::Invalid, message)
}
