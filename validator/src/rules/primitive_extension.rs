//! `_name` beside `name`: ids and extensions of [primitive elements](https://hl7.org/fhir/R4/json.html#primitive),
//! in arrays of the same length padded with null.

use super::{Finding, Rule};
use crate::issue::IssueCode;
use crate::json::{Kind, Value};

/// Checks that the array under `_name` matches the one under `name`, where there is one.
pub(crate) fn lengths(name: &str, sibling: Value<'_>, value: Option<Value<'_>>) -> Option<Finding> {
    let value = value.filter(|value| value.kind() == Kind::Array)?;
    let message = format!(
        "'{name}' and '_{name}' must have the same number of items: found {} and {}; pad with null.",
        value.len(),
        sibling.len()
    );
    (value.len() != sibling.len()).then(|| Finding::error(Rule::PrimitiveExtension, IssueCode::Invalid, message))
}

/// For each item of an array and on without end: whether the partner array holds something in its place.
pub(crate) fn filled(partner: Option<Value<'_>>) -> impl Iterator<Item = bool> {
    let items = partner.into_iter().flat_map(Value::items);
    items.map(|item| item.kind() != Kind::Null).chain(std::iter::repeat(false))
}
