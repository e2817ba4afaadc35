//! The form of a unit of measure in [UCUM](https://ucum.org/ucum): terms of units, joined by '.' and '/', with exponents,
//! brackets and remarks in braces. Which units there are is in UCUM's list, which is not carried.

use super::{Finding, Rule};
use crate::issue::{IssueCode, Severity};

/// The system of units.
pub(crate) const SYSTEM: &str = "http://unitsofmeasure.org";

/// A code that cannot be one of UCUM's.
pub(crate) fn check(code: &str) -> Option<Finding> {
    let problem = problem(code)?;
    let finding =
        Finding::error(Rule::CodeSystem, IssueCode::CodeInvalid, format!("This is no unit of UCUM: {problem}."));
    Some(Finding { severity: Severity::Warning, ..finding })
}

fn problem(code: &str) -> Option<&'static str> {
    // A term may begin with a '/', as in "per minute".
    let mut reader = Reader { rest: code.strip_prefix('/').unwrap_or(code), depth: 0 };
    match reader.term() {
        Err(why) => Some(why),
        Ok(()) if reader.rest.is_empty() => None,
        Ok(()) => Some("units are joined by '.' or '/'"),
    }
}

struct Reader<'c> {
    rest: &'c str,
    depth: u8,
}

impl Reader<'_> {
    fn take(&mut self, token: char) -> bool {
        let found = self.rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    /// What stands up to a closing sign, without signs of its kind in it.
    fn inside(&mut self, close: char, why: &'static str) -> Result<(), &'static str> {
        let end = self.rest.find(close).ok_or(why)?;
        let inner = &self.rest[..end];
        let plain = inner.bytes().all(|byte| matches!(byte, b'!'..=b'~') || (byte == b' ' && close == '}'));
        if !plain || inner.contains(['{', '[']) {
            return Err(why);
        }
        self.rest = &self.rest[end + 1..];
        Ok(())
    }

    fn term(&mut self) -> Result<(), &'static str> {
        loop {
            self.component()?;
            if !self.take('.') && !self.take('/') {
                return Ok(());
            }
        }
    }

    fn component(&mut self) -> Result<(), &'static str> {
        if self.take('(') {
            self.depth += 1;
            if self.depth > 16 {
                return Err("its brackets are nested too deeply");
            }
            self.term()?;
            self.depth -= 1;
            return if self.take(')') { Ok(()) } else { Err("a '(' does not end") };
        }
        let before = self.rest.len();
        loop {
            if self.take('[') {
                self.inside(']', "a '[' does not end")?;
            } else if self.take('{') {
                self.inside('}', "a '{' does not end")?;
            } else {
                let is_symbol =
                    |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'\"*+-<=>?@^_`|~".contains(letter);
                let end = self.rest.find(|letter| !is_symbol(letter)).unwrap_or(self.rest.len());
                if end == 0 {
                    break;
                }
                self.rest = &self.rest[end..];
            }
        }
        if self.rest.len() == before {
            Err("a unit is missing, or holds a sign that UCUM does not have")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn units_as_they_are_written_have_the_form() {
        for good in [
            "kg",
            "mm[Hg]",
            "/min",
            "mg/dL",
            "10*9/L",
            "10^-3",
            "%",
            "Cel",
            "[degF]",
            "mmol/(8.h.kg)",
            "kg.m/s2",
            "{score}",
            "[iU]/mL",
            "mL/min/{1.73_m2}",
            "ug/m3",
            "1",
            "m[H2O]",
            "{beats per minute}/min",
            "cm[H2O].s/L",
            "'",
            "''",
        ] {
            assert_eq!(problem(good), None, "{good}");
        }
    }

    #[test]
    fn what_is_no_unit_is_told() {
        for bad in ["", "mm Hg", "mg//dL", "mg/", "(mg", "mg)", "mm[Hg", "{score", "µg", "kg..m", "/", "a{b{c}}"] {
            assert!(problem(bad).is_some(), "{bad}");
        }
        assert!(problem(&"(".repeat(1000)).is_some());
    }
}
