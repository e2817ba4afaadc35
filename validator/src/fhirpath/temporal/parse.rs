//! Dates and times from text.

use super::{Precision, Shape, Temporal, month_length};

impl Temporal {
    /// What follows the `@` of a literal.
    pub(in crate::fhirpath) fn literal_of(text: &str) -> Option<Self> {
        if let Some(time) = text.strip_prefix('T') {
            return Self::time(time);
        }
        if text.contains('T') { Self::date_time(text) } else { Self::date_text(text) }
    }

    /// A date, to the year, the month or the day.
    pub(in crate::fhirpath) fn date_text(text: &str) -> Option<Self> {
        // Every part has its length, so every part has its place.
        let part = |at: usize, dash: usize| (text.as_bytes().get(dash) == Some(&b'-')).then(|| text.get(at..at + 2))?;
        let year: i32 = number(text.get(..4)?, 4)?;
        let mut date = Self { precision: Precision::Year, ..Self::date(year, 1, 1) };
        if text.len() > 4 {
            date.month = number(part(5, 4)?, 2).filter(|month| (1..=12).contains(month))?;
            date.precision = Precision::Month;
        }
        if text.len() > 7 {
            date.day = number(part(8, 7)?, 2).filter(|day| *day >= 1 && *day <= month_length(year, date.month))?;
            date.precision = Precision::Day;
        }
        matches!(text.len(), 4 | 7 | 10).then_some(date)
    }

    /// A date with or without a time, which may stop anywhere.
    pub(in crate::fhirpath) fn date_time(text: &str) -> Option<Self> {
        let Some((date, time)) = text.split_once('T') else {
            return Self::date_text(text).map(|date| Self { shape: Shape::DateTime, ..date });
        };
        let date = Self { shape: Shape::DateTime, ..Self::date_text(date)? };
        if time.is_empty() {
            return Some(date);
        }
        if date.precision != Precision::Day {
            return None;
        }
        let (time, offset) = match time.find(['Z', '+', '-']) {
            Some(at) => (&time[..at], Some(offset(&time[at..])?)),
            None => (time, None),
        };
        let time = Self::time(time)?;
        Some(Self { year: date.year, month: date.month, day: date.day, shape: Shape::DateTime, offset, ..time })
    }

    /// A time of day.
    pub(in crate::fhirpath) fn time(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let hour = number(parts.next()?, 2).filter(|hour| *hour < 24)?;
        let mut time = Self { shape: Shape::Time, precision: Precision::Hour, hour, ..Self::date(0, 1, 1) };
        if let Some(minute) = parts.next() {
            time.minute = number(minute, 2).filter(|minute| *minute < 60)?;
            time.precision = Precision::Minute;
        }
        if let Some(second) = parts.next() {
            let (whole, fraction) = second.split_once('.').unwrap_or((second, ""));
            // 60 is a leap second.
            time.second = number(whole, 2).filter(|second| *second <= 60)?;
            if fraction.is_empty() == second.contains('.') {
                return None;
            }
            time.precision = Precision::Second;
            let kept = fraction.get(..fraction.len().min(9)).filter(|kept| kept.bytes().all(|b| b.is_ascii_digit()))?;
            time.digits = u8::try_from(kept.len()).ok()?;
            time.nanos = format!("{kept:0<9}").parse().ok()?;
        }
        parts.next().is_none().then_some(time)
    }
}

/// Exactly this many digits.
fn number<T: std::str::FromStr>(text: &str, digits: usize) -> Option<T> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn offset(text: &str) -> Option<i16> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let hours: i16 = number(hours, 2).filter(|hours| *hours <= 14)?;
    let minutes: i16 = number(minutes, 2).filter(|minutes| *minutes < 60)?;
    Some(sign * (hours * 60 + minutes))
}
