//! Decimal numbers compared exactly, digit by digit, whatever their length and exponent
//! ([decimal](https://hl7.org/fhirpath/N1/#decimal)).

use std::cmp::Ordering;

/// `0.digits * 10^point`, without leading or trailing zeros; zero has no digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    point: i64,
    digits: Vec<u8>,
}

impl Decimal {
    /// Reads a number as JSON or FHIRPath write it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let leading = digits.iter().take_while(|&&digit| digit == b'0').count();
        digits.drain(..leading);
        let trailing = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
        digits.truncate(digits.len() - trailing);
        if digits.is_empty() {
            return Some(Self { negative: false, point: 0, digits });
        }
        let point = exponent_of(exponent)?.saturating_add(length(whole.len())).saturating_sub(length(leading));
        Some(Self { negative, point, digits })
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

/// An exponent beyond all measure is as good as the largest.
fn exponent_of(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| sign * digits.parse::<i64>().unwrap_or(i64::MAX / 2))
}

fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

impl From<usize> for Decimal {
    fn from(number: usize) -> Self {
        Self::parse(&number.to_string()).unwrap_or(Self { negative: false, point: 0, digits: Vec::new() })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = || (self.point, &self.digits).cmp(&(other.point, &other.digits));
        self.sign().cmp(&other.sign()).then_with(|| match self.sign() {
            0 => Ordering::Equal,
            1 => magnitude(),
            _ => magnitude().reverse(),
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn the_same_number_written_differently_is_equal() {
        for (one, other) in [("1.0", "1"), ("100", "1e2"), ("0.010", "1E-2"), ("-0", "0.000e9"), ("12.5e+1", "125")] {
            assert_eq!(decimal(one), decimal(other));
        }
    }

    #[test]
    fn more_digits_than_any_float_holds_still_count() {
        assert!(decimal("0.10000000000000000000000001") > decimal("0.1"));
        assert!(decimal("1e999999999999999999999") > decimal("9e300"));
        assert!(decimal("-1e999") < decimal("-1") && decimal("1e-999") > decimal("0"));
        for wrong in ["", "-", ".", "1e", "1ee2", "1.2.3", "+1", "x"] {
            assert_eq!(Decimal::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn order_is_that_of_the_numbers(a in -100_000_i64..100_000, b in -100_000_i64..100_000, places in 0_u32..6) {
            let write = |number: i64| format!("{number}e-{places}");
            prop_assert_eq!(decimal(&write(a)).cmp(&decimal(&write(b))), a.cmp(&b));
            let plain = |number: i64| format!("{}{}.{:03}", if number < 0 { "-" } else { "" }, number.abs() / 1000, number.abs() % 1000);
            prop_assert_eq!(decimal(&plain(a)), decimal(&format!("{a}e-3")));
        }
    }
}
