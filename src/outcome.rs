//! The [OperationOutcome](https://hl7.org/fhir/R4/operationoutcome.html): issues as people and machines read them.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

/// One fault or remark. Data, not an error; stored with the exchange it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// `fatal`, `error`, `warning` or `information`.
    pub severity: String,
    /// Code of the [issue type](https://hl7.org/fhir/R4/valueset-issue-type.html).
    pub code: String,
    /// A sentence an engineer can act on; never a value of the payload beyond a short code.
    pub message: String,
    /// FHIRPath of the element, such as `Patient.name[0].family`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Line in the body, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in the body in characters, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// Canonical of the profile that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

impl Issue {
    /// An error without a place.
    pub fn error(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of("error", code, message)
    }

    /// A remark without a place.
    pub fn information(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of("information", code, message)
    }

    fn of(severity: &str, code: impl Into<String>, message: impl Into<String>) -> Self {
        let (severity, code, message) = (severity.to_owned(), code.into(), message.into());
        Self { severity, code, message, expression: None, line: None, column: None, profile: None }
    }

    /// The same at a place in the body.
    #[must_use]
    pub fn at(mut self, line: u32, column: u32) -> Self {
        (self.line, self.column) = (Some(line), Some(column));
        self
    }

    /// Whether this alone makes a resource invalid.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(self.severity.as_str(), "fatal" | "error")
    }
}

/// An OperationOutcome with these issues, as it is serialised; FHIR wants at least one, so none becomes "all ok".
#[derive(Debug, Clone, Copy)]
pub struct OperationOutcome<'i>(pub &'i [Issue]);

impl Serialize for OperationOutcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let none = [Element::of("information", "informational", "No issues were found.")];
        let mut outcome = serializer.serialize_struct("OperationOutcome", 2)?;
        outcome.serialize_field("resourceType", "OperationOutcome")?;
        match self.0 {
            [] => outcome.serialize_field("issue", &none)?,
            issues => outcome.serialize_field("issue", &issues.iter().map(Element::from).collect::<Vec<_>>())?,
        }
        outcome.end()
    }
}

/// An element of `OperationOutcome.issue`.
#[derive(Serialize)]
struct Element<'i> {
    severity: &'i str,
    code: &'i str,
    diagnostics: &'i str,
    /// Line and column are FHIR's own extensions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extension: Vec<Extension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expression: Option<[&'i str; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Extension {
    url: &'static str,
    value_integer: u32,
}

#[derive(Serialize)]
struct Details {
    text: String,
}

const LINE: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line";
const COLUMN: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col";

impl<'i> Element<'i> {
    fn of(severity: &'i str, code: &'i str, diagnostics: &'i str) -> Self {
        Self { severity, code, diagnostics, extension: Vec::new(), details: None, expression: None }
    }
}

impl<'i> From<&'i Issue> for Element<'i> {
    fn from(issue: &'i Issue) -> Self {
        let place = [(LINE, issue.line), (COLUMN, issue.column)].into_iter();
        Self {
            extension: place.filter_map(|(url, number)| Some(Extension { url, value_integer: number? })).collect(),
            details: issue.profile.as_ref().map(|profile| Details { text: format!("required by {profile}") }),
            expression: issue.expression.as_deref().map(|expression| [expression]),
            ..Self::of(&issue.severity, &issue.code, &issue.message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_says_where_it_is_and_who_says_so() {
        let issue = Issue {
            expression: Some("Patient.identifier[0].system".to_owned()),
            profile: Some("http://hl7.org/fhir/StructureDefinition/Patient".to_owned()),
            ..Issue::error("required", "an identifier needs a system").at(4, 9)
        };
        insta::assert_snapshot!(serde_json::to_string_pretty(&OperationOutcome(&[issue])).unwrap());
    }

    #[test]
    fn no_issues_read_as_all_well_because_an_outcome_needs_one() {
        let outcome = serde_json::to_value(OperationOutcome(&[])).unwrap();
        assert_eq!(outcome["issue"].as_array().map(Vec::len), Some(1));
        assert_eq!(outcome["issue"][0]["severity"], "information");
    }

    #[test]
    fn only_errors_and_worse_make_a_resource_invalid() {
        let of = |severity: &str| Issue { severity: severity.to_owned(), ..Issue::error("invalid", "") };
        assert!(of("fatal").is_error() && of("error").is_error());
        assert!(!of("warning").is_error() && !of("information").is_error());
    }
}
