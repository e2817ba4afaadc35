//! [Existence](http://hl7.org/fhirpath/N1/#existence).

use super::{Call, Function, boolean, maybe, whole};
use crate::fhirpath::equality::{equal, is_in};
use crate::fhirpath::error::EvaluationError;
use crate::fhirpath::evaluate::Outcome;
use crate::fhirpath::item::{Inner, Item};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("empty", |call| boolean(call.input.is_empty())),
    Function::new("exists", exists),
    Function::new("all", all),
    Function::new("not", not),
    Function::new("count", |call| whole(call.input.len())),
    Function::new("allTrue", |call| every(call, true, true)),
    Function::new("anyTrue", |call| every(call, true, false)),
    Function::new("allFalse", |call| every(call, false, true)),
    Function::new("anyFalse", |call| every(call, false, false)),
    Function::new("subsetOf", |call| call.argument(0).and_then(|other| subset(call, &call.input, &other))),
    Function::new("supersetOf", |call| call.argument(0).and_then(|other| subset(call, &other, &call.input))),
    Function::new("distinct", |call| call.evaluator.distinct(call.input.clone(), call.at)),
    Function::new("isDistinct", is_distinct),
    Function::new("hasValue", |call| boolean(value(call).is_some())),
    Function::new("getValue", |call| maybe(value(call))),
];

fn exists<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(0, 1)?;
    let Some(criterion) = call.arguments.first() else { return boolean(!call.input.is_empty()) };
    for (index, item) in call.input.iter().enumerate() {
        if call.holds(criterion, item, index)? {
            return boolean(true);
        }
    }
    boolean(false)
}

fn all<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 1)?;
    for (index, item) in call.input.iter().enumerate() {
        if !call.holds(&call.arguments[0], item, index)? {
            return boolean(false);
        }
    }
    boolean(true)
}

fn not<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    let truth = crate::fhirpath::operators::truth(&call.input, call.at)?;
    maybe(truth.map(|truth| Inner::Boolean(!truth)))
}

/// Whether all, or any, are as wanted.
fn every<'d>(call: &Call<'_, '_, 'd>, wanted: bool, all: bool) -> Outcome<'d> {
    let mut found = all;
    for item in &call.input {
        let Some(value) = item.as_bool() else {
            return call.fail(format!("'{}' takes booleans, and here is a {}", call.name, item.type_name()));
        };
        if all { found &= value == wanted } else { found |= value == wanted }
    }
    boolean(found)
}

fn subset<'d>(
    call: &Call<'_, '_, 'd>,
    small: &[Item<'d>],
    large: &[Item<'d>],
) -> Result<Vec<Item<'d>>, EvaluationError> {
    call.takes(1, 1)?;
    boolean(small.iter().all(|item| is_in(large, item)))
}

fn is_distinct<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    let count = call.input.len();
    let texts: Option<Vec<_>> = call.input.iter().map(Item::as_text).collect();
    if let Some(mut texts) = texts {
        texts.sort_unstable();
        return boolean(texts.windows(2).all(|pair| pair[0] != pair[1]));
    }
    boolean(call.evaluator.distinct(call.input.clone(), call.at)?.len() == count || pairs_differ(&call.input))
}

/// Two of which it cannot be told are not the same.
fn pairs_differ(items: &[Item<'_>]) -> bool {
    items.iter().enumerate().all(|(at, item)| items[at + 1..].iter().all(|other| equal(item, other) != Some(true)))
}

/// The value of a primitive, without its extensions.
fn value<'d>(call: &Call<'_, '_, 'd>) -> Option<Inner<'d>> {
    let [item] = &call.input[..] else { return None };
    match item.as_element() {
        Some(element) if element.of.primitive.is_none() => None,
        _ => item.system(),
    }
}
