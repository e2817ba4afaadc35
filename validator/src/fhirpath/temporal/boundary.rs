//! The first and the last moment that a value may mean
//! ([lowBoundary](https://build.fhir.org/ig/HL7/FHIRPath/#lowboundaryprecision-integer-decimal--date--datetime--time)).

use super::{Precision, Shape, Temporal, month_length};

/// Offsets of the places where a day begins first and ends last.
const FIRST: i16 = 14 * 60;
const LAST: i16 = -12 * 60;

impl Temporal {
    /// The boundary, written with so many digits; `None` for a number of digits that no value has.
    pub(in crate::fhirpath) fn boundary(self, high: bool, digits: i64) -> Option<Self> {
        let time = if self.shape == Shape::Time { 8 } else { 0 };
        let precision = match digits + time {
            4 => Precision::Year,
            6 => Precision::Month,
            8 => Precision::Day,
            10 => Precision::Hour,
            12 => Precision::Minute,
            14 | 17 => Precision::Second,
            _ => return None,
        };
        if self.shape == Shape::Time && precision < Precision::Hour
            || self.shape == Shape::Date && precision > Precision::Day
        {
            return None;
        }
        let mut full = self;
        let beyond = |of: Precision| self.precision < of;
        if beyond(Precision::Month) {
            full.month = if high { 12 } else { 1 };
        }
        if beyond(Precision::Day) {
            full.day = if high { month_length(full.year, full.month) } else { 1 };
        }
        if beyond(Precision::Hour) {
            full.hour = if high { 23 } else { 0 };
        }
        // An hour is written with its minutes, so one that stands alone means the full hour.
        if beyond(Precision::Hour) {
            full.minute = if high { 59 } else { 0 };
        }
        if beyond(Precision::Second) {
            full.second = if high { 59 } else { 0 };
        }
        if self.digits == 0 {
            full.nanos = if high { 999_000_000 } else { 0 };
        }
        full.digits = if digits + time == 17 { 3 } else { 0 };
        full.precision = precision;
        if self.shape == Shape::DateTime {
            full.offset = match self.offset {
                _ if precision < Precision::Hour => None,
                Some(offset) => Some(offset),
                None => Some(if high { LAST } else { FIRST }),
            };
        }
        Some(full)
    }
}
