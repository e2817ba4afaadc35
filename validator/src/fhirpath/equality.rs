//! Equality and equivalence of items and of collections ([equality](http://hl7.org/fhirpath/N1/#equality)).

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::Collection;
use super::error::EvaluationError;
use super::item::{Inner, Item, decimal};
use crate::json::{Kind, Value};

/// Whether two items are equal; `None` when that cannot be told.
pub(super) fn equal(left: &Item<'_>, right: &Item<'_>) -> Option<bool> {
    match (left.system(), right.system()) {
        (Some(left), Some(right)) => values_equal(&left, &right),
        (None, None) => Some(elements_equal(left, right)),
        _ => Some(false),
    }
}

fn values_equal(left: &Inner<'_>, right: &Inner<'_>) -> Option<bool> {
    match (left, right) {
        (Inner::Boolean(left), Inner::Boolean(right)) => Some(left == right),
        (Inner::String(left), Inner::String(right)) => Some(left == right),
        (Inner::TypeInfo(a, b), Inner::TypeInfo(c, d)) => Some(a == c && b == d),
        (Inner::Temporal(left), Inner::Temporal(right)) => {
            if (left.shape == super::temporal::Shape::Time) != (right.shape == super::temporal::Shape::Time) {
                return Some(false);
            }
            left.compare(right).map(|order| order == Ordering::Equal)
        }
        (Inner::Quantity(left), Inner::Quantity(right)) => {
            if left.is_comparable(right) {
                left.compare(right).map(|order| order == Ordering::Equal)
            } else {
                None
            }
        }
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => Some(left == right),
            _ => match (quantity(left), quantity(right)) {
                (Some(left), Some(right)) => values_equal(&Inner::Quantity(left), &Inner::Quantity(right)),
                _ => Some(false),
            },
        },
    }
}

/// A number as a quantity, where the other side is one.
fn quantity(of: &Inner<'_>) -> Option<super::quantity::Quantity> {
    match of {
        Inner::Quantity(quantity) => Some(quantity.clone()),
        other => number(other).map(super::quantity::Quantity::of),
    }
}

pub(super) fn number(of: &Inner<'_>) -> Option<Decimal> {
    match of {
        Inner::Integer(value) => Some((*value).into()),
        Inner::Decimal(value) => Some(*value),
        _ => None,
    }
}

/// Objects, by what they hold; ids count.
fn elements_equal(left: &Item<'_>, right: &Item<'_>) -> bool {
    let (Some(left), Some(right)) = (left.as_element(), right.as_element()) else { return false };
    let same = |left: Option<Value<'_>>, right: Option<Value<'_>>| match (left, right) {
        (Some(left), Some(right)) => json_equal(left, right),
        (None, None) => true,
        _ => false,
    };
    same(left.value, right.value) && same(left.sibling, right.sibling)
}

/// Members in any order; numbers by their value.
fn json_equal(left: Value<'_>, right: Value<'_>) -> bool {
    if left.kind() != right.kind() || left.len() != right.len() {
        return false;
    }
    match left.kind() {
        Kind::Object => left.children().all(|member| {
            let other = member.key().and_then(|key| right.get(&key));
            other.is_some_and(|other| json_equal(member, other))
        }),
        Kind::Array => left.children().zip(right.children()).all(|(left, right)| json_equal(left, right)),
        Kind::Number => match (left.as_number().and_then(decimal), right.as_number().and_then(decimal)) {
            (Some(left), Some(right)) => left == right,
            _ => left.raw() == right.raw(),
        },
        Kind::String => left.as_str() == right.as_str(),
        Kind::Bool | Kind::Null => left.raw() == right.raw(),
    }
}

/// Whether two items are as good as equal.
pub(super) fn equivalent(left: &Item<'_>, right: &Item<'_>) -> bool {
    match (left.system(), right.system()) {
        (Some(left), Some(right)) => match (&left, &right) {
            (Inner::String(left), Inner::String(right)) => normal(left) == normal(right),
            (Inner::Temporal(left), Inner::Temporal(right)) => {
                (left.precision == right.precision) && left.compare(right) == Some(Ordering::Equal)
            }
            (Inner::Quantity(left), Inner::Quantity(right)) => left.is_equivalent(right),
            _ => match (number(&left), number(&right)) {
                (Some(left), Some(right)) => {
                    let least = left.normalize().scale().min(right.normalize().scale());
                    left.round_dp(least) == right.round_dp(least)
                }
                _ => values_equal(&left, &right) == Some(true),
            },
        },
        (None, None) => elements_equal(left, right),
        _ => false,
    }
}

/// Without regard to case and to how words are kept apart.
fn normal(text: &str) -> String {
    text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// Whether two collections are equal item by item; `None` when one is empty or that cannot be told.
pub(super) fn collections_equal(left: &[Item<'_>], right: &[Item<'_>]) -> Option<bool> {
    if left.is_empty() || right.is_empty() {
        return None;
    }
    if left.len() != right.len() {
        return Some(false);
    }
    let mut unknown = false;
    for (left, right) in left.iter().zip(right) {
        match equal(left, right) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => unknown = true,
        }
    }
    (!unknown).then_some(true)
}

/// Whether two collections hold equivalent items, in any order.
pub(super) fn collections_equivalent(left: &[Item<'_>], right: &[Item<'_>]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut rest: Vec<&Item<'_>> = right.iter().collect();
    left.iter().all(|item| {
        let found = rest.iter().position(|other| equivalent(item, other));
        found.map(|at| rest.swap_remove(at)).is_some()
    })
}

/// Whether an item is in a collection.
pub(super) fn is_in(items: &[Item<'_>], wanted: &Item<'_>) -> bool {
    items.iter().any(|item| equal(item, wanted) == Some(true))
}

/// Each item once; `cost` is told how many comparisons were made.
pub(super) fn distinct<'d>(
    items: Collection<'d>,
    mut cost: impl FnMut(u64) -> Result<(), EvaluationError>,
) -> Result<Collection<'d>, EvaluationError> {
    let mut kept: Collection<'d> = Vec::new();
    for item in items {
        cost(kept.len() as u64)?;
        if !is_in(&kept, &item) {
            kept.push(item);
        }
    }
    Ok(kept)
}
