//! Why a text is not the JSON we accept, and where. Messages never quote values, only keys and punctuation.

use std::fmt;

use super::Position;

/// What is wrong with the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadErrorKind {
    /// The text is empty or holds only white space.
    Empty,
    /// The bytes are not UTF-8.
    InvalidUtf8,
    /// The text ends inside a value.
    Truncated,
    /// Another character was needed here; holds what was expected.
    Expected(&'static str),
    /// A string holds a control character or a broken escape.
    BadString(&'static str),
    /// A number is not written as JSON allows.
    BadNumber,
    /// An object has this key twice.
    DuplicateKey(String),
    /// Objects and arrays are nested more deeply than the limit.
    TooDeep(u32),
    /// The text is larger than four gigabytes.
    TooLarge,
    /// Something follows the value.
    TrailingText,
}

/// A text that could not be read, with the first place that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// What is wrong.
    pub kind: ReadErrorKind,
    /// Byte offset of the place.
    pub offset: usize,
    /// Line and column of the place.
    pub position: Position,
}

impl fmt::Display for ReadErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the body is empty"),
            Self::InvalidUtf8 => f.write_str("the text is not valid UTF-8"),
            Self::Truncated => f.write_str("the text ends before the value is complete"),
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::BadString(what) => f.write_str(what),
            Self::BadNumber => {
                f.write_str("a number must be written as JSON allows (no leading zero or '+', digits after the point)")
            }
            Self::DuplicateKey(key) => write!(f, "the property '{key}' appears twice in one object"),
            Self::TooDeep(limit) => write!(f, "objects and arrays are nested more than {limit} levels deep"),
            Self::TooLarge => f.write_str("the text is larger than four gigabytes"),
            Self::TrailingText => f.write_str("there is text after the end of the value"),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}, column {})", self.kind, self.position.line, self.position.column)
    }
}

impl std::error::Error for ReadError {}
