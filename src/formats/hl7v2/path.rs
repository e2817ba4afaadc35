//! Where a value stands in a message, as people write it: `PID-3[2].4.1` is the first subcomponent of the fourth component
//! of the second repetition of PID-3. All numbers count from 1. What is left out is the first; `OBX[3]-5` is of the third
//! OBX. (HL7 v2.4 §2.7 names positions so; the brackets are how most engines write them.)

use std::fmt;
use std::str::FromStr;

/// The place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// Three letters or digits.
    pub segment: [u8; 3],
    /// Which of the segments of that name.
    pub occurrence: usize,
    /// Number of the field; MSH-1 is the field separator.
    pub field: usize,
    /// Which repetition, where it says so.
    pub repetition: Option<usize>,
    /// Which component, where it says so.
    pub component: Option<usize>,
    /// Which subcomponent, where it says so.
    pub subcomponent: Option<usize>,
}

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no place in a message; write it as PID-3, PID-3[2].4.1 or OBX[3]-5")]
pub struct PathError(String);

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        read(text).ok_or_else(|| PathError(text.to_owned()))
    }
}

fn read(text: &str) -> Option<Path> {
    let (segment, rest) = text.split_once('-')?;
    let (name, occurrence) = indexed(segment)?;
    let segment: [u8; 3] = name.as_bytes().try_into().ok()?;
    let is_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if !segment.iter().all(is_name) || !segment[0].is_ascii_uppercase() {
        return None;
    }
    let mut parts = rest.split('.');
    let (field, repetition) = indexed(parts.next()?)?;
    let field = number(field)?;
    let mut part = || match parts.next() {
        Some(text) => number(text).map(Some),
        None => Some(None),
    };
    let (component, subcomponent) = (part()?, part()?);
    parts.next().is_none().then_some(Path {
        segment,
        occurrence: occurrence.unwrap_or(1),
        field,
        repetition,
        component,
        subcomponent,
    })
}

/// A name or number, and the number in brackets behind it.
fn indexed(text: &str) -> Option<(&str, Option<usize>)> {
    match text.split_once('[') {
        None => Some((text, None)),
        Some((name, index)) => Some((name, Some(number(index.strip_suffix(']')?)?))),
    }
}

fn number(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number > 0)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.segment))?;
        if self.occurrence > 1 {
            write!(f, "[{}]", self.occurrence)?;
        }
        write!(f, "-{}", self.field)?;
        if let Some(repetition) = self.repetition {
            write!(f, "[{repetition}]")?;
        }
        for part in [self.component, self.subcomponent].into_iter().map_while(|part| part) {
            write!(f, ".{part}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_and_written_as_it_was() {
        for text in ["PID-3", "PID-3[2]", "PID-3.4", "PID-3[2].4.1", "OBX[12]-5[1].2", "ZU1-10", "MSH-9.3"] {
            assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
        }
        let path: Path = "PID-3[2].4.1".parse().unwrap();
        assert_eq!((path.field, path.repetition, path.component, path.subcomponent), (3, Some(2), Some(4), Some(1)));
    }

    #[test]
    fn what_is_no_path_is_told() {
        for text in [
            "",
            "PID",
            "PID-",
            "PID-0",
            "pid-3",
            "PIDX-3",
            "PI-3",
            "PID-3.0",
            "PID-3.4.1.1",
            "PID-3[",
            "PID-3[0]",
            "PID-+3",
            "1ID-3",
            "PID-123456",
        ] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
        assert_eq!(
            "PID.3".parse::<Path>().unwrap_err().to_string(),
            "\"PID.3\" is no place in a message; write it as PID-3, PID-3[2].4.1 or OBX[3]-5"
        );
    }
}
