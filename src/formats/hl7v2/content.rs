//! Faults of content that must not be passed on, because nobody after us could tell what was meant: a date of birth or of
//! death that is no date, a death that is dated and denied (HL7 v2.4 §2.9.47 and §3.4.2). Everything else is taken as it
//! comes.

use super::fields::{Fields, Segment};

/// A fault, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentFault {
    /// Error code of table 0357.
    pub code: u16,
    /// Such as `PID-7`.
    pub place: &'static str,
    /// A sentence for people, free of patient data.
    pub sentence: &'static str,
}

/// The first fault of a message.
#[must_use]
pub fn fault(message: &Fields<'_>) -> Option<ContentFault> {
    message.segments().filter(|segment| segment.name() == b"PID").find_map(|pid| of_patient(message, pid))
}

fn of_patient(message: &Fields<'_>, pid: Segment<'_, '_>) -> Option<ContentFault> {
    let value = |number: usize| {
        let first = message.repetitions(pid.field(number)).next().unwrap_or_default();
        // `""` takes the value away.
        Some(message.component(first, 1).trim_ascii()).filter(|text| !matches!(*text, b"" | b"\"\""))
    };
    let no_date = |place, sentence| Some(ContentFault { code: 102, place, sentence });
    if value(7).is_some_and(|text| !is_time(text)) {
        return no_date(
            "PID-7",
            "PID-7 (date of birth) is no date: YYYY, YYYYMM or YYYYMMDD, with a time where known.",
        );
    }
    let died = value(29);
    if died.is_some_and(|text| !is_time(text)) {
        return no_date(
            "PID-29",
            "PID-29 (date of death) is no date: YYYY, YYYYMM or YYYYMMDD, with a time where known.",
        );
    }
    let denied = matches!(value(30), Some(b"N" | b"n"));
    (died.is_some() && denied).then_some(ContentFault {
        code: 102,
        place: "PID-30",
        sentence: "PID-29 dates a death that PID-30 denies.",
    })
}

/// TS or DTM: as many digits as are known, fractions of a second, a zone.
fn is_time(text: &[u8]) -> bool {
    let (digits, zone) = match text.iter().position(|byte| matches!(byte, b'+' | b'-')) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let (digits, fraction) = match digits.iter().position(|byte| *byte == b'.') {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let all_digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    let two = |from: usize| digits.get(from..from + 2).map(|pair| (pair[0] - b'0') * 10 + (pair[1] - b'0'));
    all_digits(digits)
        && matches!(digits.len(), 4 | 6 | 8 | 10 | 12 | 14)
        && fraction.is_none_or(|fraction| digits.len() == 14 && all_digits(fraction))
        && zone.is_none_or(|zone| zone.len() == 4 && all_digits(zone))
        && two(4).is_none_or(|month| (1..=12).contains(&month))
        && two(6).is_none_or(|day| is_day(digits, day))
        && two(8).is_none_or(|hour| hour <= 24)
        && [10, 12].into_iter().all(|at| two(at).is_none_or(|part| part < 60))
}

fn is_day(digits: &[u8], day: u8) -> bool {
    let number = |part: &[u8]| part.iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let year = i32::try_from(number(&digits[..4])).unwrap_or_default();
    chrono::NaiveDate::from_ymd_opt(year, number(&digits[4..6]), u32::from(day)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pid: &str) -> Option<&'static str> {
        let message = format!("MSH|^~\\&|A|B\r{pid}\r");
        fault(&Fields::read(message.as_bytes()).unwrap()).map(|fault| fault.place)
    }

    #[test]
    fn dates_of_every_precision_are_dates() {
        let born = |date: &str| told(&format!("PID|1||1||||{date}"));
        for date in [
            "",
            "\"\"",
            "1965",
            "196512",
            "19651213",
            "1965121315",
            "196512131515",
            "19651213151530",
            "20240229",
            "19651213151530.1234+0000",
            "20260701093000-0500",
            "19651213^D",
            "196512132400",
        ] {
            assert_eq!(born(date), None, "{date}");
        }
        for date in [
            "19651313",
            "19650230",
            "1965-12-13",
            "65",
            "13/12/1965",
            "1965121",
            "yesterday",
            "19651213.5",
            "20260701+1",
        ] {
            assert_eq!(born(date), Some("PID-7"), "{date}");
        }
    }

    #[test]
    fn a_death_is_dated_or_denied_and_not_both() {
        let died = |date: &str, indicator: &str| told(&format!("PID|1||1{}{date}|{indicator}", "|".repeat(26)));
        assert_eq!(died("20260101", "Y"), None);
        assert_eq!(died("20260101", ""), None);
        assert_eq!(died("", "N"), None);
        assert_eq!(died("\"\"", "N"), None);
        assert_eq!(died("20260101", "N"), Some("PID-30"));
        assert_eq!(died("20261301", "Y"), Some("PID-29"));
    }
}
