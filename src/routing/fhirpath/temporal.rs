//! Dates and times of any precision, compared as [FHIRPath](https://hl7.org/fhirpath/N1/#datetime) does: two that
//! agree as far as both go, but not equally far, are neither equal nor ordered.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// A [FHIR date or dateTime](https://hl7.org/fhir/R4/datatypes.html#dateTime).
pub(super) struct Temporal {
    /// Year, month, day, hour, minute, nanoseconds of the minute, as far as written.
    fields: Vec<i64>,
    /// The instant, when there is a zone.
    instant: Option<DateTime<Utc>>,
}

impl Temporal {
    /// Reads `2024`, `2024-05`, `2024-05-31`, `2024-05-31T09:30`, with seconds, a fraction and a zone as wanted.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('T').unwrap_or((text, ""));
        let mut fields = date_fields(date)?;
        if time.is_empty() {
            return Some(Self { fields, instant: None });
        }
        let (time, offset) = split_zone(time)?;
        let clock = time_fields(time)?;
        let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
        let seconds = u32::try_from(clock.get(2).unwrap_or(&0) / 1_000_000_000).ok()?;
        let nanos = u32::try_from(clock.get(2).unwrap_or(&0) % 1_000_000_000).ok()?;
        let hour = u32::try_from(clock[0]).ok()?;
        let minute = u32::try_from(*clock.get(1).unwrap_or(&0)).ok()?;
        let local = NaiveDateTime::new(date, NaiveTime::from_hms_nano_opt(hour, minute, seconds.min(59), nanos)?);
        fields.extend(clock);
        let instant = offset.and_then(|minutes| local.checked_sub_signed(chrono::Duration::minutes(minutes)));
        Some(Self { fields, instant: instant.map(|time| time.and_utc()) })
    }

    /// `None`: it cannot be told.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        let same_precision = self.fields.len() == other.fields.len();
        if let (Some(one), Some(another)) = (self.instant, other.instant)
            && same_precision
        {
            return Some(one.cmp(&another));
        }
        // Without a common zone only the days can be told apart.
        let comparable = if self.instant.is_some() == other.instant.is_some() { usize::MAX } else { 3 };
        let pairs = self.fields.iter().zip(&other.fields).take(comparable);
        let order = pairs.map(|(one, another)| one.cmp(another)).find(|order| order.is_ne());
        let whole = same_precision && self.fields.len() <= comparable;
        order.or_else(|| whole.then_some(Ordering::Equal))
    }
}

fn date_fields(date: &str) -> Option<Vec<i64>> {
    let widths = date.split('-').map(str::len).eq([4, 2, 2].into_iter().take(date.split('-').count()));
    let fields: Vec<i64> = date.split('-').map(digits).collect::<Option<_>>()?;
    let first_day = |fields: &[i64]| {
        let number = |at: usize| fields.get(at).copied().unwrap_or(1);
        let (month, day) = (u32::try_from(number(1)).ok()?, u32::try_from(number(2)).ok()?);
        NaiveDate::from_ymd_opt(i32::try_from(number(0)).ok()?, month, day)
    };
    (widths && fields.len() <= 3 && first_day(&fields).is_some()).then_some(fields)
}

/// Hours, minutes, nanoseconds of the minute, as far as written.
fn time_fields(time: &str) -> Option<Vec<i64>> {
    let mut fields = Vec::new();
    for (at, part) in time.split(':').enumerate() {
        let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
        let number = digits(whole).filter(|_| whole.len() == 2)?;
        match at {
            0 | 1 if fraction.is_empty() => fields.push(number),
            2 => {
                let nanos = digits(&format!("{fraction:0<9}")[..9])?;
                fields.push(number * 1_000_000_000 + nanos);
            }
            _ => return None,
        }
    }
    Some(fields)
}

/// The time, and its zone's minutes east of UTC.
fn split_zone(time: &str) -> Option<(&str, Option<i64>)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, Some(0)));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, None)) };
    let (hours, minutes) = time[at + 1..].split_once(':')?;
    let east = digits(hours)? * 60 + digits(minutes)?;
    (hours.len() == 2 && minutes.len() == 2)
        .then(|| (&time[..at], Some(if time[at..].starts_with('-') { -east } else { east })))
}

fn digits(text: &str) -> Option<i64> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ordering::{Equal, Greater, Less};
    use proptest::prelude::*;

    #[test]
    fn times_are_compared_as_far_as_both_go() {
        let cases = [
            ("2024-05-31", "2024-06-01", Some(Less)),
            ("2024", "2023-12-31", Some(Greater)),
            ("2024-05", "2024-05-31", None),
            ("2024-05-31", "2024-05-31", Some(Equal)),
            ("2024-05-31T09:30:00Z", "2024-05-31T10:30:00+01:00", Some(Equal)),
            ("2024-05-31T09:30:00.5Z", "2024-05-31T09:30:00Z", Some(Greater)),
            ("2024-05-31T09:30:00", "2024-05-31T09:30:00Z", None),
            ("2024-05-30T09:30:00", "2024-05-31T09:30:00Z", Some(Less)),
            ("2024-05-31T09:30:00Z", "2024-05-31", None),
            ("2024-05-31T09:30", "2024-05-31T09:31", Some(Less)),
        ];
        for (one, other, expected) in cases {
            let compared = Temporal::parse(one).unwrap().compare(&Temporal::parse(other).unwrap());
            assert_eq!(compared, expected, "{one} and {other}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for wrong in [
            "",
            "24",
            "2024-13",
            "2024-02-30",
            "2024-5-1",
            "2024-05-31T9:30",
            "2024-05-31T09:30:00+1",
            "x",
            "2024T10:00",
        ] {
            assert!(Temporal::parse(wrong).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9TZ:.+é-]{0,30}") {
            let _ = Temporal::parse(&text);
        }
    }
}
