//! [Quantities](http://hl7.org/fhirpath/N1/#quantity): a number with a unit of UCUM or of the calendar.

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::temporal::Span;
use super::ucum;

/// A number of units.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantity {
    /// How many.
    pub(super) value: Decimal,
    /// Of what.
    pub(super) unit: Unit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unit {
    /// A code of UCUM; `1` is none at all.
    Ucum(Box<str>),
    /// `year` to `millisecond`, as many as the calendar has.
    Calendar(Calendar),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calendar {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

const CALENDAR: [(Calendar, &str, &str, &str); 8] = [
    (Calendar::Year, "year", "years", "a"),
    (Calendar::Month, "month", "months", "mo"),
    (Calendar::Week, "week", "weeks", "wk"),
    (Calendar::Day, "day", "days", "d"),
    (Calendar::Hour, "hour", "hours", "h"),
    (Calendar::Minute, "minute", "minutes", "min"),
    (Calendar::Second, "second", "seconds", "s"),
    (Calendar::Millisecond, "millisecond", "milliseconds", "ms"),
];

impl Unit {
    /// A word of the calendar, in either number.
    pub(super) fn calendar(word: &str) -> Option<Self> {
        let found = CALENDAR.iter().find(|(_, one, many, _)| *one == word || *many == word);
        found.map(|(unit, ..)| Self::Calendar(*unit))
    }

    /// The code of UCUM that is nearest.
    fn code(&self) -> &str {
        match self {
            Self::Ucum(code) => code,
            Self::Calendar(unit) => CALENDAR.iter().find(|(known, ..)| known == unit).map_or("1", |(.., code)| code),
        }
    }

    /// Whether a span of the calendar is not always as long: a year, a month.
    fn varies(&self) -> bool {
        matches!(self, Self::Calendar(Calendar::Year | Calendar::Month))
    }
}

impl Quantity {
    /// A bare number.
    pub(super) fn of(value: Decimal) -> Self {
        Self { value, unit: Unit::Ucum("1".into()) }
    }

    /// A text such as `4 days` or `10 'mg'`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let length =
            text.find(|letter: char| !(letter.is_ascii_digit() || "+-.".contains(letter))).unwrap_or(text.len());
        let (number, unit) = text.split_at(length);
        let value = super::item::decimal(number)?;
        let unit = unit.trim();
        if unit.is_empty() {
            return Some(Self::of(value));
        }
        if let Some(code) = unit.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            return Some(Self { value, unit: Unit::Ucum(code.into()) });
        }
        Unit::calendar(unit).map(|unit| Self { value, unit })
    }

    /// Both in one unit; `None` when there is none.
    fn common(&self, other: &Self) -> Option<(Decimal, Decimal)> {
        let (left, right) = (self.unit.code(), other.unit.code());
        if left == right {
            return Some((self.value, other.value));
        }
        let (left, right) = (ucum::Canonical::of(left)?, ucum::Canonical::of(right)?);
        (left.dimensions == right.dimensions)
            .then(|| Some((self.value.checked_mul(left.factor)?, other.value.checked_mul(right.factor)?)))?
    }

    /// How many of the other's units this is.
    fn in_unit_of(&self, other: &Self) -> Option<Decimal> {
        let (own, wanted) = (self.unit.code(), other.unit.code());
        if own == wanted {
            return Some(self.value);
        }
        let (own, wanted) = (ucum::Canonical::of(own)?, ucum::Canonical::of(wanted)?);
        (own.dimensions == wanted.dimensions).then(|| self.value.checked_mul(own.factor)?.checked_div(wanted.factor))?
    }

    /// Whether they measure the same thing.
    pub(super) fn is_comparable(&self, other: &Self) -> bool {
        self.common(other).is_some()
    }

    /// Which is less; `None` when they do not measure the same, or a year of the calendar meets one of UCUM.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        let mixed = matches!(self.unit, Unit::Ucum(_)) != matches!(other.unit, Unit::Ucum(_));
        if mixed && (self.unit.varies() || other.unit.varies()) {
            return None;
        }
        self.common(other).map(|(left, right)| left.cmp(&right))
    }

    /// Equal to the less exact of both; a year of the calendar is one of UCUM.
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        let Some(right) = other.in_unit_of(self) else { return false };
        let exact = self.value.scale().min(right.scale());
        self.value.round_dp(exact) == right.round_dp(exact)
    }

    /// Sum or difference, in the unit of the first.
    pub(super) fn plus(&self, other: &Self, negative: bool) -> Option<Self> {
        let added = other.in_unit_of(self)?;
        let value = if negative { self.value.checked_sub(added)? } else { self.value.checked_add(added)? };
        Some(Self { value: value.normalize(), unit: self.unit.clone() })
    }

    /// Product or quotient, in base units where both have units.
    pub(super) fn times(&self, other: &Self, divided: bool) -> Option<Self> {
        let combine =
            |left: Decimal, right: Decimal| if divided { left.checked_div(right) } else { left.checked_mul(right) };
        if other.unit == Unit::Ucum("1".into()) {
            return Some(Self { value: combine(self.value, other.value)?, unit: self.unit.clone() });
        }
        if self.unit == Unit::Ucum("1".into()) && !divided {
            return Some(Self { value: combine(self.value, other.value)?, unit: other.unit.clone() });
        }
        let (left, right) = (ucum::Canonical::of(self.unit.code())?, ucum::Canonical::of(other.unit.code())?);
        let unit = left.combined(&right, divided);
        let value = combine(self.value.checked_mul(left.factor)?, other.value.checked_mul(right.factor)?)?;
        Some(Self { value: value.normalize(), unit: Unit::Ucum(unit.code().into()) })
    }

    /// As a span of time that can be added to a date: a year or month of UCUM cannot.
    pub(super) fn span(&self, negative: bool) -> Option<Span> {
        let whole = self.value.trunc().to_i64()?;
        let whole = if negative { whole.checked_neg()? } else { whole };
        let is_calendar = matches!(self.unit, Unit::Calendar(_));
        let millis: i64 = match self.unit.code() {
            "a" if is_calendar => return Some(Span::Months(whole.checked_mul(12)?)),
            "mo" if is_calendar => return Some(Span::Months(whole)),
            "wk" => 604_800_000,
            "d" => 86_400_000,
            "h" => 3_600_000,
            "min" => 60_000,
            "s" => 1000,
            "ms" => 1,
            _ => return None,
        };
        Some(Span::Time(whole.checked_mul(millis)?))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unit {
            Unit::Ucum(code) => write!(f, "{} '{code}'", self.value),
            Unit::Calendar(unit) => {
                let found = CALENDAR.iter().find(|(known, ..)| known == unit);
                let word = found.map_or("", |(_, one, many, _)| if self.value == Decimal::ONE { one } else { many });
                write!(f, "{} {word}", self.value)
            }
        }
    }
}
