//! `case.toml`: who sends what, and what is expected of it.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config;
use crate::exchange::Interaction;

/// One golden case.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// Which source sends it.
    pub(super) source: String,
    /// File with the resource.
    #[serde(default = "in_json")]
    pub(super) resource: String,
    /// `create`, `update` or `transaction`.
    #[serde(default = "create")]
    pub(super) interaction: String,
    /// When it arrives.
    #[serde(default = "moment")]
    #[schemars(with = "String")]
    pub(super) received: DateTime<Utc>,
    /// Files with the payloads, by destination.
    #[serde(default)]
    pub(super) expected: BTreeMap<String, String>,
    /// Whether it is expected to be held in quarantine; the payloads are those of a release.
    #[serde(default)]
    pub(super) quarantined: bool,
    /// Status of the refusal that is expected instead.
    pub(super) refused: Option<u16>,
}

impl Case {
    /// What is asked.
    ///
    /// # Errors
    /// When it is none of the four.
    pub(super) fn interaction(&self) -> Result<Interaction, String> {
        let known = "case.toml: interaction: expected create, update, transaction or message";
        Interaction::from_code(&self.interaction).ok_or_else(|| known.to_owned())
    }
}

fn in_json() -> String {
    "in.json".to_owned()
}

fn create() -> String {
    Interaction::Create.as_str().to_owned()
}

fn moment() -> DateTime<Utc> {
    // Any moment will do, as long as it is always the same one.
    DateTime::from_timestamp(1_767_268_800, 0).unwrap_or_default()
}

/// Reads the `case.toml` of a folder.
///
/// # Errors
/// All that is wrong with it, with its places.
pub(super) fn read(folder: &Path) -> Result<Case, String> {
    let text = std::fs::read_to_string(folder.join("case.toml"))
        .map_err(|error| format!("case.toml cannot be read: {error}"))?;
    let case: Case = config::read_toml("case.toml", &text).map_err(|errors| errors.to_string())?;
    if case.refused.is_some() && !case.expected.is_empty() {
        return Err("case.toml: a message is either refused or expected somewhere, not both".to_owned());
    }
    Ok(case)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Case, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("case.toml"), text).unwrap();
        read(folder.path())
    }

    #[test]
    fn a_case_needs_a_source_and_says_what_is_wrong_with_it() {
        let case = of("source = \"pas\"\n").unwrap();
        assert_eq!((case.resource.as_str(), case.interaction()), ("in.json", Ok(Interaction::Create)));
        assert_eq!(case.received.to_rfc3339(), "2026-01-01T12:00:00+00:00");
        assert!(of("").unwrap_err().contains("source"));
        let told = of("source = \"pas\"\nexpcted = {}\nrefused = \"no\"\nreceived = \"noon\"\n").unwrap_err();
        for told_of in [
            "case.toml:2:1: expcted: unknown setting, did you mean expected?",
            "case.toml:3:1: refused: found \"no\", expected a whole number",
            "case.toml:4:1: received: ",
        ] {
            assert!(told.contains(told_of), "{told_of}: {told}");
        }
        assert!(of("source = \"pas\"\nrefused = 422\nexpected = { a = \"a.json\" }\n").is_err());
        assert!(of("source = \"pas\"\ninteraction = \"read\"\n").unwrap().interaction().is_err());
        assert!(read(Path::new("no/such/folder")).unwrap_err().starts_with("case.toml cannot be read"));
    }
}
