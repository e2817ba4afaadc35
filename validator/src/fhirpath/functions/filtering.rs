//! [Filtering and projection](http://hl7.org/fhirpath/N1/#filtering-and-projection), `aggregate`, `iif`, `sort`, and
//! what navigates a whole tree.

use std::cmp::Ordering;

use super::{Call, Function};
use crate::fhirpath::Collection;
use crate::fhirpath::ast::{Expr, Kind};
use crate::fhirpath::evaluate::{Outcome, Scope};
use crate::fhirpath::item::{Inner, Item};
use crate::fhirpath::operators::{self, single};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("where", filter),
    Function::new("select", select),
    Function::new("repeat", repeat),
    Function::new("aggregate", aggregate),
    Function::new("iif", iif),
    Function::new("sort", sort),
    Function::new("children", children),
    Function::new("descendants", descendants),
    Function::new("coalesce", coalesce),
];

fn filter<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 1)?;
    let mut kept = Vec::new();
    for (index, item) in call.input.iter().enumerate() {
        if call.holds(&call.arguments[0], item, index)? {
            kept.push(item.clone());
        }
    }
    Ok(kept)
}

fn select<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 1)?;
    let mut found = Vec::new();
    for (index, item) in call.input.iter().enumerate() {
        found.extend(call.for_each(&call.arguments[0], item, index)?);
        limit(call, &found)?;
    }
    Ok(found)
}

fn limit(call: &Call<'_, '_, '_>, found: &[Item<'_>]) -> Result<(), crate::fhirpath::EvaluationError> {
    if found.len() > call.evaluator.context.limits.items {
        return call.fail("the collection has too many items");
    }
    Ok(())
}

/// As `select`, again and again on what is new.
fn repeat<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 1)?;
    let mut found: Collection<'d> = Vec::new();
    let mut fresh = call.input.clone();
    while !fresh.is_empty() {
        let mut next = Vec::new();
        for (index, item) in fresh.iter().enumerate() {
            next.extend(call.for_each(&call.arguments[0], item, index)?);
        }
        let before = found.len();
        found = call.evaluator.distinct_places(found.into_iter().chain(next).collect(), call.at)?;
        limit(call, &found)?;
        fresh = found[before..].to_vec();
    }
    Ok(found)
}

fn aggregate<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 2)?;
    let mut total = call.argument(1)?;
    for (index, item) in call.input.iter().enumerate() {
        let one = std::slice::from_ref(item);
        let scope = Scope { total: Some(&total), ..call.scope.each(one, index) };
        total = call.evaluator.eval(&call.arguments[0], &scope)?;
    }
    Ok(total)
}

/// Only the branch that is taken is evaluated.
fn iif<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(2, 3)?;
    let on = if call.input.len() > 1 {
        return call.fail("'iif' is asked of one item at the most");
    } else {
        &call.input
    };
    let scope = Scope { focus: on, this: on, depth: call.scope.depth + 1, ..*call.scope };
    let criterion = call.evaluator.eval(&call.arguments[0], &scope)?;
    let truth = match single(&criterion, call.at)? {
        None => false,
        Some(item) => match item.as_bool() {
            Some(truth) => truth,
            None => return call.fail("the criterion of 'iif' is a boolean"),
        },
    };
    match (truth, call.arguments.get(2)) {
        (true, _) => call.evaluator.eval(&call.arguments[1], &scope),
        (false, Some(otherwise)) => call.evaluator.eval(otherwise, &scope),
        (false, None) => Ok(Vec::new()),
    }
}

/// By the keys of the arguments; one with a `-` before it in descending order.
fn sort<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    let keys: Vec<(&Expr, bool)> = call.arguments.iter().map(descending).collect();
    let mut rows = Vec::new();
    for (index, item) in call.input.iter().enumerate() {
        let mut row = Vec::new();
        for (key, _) in &keys {
            let found = call.for_each(key, item, index)?;
            row.push(single(&found, call.at)?.cloned());
        }
        if keys.is_empty() {
            row.push(Some(item.clone()));
        }
        rows.push((row, item.clone()));
    }
    let mut fault = None;
    rows.sort_by(|(left, _), (right, _)| {
        for (number, (left, right)) in left.iter().zip(right).enumerate() {
            let order = match (left, right) {
                (Some(left), Some(right)) => match operators::compare(left, right, call.at) {
                    Ok(order) => order.unwrap_or(Ordering::Equal),
                    Err(error) => {
                        fault.get_or_insert(error);
                        Ordering::Equal
                    }
                },
                // Nothing comes before something.
                (left, right) => left.is_some().cmp(&right.is_some()),
            };
            let order = if keys.get(number).is_some_and(|(_, down)| *down) { order.reverse() } else { order };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    });
    fault.map_or_else(|| Ok(rows.into_iter().map(|(_, item)| item).collect()), Err)
}

fn descending(key: &Expr) -> (&Expr, bool) {
    match &key.kind {
        Kind::Negative(of) => (of, true),
        _ => (key, false),
    }
}

fn children<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(0, 0)?;
    let mut found = Vec::new();
    call.input.iter().for_each(|item| item.all_children(call.evaluator.set(), &mut found));
    Ok(found)
}

fn descendants<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(0, 0)?;
    let mut found: Collection<'d> = Vec::new();
    for item in &call.input {
        below(call, item, &mut found);
        limit(call, &found)?;
    }
    Ok(found)
}

/// What stands below an item, in the order of the document, which is no deeper than its reader lets it be.
fn below<'d>(call: &Call<'_, '_, 'd>, item: &Item<'d>, found: &mut Collection<'d>) {
    let mut own = Vec::new();
    item.all_children(call.evaluator.set(), &mut own);
    for child in own {
        found.push(child.clone());
        below(call, &child, found);
    }
}

/// The first argument that is something.
fn coalesce<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    for number in 0..call.arguments.len() {
        let found = call.argument(number)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// Whether two items are one place of one document, which is quicker told than whether they are equal.
pub(in crate::fhirpath) fn same_place(left: &Item<'_>, right: &Item<'_>) -> Option<bool> {
    match (&left.0, &right.0) {
        (Inner::Element(left), Inner::Element(right)) => {
            let index = |element: &crate::fhirpath::item::Element<'_>| {
                element.value.or(element.sibling).map(crate::json::Value::span)
            };
            Some(index(left) == index(right) && left.of.name == right.of.name)
        }
        _ => None,
    }
}
