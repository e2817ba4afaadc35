//! Adding a time span ([date/time arithmetic](http://hl7.org/fhirpath/N1/#datetime-arithmetic)): by the calendar, and only
//! as exact as the value is. A fraction of a span does not count.

use super::{Precision, Shape, Temporal, civil, days_from_civil, month_length};

/// Units of the calendar, each as so many of a smaller one where that is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fhirpath) enum Span {
    Months(i64),
    /// Milliseconds.
    Time(i64),
}

const DAY: i64 = 86_400_000;
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

impl Temporal {
    /// This value, so much later; `None` when it leaves the calendar.
    pub(in crate::fhirpath) fn plus(self, span: Span) -> Option<Self> {
        if self.shape == Shape::Time {
            return self.time_plus(span);
        }
        let months = match (span, self.precision) {
            (Span::Months(months), Precision::Year) => Some(months / 12 * 12),
            (Span::Months(months), _) => Some(months),
            // A value that knows no days: as many whole months or years as the span makes up.
            (Span::Time(millis), Precision::Year) => Some(millis / DAY / 365 * 12),
            (Span::Time(millis), Precision::Month) => Some(millis / DAY / 30),
            (Span::Time(_), _) => None,
        };
        match (months, span) {
            (Some(months), _) => self.months_later(months),
            (None, Span::Time(millis)) => self.later(millis),
            (None, Span::Months(_)) => None,
        }
    }

    fn months_later(self, months: i64) -> Option<Self> {
        let all = (i64::from(self.year) * 12 + i64::from(self.month) - 1).checked_add(months)?;
        let year = i32::try_from(all.div_euclid(12)).ok().filter(|year| YEARS.contains(year))?;
        let month = u8::try_from(all.rem_euclid(12) + 1).ok()?;
        // The last day of a shorter month stands for those it has not.
        Some(Self { year, month, day: self.day.min(month_length(year, month)), ..self })
    }

    fn later(self, millis: i64) -> Option<Self> {
        let step = match self.precision {
            Precision::Day => DAY,
            Precision::Hour => 3_600_000,
            Precision::Minute => 60_000,
            _ if self.digits == 0 => 1000,
            _ => 1,
        };
        let own = days_from_civil(self.year, self.month, self.day) * DAY + self.of_day();
        let all = own.checked_add(millis / step * step)?;
        let (year, month, day) = civil(all.div_euclid(DAY));
        YEARS.contains(&year).then(|| Self { year, month, day, ..self.at(all.rem_euclid(DAY)) })
    }

    fn time_plus(self, span: Span) -> Option<Self> {
        match span {
            Span::Time(millis) => Some(self.at((self.of_day() + millis % DAY).rem_euclid(DAY))),
            Span::Months(_) => None,
        }
    }

    fn of_day(&self) -> i64 {
        let seconds = i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        seconds * 1000 + i64::from(self.nanos / 1_000_000)
    }

    fn at(self, of_day: i64) -> Self {
        let part = |value: i64| u8::try_from(value).unwrap_or(0);
        Self {
            hour: part(of_day / 3_600_000),
            minute: part(of_day / 60_000 % 60),
            second: part(of_day / 1000 % 60),
            nanos: u32::try_from(of_day % 1000).unwrap_or(0) * 1_000_000 + self.nanos % 1_000_000,
            ..self
        }
    }
}
