//! [integer](https://hl7.org/fhir/R4/datatypes.html#integer), unsignedInt and positiveInt: 32 bits, no fraction, no
//! exponent. JSON itself has already refused leading zeros and a leading `+`.

use super::Verdict;

pub(super) fn integer(text: &str) -> Verdict {
    // -0 is the one JSON integer that FHIR's grammar leaves out.
    let whole = text != "-0" && text.parse::<i32>().is_ok();
    if whole { Ok(()) } else { Err("expected a whole number from -2147483648 to 2147483647") }
}

pub(super) fn unsigned_int(text: &str) -> Verdict {
    if at_least(0, text) { Ok(()) } else { Err("expected a whole number from 0 to 2147483647") }
}

pub(super) fn positive_int(text: &str) -> Verdict {
    if at_least(1, text) { Ok(()) } else { Err("expected a whole number from 1 to 2147483647") }
}

fn at_least(least: i32, text: &str) -> bool {
    !text.starts_with('-') && text.parse::<i32>().is_ok_and(|number| number >= least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_thirty_two_bits() {
        assert_eq!(["0", "-1", "2147483647", "-2147483648"].map(integer), [Ok(()); 4]);
        for bad in ["-0", "1.0", "1e3", "2147483648", "-2147483649"] {
            assert!(integer(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn unsigned_starts_at_zero_and_positive_at_one() {
        assert!(unsigned_int("0").is_ok() && unsigned_int("-0").is_err() && unsigned_int("-1").is_err());
        assert!(positive_int("1").is_ok() && positive_int("0").is_err() && positive_int("2147483648").is_err());
    }
}
