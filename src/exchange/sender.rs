//! Who sent an exchange: the configured source that proved itself, and the organisations it names.

use std::fmt;
use std::str::FromStr;

/// An Organisation Data Service code: the organisation's id across the NHS, upper-case letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OdsCode(String);

/// Why a text is not an ODS code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an ODS code is 1 to 12 upper-case letters and digits")]
pub struct InvalidOdsCode;

impl OdsCode {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OdsCode {
    type Err = InvalidOdsCode;

    fn from_str(text: &str) -> Result<Self, InvalidOdsCode> {
        let shape = (1..=12).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if shape { Ok(Self(text.to_owned())) } else { Err(InvalidOdsCode) }
    }
}

impl fmt::Display for OdsCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A partner system that has proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Name of the source in the configuration.
    pub source: String,
    /// The organisation that runs it.
    pub ods: OdsCode,
}
