//! What is wrong with a configuration: where it stands, what was found and what would be right. All problems that can
//! be found are reported at once.

use std::fmt;
use std::sync::Arc;

/// A place in a configuration file; line and column count from 1, in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, relative to the configuration folder.
    pub file: Arc<str>,
    /// The line; 0 when the file itself is meant.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Place {
    /// A file as a whole.
    #[must_use]
    pub fn file(name: &str) -> Self {
        Self { file: Arc::from(name), line: 0, column: 0 }
    }

    /// The byte of a file's text that is this far from its beginning.
    #[must_use]
    pub fn within(file: &str, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let count = |number: usize| u32::try_from(number + 1).unwrap_or(u32::MAX);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            file: Arc::from(file),
            line: count(before.matches('\n').count()),
            column: count(before[line_start..].chars().count()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{}", self.file, self.column),
        }
    }
}

/// What is wrong with one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Another value is needed.
    Unexpected {
        /// What stands there; never a secret.
        found: String,
        /// What would be right.
        expected: String,
    },
    /// There is no such setting.
    Unknown {
        /// The setting that was probably meant.
        nearest: Option<String>,
        /// All that exist here.
        known: Vec<String>,
    },
    /// A setting that has no default is not there.
    Missing,
    /// Anything else, as a sentence.
    Other(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { found, expected } => write!(f, "found {found}, expected {expected}"),
            Self::Unknown { nearest: Some(nearest), .. } => write!(f, "unknown setting, did you mean {nearest}?"),
            Self::Unknown { nearest: None, known } => {
                write!(f, "unknown setting, expected one of {}", known.join(", "))
            }
            Self::Missing => f.write_str("this setting is needed and has no default"),
            Self::Other(sentence) => f.write_str(sentence),
        }
    }
}

/// A setting, as its path within what was looked at (`tls.key`; empty: all of it), and what is wrong with it.
pub type Fault = (String, String);

/// One problem of a configuration, shown as `signalbox.toml:12:1: destinations.pas.on_reject: found "hold", expected
/// one of hold-patient, skip`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// Where.
    pub place: Place,
    /// The setting, such as `destinations.pas.on_reject` or `routes[2].to`; empty when the file as a whole is meant.
    pub key: String,
    /// What is wrong.
    pub problem: Problem,
}

impl ConfigError {
    /// Whether this is about the same setting as `other`, or about something inside it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let rest = self.key.strip_prefix(other.key.as_str());
        !other.key.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }

    /// Whether this setting is missing because the unknown one of `other` was meant to be it.
    fn is_misspelt_in(&self, other: &Self) -> bool {
        let (table, name) = self.key.rsplit_once('.').unwrap_or(("", &self.key));
        let beside = other.key.rsplit_once('.').unwrap_or(("", &other.key)).0 == table;
        let meant = matches!(&other.problem, Problem::Unknown { nearest: Some(nearest), .. } if nearest == name);
        self.problem == Problem::Missing && beside && meant
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(f, "{}: {}", self.place, self.problem),
            key => write!(f, "{}: {key}: {}", self.place, self.problem),
        }
    }
}

/// Every problem that was found, one a line, in the order of the files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// The problems, sorted by place.
    #[must_use]
    pub fn new(mut errors: Vec<ConfigError>) -> Self {
        errors.sort_by(|a, b| a.place.cmp(&b.place));
        errors.dedup();
        let misspelt = |error: &ConfigError| errors.iter().any(|other| error.is_misspelt_in(other));
        let misspelt: Vec<bool> = errors.iter().map(misspelt).collect();
        let mut misspelt = misspelt.into_iter();
        errors.retain(|_| !misspelt.next().unwrap_or(false));
        Self(errors)
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems one by one.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.0.iter()
    }
}

impl<'e> IntoIterator for &'e ConfigErrors {
    type Item = &'e ConfigError;
    type IntoIter = std::slice::Iter<'e, ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// The one of `known` that `written` was probably meant to be.
#[must_use]
pub fn nearest<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let close = |candidate: &str| {
        let distance = strsim::damerau_levenshtein(&written.to_lowercase(), &candidate.to_lowercase());
        (distance <= 2.max(candidate.len() / 3)).then_some(distance)
    };
    let ranked = known.into_iter().filter_map(|candidate| Some((close(candidate)?, candidate)));
    ranked.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_setting_is_told_its_nearest_name() {
        let known = ["max_body", "max_depth", "timeout"];
        assert_eq!(nearest("max_bdy", known), Some("max_body"));
        assert_eq!(nearest("Timeout", known), Some("timeout"));
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn an_error_reads_as_editors_expect() {
        let place = Place { file: Arc::from("signalbox.toml"), line: 12, column: 1 };
        let problem = Problem::Unexpected { found: "\"hold\"".into(), expected: "one of hold-patient, skip".into() };
        let error = ConfigError { place, key: "destinations.pas.on_reject".into(), problem };
        assert_eq!(
            error.to_string(),
            "signalbox.toml:12:1: destinations.pas.on_reject: found \"hold\", expected one of hold-patient, skip"
        );
    }
}
