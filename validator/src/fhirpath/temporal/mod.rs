//! Dates, times and both, as exact as they were written ([Date, DateTime and Time](http://hl7.org/fhirpath/N1/#date)).

mod arithmetic;
mod boundary;
mod parse;

pub(super) use arithmetic::Span;

use std::cmp::Ordering;
use std::fmt;

/// Minutes from UTC to the place where a day begins first.
const WIDEST: i64 = 14 * 60;

/// Which of the three types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Date,
    DateTime,
    Time,
}

/// How exact a value is. A fraction of a second is part of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// A value; what lies beyond its precision is zero (one, for month and day).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fhirpath) struct Temporal {
    pub(super) shape: Shape,
    pub(super) precision: Precision,
    pub(super) year: i32,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    pub(super) nanos: u32,
    /// Digits of the fraction as written.
    pub(super) digits: u8,
    /// Minutes east of UTC.
    pub(super) offset: Option<i16>,
}

impl Temporal {
    /// A date to the day.
    #[must_use]
    pub(in crate::fhirpath) fn date(year: i32, month: u8, day: u8) -> Self {
        Self {
            shape: Shape::Date,
            precision: Precision::Day,
            year,
            month,
            day,
            hour: 0,
            minute: 0,
            second: 0,
            nanos: 0,
            digits: 0,
            offset: None,
        }
    }

    /// A moment of UTC, in milliseconds since 1970.
    #[must_use]
    pub(in crate::fhirpath) fn moment(millis: i64) -> Self {
        let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
        let (year, month, day) = civil(days);
        let part = |value: i64| u8::try_from(value).unwrap_or(0);
        Self {
            shape: Shape::DateTime,
            precision: Precision::Second,
            hour: part(rest / 3_600_000),
            minute: part(rest / 60_000 % 60),
            second: part(rest / 1000 % 60),
            nanos: u32::try_from(rest % 1000).unwrap_or(0) * 1_000_000,
            digits: 3,
            offset: Some(0),
            ..Self::date(year, month, day)
        }
    }

    /// The date of a moment.
    #[must_use]
    pub(in crate::fhirpath) fn day_of(self) -> Self {
        Self::date(self.year, self.month, self.day)
    }

    /// The time of day of a moment.
    #[must_use]
    pub(in crate::fhirpath) fn time_of(self) -> Self {
        Self { shape: Shape::Time, year: 0, month: 1, day: 1, offset: None, ..self }
    }

    /// As a literal: with `@`, and a `T` that tells the shape where nothing else does.
    pub(super) fn literal(&self) -> String {
        match self.shape {
            Shape::Time => format!("@T{self}"),
            Shape::DateTime if self.precision < Precision::Hour => format!("@{self}T"),
            Shape::Date | Shape::DateTime => format!("@{self}"),
        }
    }

    /// Which is earlier, or `None` when they are not exact enough to tell, or one has an offset and the other has none.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        if (self.shape == Shape::Time) != (other.shape == Shape::Time) {
            return None;
        }
        let timed = |value: &Self| value.precision >= Precision::Hour && value.shape == Shape::DateTime;
        let (mut left, mut right) = (*self, *other);
        match (self.offset, other.offset) {
            (Some(_), Some(_)) => (left, right) = (left.in_utc(), right.in_utc()),
            (None, None) => {}
            // A date has no offset; it is compared as far as it goes.
            _ if timed(self) && timed(other) => {
                return left.far_apart(&right);
            }
            _ => {}
        }
        let least = left.precision.min(right.precision);
        let order = left.parts(least).cmp(&right.parts(least));
        (order != Ordering::Equal || left.precision == right.precision).then_some(order)
    }

    /// With one offset unknown: which is earlier wherever on earth it was written, if that can be told.
    fn far_apart(&self, other: &Self) -> Option<Ordering> {
        let (left, right) = (self.minutes(), other.minutes());
        let apart = left - right;
        if apart.abs() <= WIDEST { None } else { Some(apart.cmp(&0)) }
    }

    /// Minutes since 1970, as far as known, in UTC where an offset is known.
    fn minutes(&self) -> i64 {
        let days = days_from_civil(self.year, self.month, self.day);
        let own = days * 1440 + i64::from(self.hour) * 60 + i64::from(self.minute);
        own - i64::from(self.offset.unwrap_or(0))
    }

    fn in_utc(self) -> Self {
        if self.precision < Precision::Hour {
            return self;
        }
        let minutes = self.minutes();
        let (year, month, day) = civil(minutes.div_euclid(1440));
        let of_day = minutes.rem_euclid(1440);
        let part = |value: i64| u8::try_from(value).unwrap_or(0);
        Self { year, month, day, hour: part(of_day / 60), minute: part(of_day % 60), offset: Some(0), ..self }
    }

    fn parts(&self, least: Precision) -> [i64; 6] {
        let at = |precision: Precision, value: i64| if least >= precision { value } else { 0 };
        [
            i64::from(self.year),
            at(Precision::Month, i64::from(self.month)),
            at(Precision::Day, i64::from(self.day)),
            at(Precision::Hour, i64::from(self.hour)),
            at(Precision::Minute, i64::from(self.minute)),
            at(Precision::Second, i64::from(self.second) * 1_000_000_000 + i64::from(self.nanos)),
        ]
    }

    /// Number of digits of the value as written: 4 for a year, 17 for a moment to the millisecond.
    pub(super) fn digits_written(&self) -> i64 {
        let whole = match self.precision {
            Precision::Year => 4,
            Precision::Month => 6,
            Precision::Day => 8,
            Precision::Hour => 10,
            Precision::Minute => 12,
            Precision::Second => 14 + i64::from(self.digits),
        };
        if self.shape == Shape::Time { whole - 8 } else { whole }
    }
}

impl fmt::Display for Temporal {
    /// As JSON has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shape != Shape::Time {
            write!(f, "{:04}", self.year)?;
            if self.precision >= Precision::Month {
                write!(f, "-{:02}", self.month)?;
            }
            if self.precision >= Precision::Day {
                write!(f, "-{:02}", self.day)?;
            }
            if self.precision >= Precision::Hour {
                f.write_str("T")?;
            }
        }
        if self.precision >= Precision::Hour {
            write!(f, "{:02}", self.hour)?;
        }
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", self.minute)?;
        }
        if self.precision >= Precision::Second {
            write!(f, ":{:02}", self.second)?;
            if self.digits > 0 {
                let fraction = format!("{:09}", self.nanos);
                write!(f, ".{}", fraction.get(..usize::from(self.digits)).unwrap_or(&fraction))?;
            }
        }
        match self.offset {
            Some(0) if self.precision >= Precision::Hour => f.write_str("Z"),
            Some(offset) if self.precision >= Precision::Hour => {
                let sign = if offset < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
            }
            _ => Ok(()),
        }
    }
}

/// Days since 1970-01-01 of the proleptic Gregorian calendar.
pub(super) fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    // Years that begin in March, so that the leap day comes last.
    let (year, month) = (i64::from(year) - i64::from(month <= 2), i64::from(month));
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
pub(super) fn civil(days: i64) -> (i32, u8, u8) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (i32::try_from(year).unwrap_or(0), u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
}

/// Days of a month.
pub(super) fn month_length(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_day_and_its_number_are_each_others(days in -700_000_i64..2_000_000) {
            let (year, month, day) = civil(days);
            prop_assert_eq!(days_from_civil(year, month, day), days);
            prop_assert!((1..=12).contains(&month) && day >= 1 && day <= month_length(year, month));
        }

        #[test]
        fn what_is_written_is_read_again(days in 0_i64..60_000, millis in 0_i64..86_400_000) {
            let moment = Temporal::moment(days * 86_400_000 + millis);
            prop_assert_eq!(Temporal::date_time(&moment.to_string()), Some(moment));
            prop_assert_eq!(Temporal::literal_of(&moment.literal()[1..]), Some(moment));
        }
    }

    #[test]
    fn what_is_not_exact_enough_is_not_told() {
        let compare =
            |left: &str, right: &str| Temporal::date_time(left).unwrap().compare(&Temporal::date_time(right).unwrap());
        assert_eq!(compare("2018-03", "2018-03-01"), None);
        assert_eq!(compare("2018-03", "2018-04-01"), Some(Ordering::Less));
        assert_eq!(compare("2018-03-01T10:30:00", "2018-03-01T10:30:00.0"), Some(Ordering::Equal));
        assert_eq!(compare("2017-11-05T01:30:00.0-04:00", "2017-11-05T01:15:00.0-05:00"), Some(Ordering::Less));
        assert_eq!(compare("2012-04-15T15:00:00Z", "2012-04-15T10:00:00"), None);
    }
}
