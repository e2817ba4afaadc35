//! What a validation finds: see [OperationOutcome](https://hl7.org/fhir/R4/operationoutcome.html).
//!
//! A message names properties and the codes of a value set, never another value of the document: issues reach logs.

use std::fmt;

use crate::rules::Rule;

/// How bad an issue is: [IssueSeverity](https://hl7.org/fhir/R4/valueset-issue-severity.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing more can be said about the document.
    Fatal,
    /// The document is not valid.
    Error,
    /// The document is valid and probably not what was meant.
    Warning,
    /// Something the reader of the result should know.
    Information,
}

/// What kind of issue it is: [IssueType](https://hl7.org/fhir/R4/valueset-issue-type.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IssueCode {
    /// The content does not have the shape of its definition.
    Structure,
    /// A required element is missing.
    Required,
    /// A value is not one its type allows.
    Value,
    /// The content does not hold to what a profile says of it.
    Invalid,
    /// An invariant does not hold.
    Invariant,
    /// A code is not in the value set that is required.
    CodeInvalid,
    /// What is referred to does not exist.
    NotFound,
    /// Something is repeated that may not be.
    Duplicate,
    /// It may not be here.
    Forbidden,
    /// It is not known here what this is.
    Unknown,
    /// A business rule does not hold.
    BusinessRule,
    /// This could not be checked here.
    NotSupported,
    /// A rule could not be carried out.
    Exception,
    /// There was too much to report.
    TooCostly,
    /// A remark.
    Informational,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of issue it is.
    pub code: IssueCode,
    /// The rule that found it.
    pub rule: Rule,
    /// What was found and what was expected, as a sentence.
    pub message: String,
    /// Where, as simple FHIRPath such as `Patient.name[0].given[1]`.
    pub expression: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Canonical of the `StructureDefinition` that says so.
    pub profile: Option<String>,
}

impl Severity {
    /// The code FHIR gives it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }

    /// Whether a document with such an issue is not valid.
    #[must_use]
    pub fn is_error(self) -> bool {
        self <= Self::Error
    }
}

impl IssueCode {
    /// The code FHIR gives it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::Invalid => "invalid",
            Self::Invariant => "invariant",
            Self::CodeInvalid => "code-invalid",
            Self::NotFound => "not-found",
            Self::Duplicate => "duplicate",
            Self::Forbidden => "forbidden",
            Self::Unknown => "unknown",
            Self::BusinessRule => "business-rule",
            Self::NotSupported => "not-supported",
            Self::Exception => "exception",
            Self::TooCostly => "too-costly",
            Self::Informational => "informational",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for IssueCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, code, message, expression, line, column, .. } = self;
        write!(f, "{severity} {code} {expression} ({line}:{column}): {message}")
    }
}
