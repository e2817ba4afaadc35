//! [Math](http://hl7.org/fhirpath/N1/#math), exact where it can be.

use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, MathematicalOps, RoundingStrategy};

use super::{Call, Function, maybe};
use crate::fhirpath::equality::number;
use crate::fhirpath::error::EvaluationError;
use crate::fhirpath::evaluate::Outcome;
use crate::fhirpath::item::Inner;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("abs", abs),
    Function::new("ceiling", |call| whole(call, Decimal::ceil)),
    Function::new("floor", |call| whole(call, Decimal::floor)),
    Function::new("truncate", |call| whole(call, Decimal::trunc)),
    Function::new("round", round),
    Function::new("exp", |call| real(call, MathematicalOps::checked_exp)),
    Function::new("ln", |call| real(call, MathematicalOps::checked_ln)),
    Function::new("sqrt", |call| real(call, MathematicalOps::sqrt)),
    Function::new("log", log),
    Function::new("power", power),
];

fn own(call: &Call<'_, '_, '_>) -> Result<Option<Decimal>, EvaluationError> {
    match call.one()?.map(|item| (item.type_name().to_owned(), item.system())) {
        None => Ok(None),
        Some((name, value)) => match value.as_ref().and_then(number) {
            Some(value) => Ok(Some(value)),
            None => call.fail(format!("'{}' takes a number, and this is a {name}", call.name)),
        },
    }
}

fn argument(call: &Call<'_, '_, '_>, at: usize) -> Result<Option<Decimal>, EvaluationError> {
    let found = call.argument(at)?;
    match crate::fhirpath::operators::single(&found, call.at)?.map(crate::fhirpath::Item::system) {
        None => Ok(None),
        Some(value) => match value.as_ref().and_then(number) {
            Some(value) => Ok(Some(value)),
            None => call.fail(format!("the argument of '{}' is a number", call.name)),
        },
    }
}

fn abs<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    match call.one()?.map(crate::fhirpath::Item::system) {
        None => Ok(Vec::new()),
        Some(Some(Inner::Integer(value))) => maybe(value.checked_abs().map(Inner::Integer)),
        Some(Some(Inner::Decimal(value))) => maybe(Some(Inner::Decimal(value.abs()))),
        Some(Some(Inner::Quantity(mut quantity))) => {
            quantity.value = quantity.value.abs();
            maybe(Some(Inner::Quantity(quantity)))
        }
        Some(_) => call.fail("'abs' takes a number or a quantity"),
    }
}

fn whole<'d>(call: &Call<'_, '_, 'd>, round: fn(&Decimal) -> Decimal) -> Outcome<'d> {
    call.takes(0, 0)?;
    maybe(own(call)?.and_then(|value| round(&value).to_i64()).map(Inner::Integer))
}

fn real<'d>(call: &Call<'_, '_, 'd>, of: fn(&Decimal) -> Option<Decimal>) -> Outcome<'d> {
    call.takes(0, 0)?;
    maybe(own(call)?.and_then(|value| of(&value)).map(|value| Inner::Decimal(value.normalize())))
}

fn round<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(0, 1)?;
    let Some(value) = own(call)? else { return Ok(Vec::new()) };
    let digits = match call.integer_argument(0)? {
        None => 0,
        Some(digits) => match u32::try_from(digits) {
            Ok(digits) => digits,
            Err(_) => return call.fail("'round' takes no negative number of digits"),
        },
    };
    maybe(Some(Inner::Decimal(value.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero))))
}

fn log<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 1)?;
    let Some((value, base)) = own(call)?.zip(argument(call, 0)?) else { return Ok(Vec::new()) };
    let result = value.checked_ln().zip(base.checked_ln()).and_then(|(value, base)| value.checked_div(base));
    // The logarithms are rounded in their last digits: what is a whole number is told as one.
    maybe(result.map(|result| Inner::Decimal(result.round_dp(15).normalize())))
}

fn power<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 1)?;
    let is_whole = call.input.iter().all(|item| matches!(item.system(), Some(Inner::Integer(_))));
    let Some((base, exponent)) = own(call)?.zip(argument(call, 0)?) else { return Ok(Vec::new()) };
    if exponent.fract().is_zero() {
        let result = exponent.to_i64().and_then(|exponent| base.checked_powi(exponent));
        let as_whole = result.filter(|_| is_whole && exponent >= Decimal::ZERO).and_then(|result| result.to_i64());
        return maybe(as_whole.map(Inner::Integer).or_else(|| result.map(|result| Inner::Decimal(result.normalize()))));
    }
    let result = base.to_f64().zip(exponent.to_f64()).map(|(base, exponent)| base.powf(exponent));
    maybe(result.and_then(Decimal::from_f64).map(|result| Inner::Decimal(result.normalize())))
}
