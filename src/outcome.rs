//! The [OperationOutcome](https://hl7.org/fhir/R4/operationoutcome.html): issues as people and machines read them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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

    /// As an element of `OperationOutcome.issue`. Line and column are FHIR's own extensions.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut issue = json!({ "severity": self.severity, "code": self.code, "diagnostics": self.message });
        let number = |url: &str, number: u32| json!({ "url": format!("http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-{url}"), "valueInteger": number });
        let place: Vec<Value> = [self.line.map(|line| number("line", line)), self.column.map(|col| number("col", col))]
            .into_iter()
            .flatten()
            .collect();
        if !place.is_empty() {
            issue["extension"] = Value::Array(place);
        }
        if let Some(profile) = &self.profile {
            issue["details"] = json!({ "text": format!("required by {profile}") });
        }
        if let Some(expression) = &self.expression {
            issue["expression"] = json!([expression]);
        }
        issue
    }
}

/// An OperationOutcome holding these issues; FHIR wants at least one, so none becomes "all ok".
#[must_use]
pub fn operation_outcome(issues: &[Issue]) -> Value {
    let none = [Issue::information("informational", "No issues were found.")];
    let issues = if issues.is_empty() { &none[..] } else { issues };
    json!({ "resourceType": "OperationOutcome", "issue": issues.iter().map(Issue::to_json).collect::<Vec<_>>() })
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
        insta::assert_snapshot!(serde_json::to_string_pretty(&operation_outcome(&[issue])).unwrap());
    }

    #[test]
    fn no_issues_read_as_all_well_because_an_outcome_needs_one() {
        let outcome = operation_outcome(&[]);
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
