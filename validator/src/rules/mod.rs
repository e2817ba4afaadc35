//! The rules a resource is held to, one facet a file. A rule judges one place and returns what it found; the
//! [walk](crate::walk) decides where rules apply and turns findings into issues.

pub(crate) mod answer;
pub(crate) mod attachment;
pub(crate) mod binding;
pub(crate) mod cardinality;
pub(crate) mod choice;
pub(crate) mod code_system;
pub(crate) mod constant;
pub(crate) mod contained;
pub(crate) mod content;
pub(crate) mod embedded_html;
pub(crate) mod extension;
pub(crate) mod format;
pub(crate) mod invariant;
pub(crate) mod limits;
pub(crate) mod narrative;
pub(crate) mod primitive_extension;
pub(crate) mod profile;
pub(crate) mod questionnaire;
pub(crate) mod reference;
pub(crate) mod structure;
pub(crate) mod type_;
pub(crate) mod unit;

use std::fmt;

use crate::issue::{IssueCode, Severity};

/// The facet an issue is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The resource's type, and which properties it has.
    Structure,
    /// How often an element appears, and whether it is written as an array.
    Cardinality,
    /// Which JSON type an element is written as.
    Type,
    /// Only one type of a choice.
    Choice,
    /// The format of a primitive type.
    PrimitiveFormat,
    /// `_name` beside `name`.
    PrimitiveExtension,
    /// Every element has a value or children (ele-1); nothing is empty.
    Content,
    /// The code is in the value set.
    Binding,
    /// The system is absolute, and has the code.
    CodeSystem,
    /// The reference is well formed and points to an allowed type.
    Reference,
    /// An extension has a value or extensions (ext-1), and says which it is.
    Extension,
    /// What a contained resource may not have (dom-2 to dom-5).
    Contained,
    /// The fixed value of an element.
    Fixed,
    /// The pattern of an element.
    Pattern,
    /// The least and the most an element may be, and its length.
    Limits,
    /// The slices of an element.
    Slicing,
    /// A response answers its questionnaire.
    Questionnaire,
    /// A constraint in `FHIRPath`.
    Invariant,
    /// The XHTML of a narrative.
    Narrative,
    /// Which profiles apply, and whether one of several is met.
    Profile,
    /// What is safe to show.
    Security,
    /// What the type of a Bundle asks of its entries and links.
    Bundle,
    /// A conformance resource says what can be meant.
    Conformance,
    /// There was more than is reported.
    Limit,
}

impl Rule {
    /// The rule's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Cardinality => "cardinality",
            Self::Type => "type",
            Self::Choice => "choice",
            Self::PrimitiveFormat => "primitive-format",
            Self::PrimitiveExtension => "primitive-extension",
            Self::Content => "content",
            Self::Binding => "binding",
            Self::CodeSystem => "code-system",
            Self::Reference => "reference",
            Self::Extension => "extension",
            Self::Contained => "contained",
            Self::Fixed => "fixed",
            Self::Pattern => "pattern",
            Self::Limits => "limits",
            Self::Slicing => "slicing",
            Self::Questionnaire => "questionnaire",
            Self::Invariant => "invariant",
            Self::Narrative => "narrative",
            Self::Profile => "profile",
            Self::Security => "security",
            Self::Bundle => "bundle",
            Self::Conformance => "conformance",
            Self::Limit => "limit",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a rule found, before it is known where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) rule: Rule,
    pub(crate) severity: Severity,
    pub(crate) code: IssueCode,
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn error(rule: Rule, code: IssueCode, message: impl Into<String>) -> Self {
        Self { rule, severity: Severity::Error, code, message: message.into() }
    }
}

/// A property name or code for a message: short, and without what would break a line.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().filter(|character| !character.is_control()).take(40).collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}

/// A URL for a message. Only what looks like one is shown: anything else may be about a patient.
pub(crate) fn url(text: &str) -> &str {
    let plain = text.len() <= 255 && !text.contains(char::is_whitespace);
    if plain && ["http://", "https://", "urn:"].iter().any(|start| text.starts_with(start)) {
        text
    } else {
        "named here"
    }
}
