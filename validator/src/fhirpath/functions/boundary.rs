//! `lowBoundary`, `highBoundary`, `precision` and `comparable`
//! ([utility functions](https://build.fhir.org/ig/HL7/FHIRPath/#utility-functions)).

use rust_decimal::{Decimal, RoundingStrategy};

use super::{Call, Function, boolean, maybe};
use crate::fhirpath::equality::number;
use crate::fhirpath::evaluate::Outcome;
use crate::fhirpath::item::Inner;
use crate::fhirpath::quantity::Quantity;
use crate::fhirpath::temporal::{Shape, Temporal};

/// Digits of a fraction that can be asked for.
const MOST: i64 = 28;
const DEFAULT: i64 = 8;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("lowBoundary", |call| bounded(call, false)),
    Function::new("highBoundary", |call| bounded(call, true)),
    Function::new("precision", precision),
    Function::new("comparable", comparable),
];

fn bounded<'d>(call: &Call<'_, '_, 'd>, high: bool) -> Outcome<'d> {
    call.takes(0, 1)?;
    let digits = call.integer_argument(0)?;
    let Some(value) = call.one()?.map(crate::fhirpath::Item::system) else { return Ok(Vec::new()) };
    maybe(match value {
        Some(Inner::Temporal(value)) => {
            value.boundary(high, digits.unwrap_or_else(|| default_digits(&value))).map(Inner::Temporal)
        }
        Some(Inner::Quantity(quantity)) => {
            let bound = boundary(quantity.value, high, digits.unwrap_or(DEFAULT));
            bound.map(|value| Inner::Quantity(Quantity { value, unit: quantity.unit }))
        }
        Some(other) => match number(&other) {
            Some(value) => boundary(value, high, digits.unwrap_or(DEFAULT)).map(Inner::Decimal),
            None => return call.fail(format!("'{}' takes a number, a quantity, a date or a time", call.name)),
        },
        None => return call.fail(format!("'{}' takes a number, a quantity, a date or a time", call.name)),
    })
}

fn default_digits(value: &Temporal) -> i64 {
    match value.shape {
        Shape::Date => 8,
        Shape::DateTime => 17,
        Shape::Time => 9,
    }
}

/// Half a unit of the last digit away, with so many digits.
fn boundary(value: Decimal, high: bool, digits: i64) -> Option<Decimal> {
    let digits = u32::try_from(digits).ok().filter(|digits| i64::from(*digits) <= MOST)?;
    let half = Decimal::new(5, value.scale().checked_add(1).filter(|scale| *scale <= 28)?);
    let bound = if high { value.checked_add(half)? } else { value.checked_sub(half)? };
    // Towards the value's own end: no digit that is kept says more than is known.
    let outward = bound.is_sign_negative() != high;
    let strategy = if outward { RoundingStrategy::MidpointAwayFromZero } else { RoundingStrategy::ToZero };
    let mut bound = bound.round_dp_with_strategy(digits, strategy);
    bound.rescale(digits);
    (bound.scale() == digits).then_some(bound)
}

fn precision<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(0, 0)?;
    let Some(value) = call.one()?.map(crate::fhirpath::Item::system) else { return Ok(Vec::new()) };
    maybe(match value {
        Some(Inner::Temporal(value)) => Some(Inner::Integer(value.digits_written())),
        Some(other) => number(&other).map(|value| Inner::Integer(value.scale().into())),
        None => None,
    })
}

fn comparable<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 1)?;
    let other = call.argument(0)?;
    let own = call.one()?.map(crate::fhirpath::Item::system);
    let other = crate::fhirpath::operators::single(&other, call.at)?.map(crate::fhirpath::Item::system);
    match (own, other) {
        (Some(Some(Inner::Quantity(own))), Some(Some(Inner::Quantity(other)))) => boolean(own.is_comparable(&other)),
        (None, _) | (_, None) => Ok(Vec::new()),
        _ => call.fail("'comparable' takes quantities"),
    }
}
