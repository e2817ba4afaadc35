//! [date](https://hl7.org/fhir/R4/datatypes.html#date), dateTime, instant and time: days that exist in the calendar,
//! seconds always written, and a zone wherever there is a time of day on a date.

use super::Verdict;

pub(super) fn date(text: &str) -> Verdict {
    let rest = calendar(text.as_bytes())?;
    if rest.is_empty() { Ok(()) } else { Err("expected YYYY, YYYY-MM or YYYY-MM-DD and nothing after it") }
}

pub(super) fn date_time(text: &str) -> Verdict {
    let rest = calendar(text.as_bytes())?;
    match rest {
        [] => Ok(()),
        // A time of day needs the whole date before it.
        [b'T', time @ ..] if text.len() - rest.len() == 10 => zoned(time),
        _ => Err("expected YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a zone"),
    }
}

pub(super) fn instant(text: &str) -> Verdict {
    let rest = calendar(text.as_bytes())?;
    match rest {
        [b'T', time @ ..] if text.len() - rest.len() == 10 => zoned(time),
        _ => Err("expected YYYY-MM-DDThh:mm:ss with a zone"),
    }
}

pub(super) fn time(text: &str) -> Verdict {
    if clock(text.as_bytes())?.is_empty() { Ok(()) } else { Err("expected hh:mm:ss and no zone") }
}

/// Year, month and day as far as they are written; the rest of the text.
fn calendar(text: &[u8]) -> Result<&[u8], &'static str> {
    let (year, rest) = digits::<4>(text).ok_or("expected a year of four digits")?;
    if year == 0 {
        return Err("there is no year 0000");
    }
    let [b'-', rest @ ..] = rest else { return Ok(rest) };
    let (month, rest) = digits::<2>(rest).ok_or("expected a month of two digits")?;
    if !(1..=12).contains(&month) {
        return Err("the month must be from 01 to 12");
    }
    let [b'-', rest @ ..] = rest else { return Ok(rest) };
    let (day, rest) = digits::<2>(rest).ok_or("expected a day of two digits")?;
    if !(1..=days_in(year, month)).contains(&day) {
        return Err("that month does not have that day");
    }
    Ok(rest)
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn zoned(text: &[u8]) -> Verdict {
    let zone = "expected a zone after the time: Z, or an offset such as +01:00";
    match clock(text)? {
        [b'Z'] => Ok(()),
        [b'+' | b'-', offset @ ..] => {
            let (hours, rest) = digits::<2>(offset).ok_or(zone)?;
            let [b':', rest @ ..] = rest else { return Err(zone) };
            let (minutes, rest) = digits::<2>(rest).ok_or(zone)?;
            let real = minutes <= 59 && (hours <= 13 || (hours == 14 && minutes == 0));
            if rest.is_empty() && real { Ok(()) } else { Err(zone) }
        }
        _ => Err(zone),
    }
}

/// Hours, minutes, seconds and a fraction of them; the rest of the text.
fn clock(text: &[u8]) -> Result<&[u8], &'static str> {
    let shape = "expected a time as hh:mm:ss";
    let (hours, rest) = digits::<2>(text).ok_or(shape)?;
    let [b':', rest @ ..] = rest else { return Err(shape) };
    let (minutes, rest) = digits::<2>(rest).ok_or(shape)?;
    let [b':', rest @ ..] = rest else { return Err("the seconds must be written") };
    let (seconds, rest) = digits::<2>(rest).ok_or(shape)?;
    // 60 is a leap second.
    if hours > 23 || minutes > 59 || seconds > 60 {
        return Err("there is no such time of day");
    }
    let [b'.', fraction @ ..] = rest else { return Ok(rest) };
    let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 { Err("a digit must follow the decimal point") } else { Ok(&fraction[length..]) }
}

/// A number of exactly `N` digits at the start.
fn digits<const N: usize>(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<N>()?;
    let number = digits
        .iter()
        .try_fold(0, |number, &byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))?;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(scan: impl Fn(&str) -> Verdict, texts: &[&str]) {
        for text in texts {
            assert!(scan(text).is_err(), "{text} should be refused");
        }
    }

    #[test]
    fn dates_exist_in_the_calendar() {
        for good in ["2024", "2024-02", "2024-02-29", "2000-02-29", "0001-01-01"] {
            assert_eq!(date(good), Ok(()), "{good}");
        }
        refused(date, &["", "24", "2023-02-29", "1900-02-29", "2024-13", "2024-00", "2024-04-31", "0000"]);
        refused(date, &["2024-1-1", "2024-01-01T00:00:00Z", "2024-01-01 ", "2024/01/01", "20240101", "2024-"]);
    }

    #[test]
    fn a_time_on_a_date_has_seconds_and_a_zone() {
        for good in ["2024", "2024-05-01", "2024-05-01T23:59:60Z", "2024-05-01T10:00:00.123456+14:00"] {
            assert_eq!(date_time(good), Ok(()), "{good}");
        }
        refused(date_time, &["2024-05-01T10:00:00", "2024-05-01T10:00Z", "2024-05T10:00:00Z", "2024-05-01T24:00:00Z"]);
        refused(date_time, &["2024-05-01T10:00:00.Z", "2024-05-01T10:00:00+14:30", "2024-05-01T10:00:00+1:00"]);
        refused(date_time, &["2024-05-01T", "2024-05-01T10:60:00Z", "2024-05-01T10:00:61Z", "2024-05-01T10:00:00Zx"]);
    }

    #[test]
    fn an_instant_is_whole_and_a_time_has_no_zone() {
        assert_eq!(instant("2024-05-01T10:00:00.5-05:00"), Ok(()));
        refused(instant, &["2024", "2024-05-01", "2024-05-01T10:00:00"]);
        assert_eq!(time("08:30:00.25"), Ok(()));
        refused(time, &["08:30", "08:30:00Z", "24:00:00", "8:30:00", ""]);
    }
}
