//! Operators ([operations](http://hl7.org/fhirpath/N1/#operations)). Most take one item on each side and give nothing for
//! nothing.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::ast::{Expr, Operator};
use super::equality::{self, number};
use super::error::EvaluationError;
use super::evaluate::{Evaluator, Outcome, Scope};
use super::item::{Inner, Item};

fn fail<T>(at: usize, message: impl Into<String>) -> Result<T, EvaluationError> {
    Err(EvaluationError::new(at, message))
}

#[expect(clippy::unnecessary_wraps, reason = "the end of a function that can also fail")]
fn boolean<'d>(value: Option<bool>) -> Outcome<'d> {
    Ok(value.map(|value| Inner::Boolean(value).into()).into_iter().collect())
}

/// The one item of a collection, or none.
pub(super) fn single<'c, 'd>(items: &'c [Item<'d>], at: usize) -> Result<Option<&'c Item<'d>>, EvaluationError> {
    match items {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        several => fail(at, format!("one item is wanted here, and there are {}", several.len())),
    }
}

/// Whether a collection counts as true: one item that is no boolean does.
pub(super) fn truth(items: &[Item<'_>], at: usize) -> Result<Option<bool>, EvaluationError> {
    Ok(single(items, at)?.map(|item| item.as_bool().unwrap_or(true)))
}

/// A whole number, or none.
pub(super) fn integer(items: &[Item<'_>], at: usize) -> Result<Option<i64>, EvaluationError> {
    match single(items, at)?.map(Item::system) {
        None => Ok(None),
        Some(Some(Inner::Integer(value))) => Ok(Some(value)),
        Some(_) => fail(at, "a whole number is wanted here"),
    }
}

pub(super) fn negative<'d>(items: &[Item<'d>], at: usize) -> Outcome<'d> {
    let Some(item) = single(items, at)? else { return Ok(Vec::new()) };
    let negated = match item.system() {
        Some(Inner::Integer(value)) => value.checked_neg().map(Inner::Integer),
        // There is one zero.
        Some(Inner::Decimal(value)) => Some(Inner::Decimal(if value.is_zero() { value.abs() } else { -value })),
        Some(Inner::Quantity(mut quantity)) => {
            quantity.value = -quantity.value;
            Some(Inner::Quantity(quantity))
        }
        _ => return fail(at, format!("'-' stands before a number, and this is a {}", item.type_name())),
    };
    Ok(negated.map(Item::from).into_iter().collect())
}

pub(super) fn positive(items: Vec<Item<'_>>, at: usize) -> Outcome<'_> {
    match single(&items, at)?.map(Item::system) {
        None | Some(Some(Inner::Integer(_) | Inner::Decimal(_) | Inner::Quantity(_))) => Ok(items),
        Some(_) => fail(at, "'+' stands before a number"),
    }
}

/// One operator between two expressions.
pub(super) fn binary<'d>(
    evaluator: &Evaluator<'_, 'd>,
    operator: Operator,
    left: &Expr,
    right: &Expr,
    scope: &Scope<'_, 'd>,
    at: usize,
) -> Outcome<'d> {
    if operator.is_logical() {
        return boolean(logic(evaluator, operator, left, right, scope)?);
    }
    let left = evaluator.apart(left, scope)?;
    let right = evaluator.apart(right, scope)?;
    match operator {
        Operator::Xor => boolean(truth(&left, at)?.zip(truth(&right, at)?).map(|(left, right)| left != right)),
        Operator::Equal => boolean(equality::collections_equal(&left, &right)),
        Operator::NotEqual => boolean(equality::collections_equal(&left, &right).map(|equal| !equal)),
        Operator::Equivalent => boolean(Some(equality::collections_equivalent(&left, &right))),
        Operator::NotEquivalent => boolean(Some(!equality::collections_equivalent(&left, &right))),
        Operator::In => boolean(single(&left, at)?.map(|item| equality::is_in(&right, item))),
        Operator::Contains => boolean(single(&right, at)?.map(|item| equality::is_in(&left, item))),
        Operator::Union => evaluator.distinct(left.into_iter().chain(right).collect(), at),
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            let Some((left, right)) = single(&left, at)?.zip(single(&right, at)?) else { return Ok(Vec::new()) };
            boolean(compare(left, right, at)?.map(|order| match operator {
                Operator::Less => order == Ordering::Less,
                Operator::LessOrEqual => order != Ordering::Greater,
                Operator::Greater => order == Ordering::Greater,
                _ => order != Ordering::Less,
            }))
        }
        Operator::Concatenate => {
            let text = |side: &[Item<'d>]| match single(side, at)? {
                None => Ok(String::new()),
                Some(item) => match item.as_text() {
                    Some(text) => Ok(text.into_owned()),
                    None => fail(at, "'&' joins texts"),
                },
            };
            let joined = text(&left)? + &text(&right)?;
            Ok(vec![Inner::String(joined.into()).into()])
        }
        _ => {
            let Some((left, right)) = single(&left, at)?.zip(single(&right, at)?) else { return Ok(Vec::new()) };
            Ok(arithmetic(operator, left, right, at)?.map(Item::from).into_iter().collect())
        }
    }
}

/// [Boolean logic](http://hl7.org/fhirpath/N1/#boolean-logic); what decides already is not asked further.
pub(super) fn logic<'d>(
    evaluator: &Evaluator<'_, 'd>,
    operator: Operator,
    left: &Expr,
    right: &Expr,
    scope: &Scope<'_, 'd>,
) -> Result<Option<bool>, EvaluationError> {
    let first = evaluator.truth_apart(left, scope)?;
    match (operator, first) {
        (Operator::And, Some(false)) => return Ok(Some(false)),
        (Operator::Or, Some(true)) | (Operator::Implies, Some(false)) => return Ok(Some(true)),
        _ => {}
    }
    let second = evaluator.truth_apart(right, scope)?;
    Ok(match operator {
        Operator::And => and(first, second),
        Operator::Or => or(first, second),
        _ => or(first.map(|value| !value), second),
    })
}

fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    and(left.map(|value| !value), right.map(|value| !value)).map(|value| !value)
}

/// Which of two items is less; `None` when that cannot be told.
pub(super) fn compare(left: &Item<'_>, right: &Item<'_>, at: usize) -> Result<Option<Ordering>, EvaluationError> {
    let no_order = || fail(at, format!("{} and {} have no order", left.type_name(), right.type_name()));
    let (Some(a), Some(b)) = (left.system(), right.system()) else { return no_order() };
    match (&a, &b) {
        (Inner::String(left), Inner::String(right)) => Ok(Some(left.cmp(right))),
        (Inner::Temporal(first), Inner::Temporal(second)) => {
            let is_time = |value: &super::temporal::Temporal| value.shape == super::temporal::Shape::Time;
            if is_time(first) == is_time(second) { Ok(first.compare(second)) } else { no_order() }
        }
        (Inner::Quantity(left), Inner::Quantity(right)) => Ok(left.compare(right)),
        _ => match (number(&a), number(&b)) {
            (Some(left), Some(right)) => Ok(Some(left.cmp(&right))),
            _ => no_order(),
        },
    }
}

fn arithmetic<'d>(
    operator: Operator,
    left: &Item<'d>,
    right: &Item<'d>,
    at: usize,
) -> Result<Option<Inner<'d>>, EvaluationError> {
    let wrong = || {
        let (left, right) = (left.type_name(), right.type_name());
        fail(at, format!("'{}' does not go between a {left} and a {right}", operator.text()))
    };
    let (Some(a), Some(b)) = (left.system(), right.system()) else { return wrong() };
    match (&a, &b) {
        (Inner::String(left), Inner::String(right)) if operator == Operator::Add => {
            Ok(Some(Inner::String(format!("{left}{right}").into())))
        }
        (Inner::Integer(left), Inner::Integer(right)) => Ok(whole(operator, *left, *right)),
        (Inner::Temporal(value), Inner::Quantity(quantity)) if is_sum(operator) => {
            match quantity.span(operator == Operator::Subtract) {
                Some(span) => Ok(value.plus(span).map(Inner::Temporal)),
                None => fail(at, "this quantity is no span of time that can be added to a date or time"),
            }
        }
        (Inner::Quantity(left), Inner::Quantity(right)) => Ok(quantities(operator, left, right)),
        _ => match (number(&a), number(&b)) {
            (Some(left), Some(right)) => Ok(fraction(operator, left, right)),
            _ => match (as_quantity(&a), as_quantity(&b)) {
                (Some(left), Some(right)) => Ok(quantities(operator, &left, &right)),
                _ => wrong(),
            },
        },
    }
}

fn is_sum(operator: Operator) -> bool {
    matches!(operator, Operator::Add | Operator::Subtract)
}

fn as_quantity(of: &Inner<'_>) -> Option<super::quantity::Quantity> {
    match of {
        Inner::Quantity(quantity) => Some(quantity.clone()),
        other => number(other).map(super::quantity::Quantity::of),
    }
}

fn quantities<'d>(
    operator: Operator,
    left: &super::quantity::Quantity,
    right: &super::quantity::Quantity,
) -> Option<Inner<'d>> {
    match operator {
        Operator::Add => left.plus(right, false),
        Operator::Subtract => left.plus(right, true),
        Operator::Multiply => left.times(right, false),
        Operator::Divide => left.times(right, true),
        _ => None,
    }
    .map(Inner::Quantity)
}

/// Between whole numbers; nothing when it does not fit or divides by zero.
fn whole<'d>(operator: Operator, left: i64, right: i64) -> Option<Inner<'d>> {
    match operator {
        Operator::Add => left.checked_add(right).map(Inner::Integer),
        Operator::Subtract => left.checked_sub(right).map(Inner::Integer),
        Operator::Multiply => left.checked_mul(right).map(Inner::Integer),
        Operator::Div => left.checked_div(right).map(Inner::Integer),
        Operator::Mod => left.checked_rem(right).map(Inner::Integer),
        _ => fraction(operator, left.into(), right.into()),
    }
}

fn fraction<'d>(operator: Operator, left: Decimal, right: Decimal) -> Option<Inner<'d>> {
    match operator {
        Operator::Add => left.checked_add(right).map(Inner::Decimal),
        Operator::Subtract => left.checked_sub(right).map(Inner::Decimal),
        Operator::Multiply => left.checked_mul(right).map(Inner::Decimal),
        Operator::Divide => left.checked_div(right).map(|value| Inner::Decimal(value.normalize())),
        Operator::Div => left.checked_div(right).and_then(|value| value.trunc().to_i64()).map(Inner::Integer),
        Operator::Mod => left.checked_rem(right).map(|value| Inner::Decimal(value.normalize())),
        _ => None,
    }
}
