//! [Conversion](http://hl7.org/fhirpath/N1/#conversion): `toInteger` and the like, each with its `convertsTo`.

use rust_decimal::Decimal;

use super::{Call, Function, maybe};
use crate::fhirpath::equality::number;
use crate::fhirpath::evaluate::Outcome;
use crate::fhirpath::item::{Inner, decimal};
use crate::fhirpath::quantity::Quantity;
use crate::fhirpath::temporal::{Precision, Shape, Temporal};

type Conversion = for<'d> fn(&Inner<'d>) -> Option<Inner<'d>>;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("toBoolean", |call| converted(call, boolean, false)),
    Function::new("toInteger", |call| converted(call, integer, false)),
    Function::new("toLong", |call| converted(call, integer, false)),
    Function::new("toDecimal", |call| converted(call, to_decimal, false)),
    Function::new("toString", |call| converted(call, string, false)),
    Function::new("toDate", |call| converted(call, date, false)),
    Function::new("toDateTime", |call| converted(call, date_time, false)),
    Function::new("toTime", |call| converted(call, time, false)),
    Function::new("toQuantity", |call| converted(call, quantity, false)),
    Function::new("convertsToBoolean", |call| converted(call, boolean, true)),
    Function::new("convertsToInteger", |call| converted(call, integer, true)),
    Function::new("convertsToLong", |call| converted(call, integer, true)),
    Function::new("convertsToDecimal", |call| converted(call, to_decimal, true)),
    Function::new("convertsToString", |call| converted(call, string, true)),
    Function::new("convertsToDate", |call| converted(call, date, true)),
    Function::new("convertsToDateTime", |call| converted(call, date_time, true)),
    Function::new("convertsToTime", |call| converted(call, time, true)),
    Function::new("convertsToQuantity", |call| converted(call, quantity, true)),
];

fn converted<'d>(call: &Call<'_, '_, 'd>, convert: Conversion, only_asks: bool) -> Outcome<'d> {
    call.takes(0, 1)?;
    let Some(item) = call.one()? else { return Ok(Vec::new()) };
    let value = item.system().and_then(|value| convert(&value));
    if only_asks { super::boolean(value.is_some()) } else { maybe(value) }
}

fn boolean<'d>(value: &Inner<'d>) -> Option<Inner<'d>> {
    let truth = match value {
        Inner::Boolean(value) => *value,
        Inner::String(text) => match &*text.to_lowercase() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => true,
            "false" | "f" | "no" | "n" | "0" | "0.0" => false,
            _ => return None,
        },
        other => match number(other)? {
            value if value == Decimal::ONE => true,
            value if value == Decimal::ZERO => false,
            _ => return None,
        },
    };
    Some(Inner::Boolean(truth))
}

fn integer<'d>(value: &Inner<'d>) -> Option<Inner<'d>> {
    match value {
        Inner::Integer(value) => Some(Inner::Integer(*value)),
        Inner::Boolean(value) => Some(Inner::Integer((*value).into())),
        Inner::String(text) => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse().ok().map(Inner::Integer))?
        }
        _ => None,
    }
}

fn to_decimal<'d>(value: &Inner<'d>) -> Option<Inner<'d>> {
    let number = match value {
        Inner::Boolean(value) => Decimal::from(u8::from(*value)),
        Inner::String(text) if !text.contains(['e', 'E']) => decimal(text)?,
        other => number(other)?,
    };
    Some(Inner::Decimal(number))
}

fn string<'d>(value: &Inner<'d>) -> Option<Inner<'d>> {
    let text = match value {
        Inner::String(text) => return Some(Inner::String(text.clone())),
        Inner::Boolean(value) => value.to_string(),
        Inner::Integer(value) => value.to_string(),
        Inner::Decimal(value) => value.to_string(),
        Inner::Temporal(value) => value.to_string(),
        Inner::Quantity(value) => value.to_string(),
        Inner::TypeInfo(..) | Inner::Element(_) => return None,
    };
    Some(Inner::String(text.into()))
}

fn date<'d>(value: &Inner<'d>) -> Option<Inner<'d>> {
    let date = match value {
        Inner::Temporal(value) if value.shape != Shape::Time => *value,
        Inner::String(text) => Temporal::date_time(text)?,
        _ => return None,
    };
    let precision = date.precision.min(Precision::Day);
    Some(Inner::Temporal(Temporal { shape: Shape::Date, precision, offset: None, ..date }))
}

fn date_time<'d>(value: &Inner<'d>) -> Option<Inner<'d>> {
    let date = match value {
        Inner::Temporal(value) if value.shape != Shape::Time => *value,
        Inner::String(text) => Temporal::date_time(text)?,
        _ => return None,
    };
    Some(Inner::Temporal(Temporal { shape: Shape::DateTime, ..date }))
}

fn time<'d>(value: &Inner<'d>) -> Option<Inner<'d>> {
    match value {
        Inner::Temporal(value) if value.shape == Shape::Time => Some(Inner::Temporal(*value)),
        Inner::String(text) => Temporal::time(text.strip_prefix('T').unwrap_or(text)).map(Inner::Temporal),
        _ => None,
    }
}

fn quantity<'d>(value: &Inner<'d>) -> Option<Inner<'d>> {
    let quantity = match value {
        Inner::Quantity(value) => value.clone(),
        Inner::String(text) => Quantity::parse(text)?,
        Inner::Boolean(value) => Quantity::of(u8::from(*value).into()),
        other => Quantity::of(number(other)?),
    };
    Some(Inner::Quantity(quantity))
}
