//! Which [filters](https://hl7.org/fhir/R4/valueset.html#4.9.4.1) a code system has: by the properties that all systems
//! have, those it declares, and those that are [known of a few](https://hl7.org/fhir/R4/terminologies-systems.html).

use crate::rules::format::{self, Primitive};
use crate::terminology::CodeSystem;

/// SNOMED CT, whose filters HL7 lists: see [using SNOMED CT](https://hl7.org/fhir/R4/snomedct.html).
const SNOMED: &str = "http://snomed.info/sct";

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Any,
    Boolean,
    Integer,
    Decimal,
    Code,
    DateTime,
    /// `system[|version]#code`.
    Coding,
    /// An expression constraint of SNOMED CT.
    Constraint,
}

/// What a filter by one property may say.
pub(super) struct Rules {
    /// Empty for any.
    pub(super) operations: &'static [&'static str],
    pub(super) kind: ValueKind,
}

const HIERARCHY: &[&str] = &[
    "=",
    "is-a",
    "descendent-of",
    "is-not-a",
    "regex",
    "in",
    "not-in",
    "generalizes",
    "child-of",
    "descendent-leaf",
    "exists",
];

/// The rules for a property of a system; nothing where nobody knows the property.
pub(super) fn rules(system: &str, known: Option<&CodeSystem>, property: &str) -> Option<Rules> {
    if system == SNOMED {
        return of_snomed(property);
    }
    let declared = known.and_then(|known| known.property_type(property));
    let kind = match (property, declared) {
        (_, Some("boolean")) | ("inactive" | "notSelectable", None) => ValueKind::Boolean,
        (_, Some("integer")) => ValueKind::Integer,
        (_, Some("decimal")) => ValueKind::Decimal,
        (_, Some("dateTime")) | ("effectiveDate" | "deprecationDate" | "retirementDate", None) => ValueKind::DateTime,
        (_, Some("Coding")) => ValueKind::Coding,
        (_, Some("code")) | ("concept" | "code" | "status" | "parent" | "partOf" | "synonym", None) => ValueKind::Code,
        (_, Some(_)) | ("display" | "definition" | "comments" | "itemWeight", None) => ValueKind::Any,
        _ => return None,
    };
    // What can be asked of another property is for its system to say.
    let operations = if matches!(property, "concept" | "code") { HIERARCHY } else { &[] };
    Some(Rules { operations, kind })
}

/// Whether a property means the same in every system.
pub(super) fn is_of_all_systems(property: &str) -> bool {
    rules("", None, property).is_some()
}

fn of_snomed(property: &str) -> Option<Rules> {
    let rule = |operations, kind| Some(Rules { operations, kind });
    match property {
        "concept" => rule(
            &["=", "is-a", "descendent-of", "is-not-a", "in", "not-in", "child-of", "descendent-leaf"],
            ValueKind::Any,
        ),
        "constraint" => rule(&["="], ValueKind::Constraint),
        "expression" => rule(&["="], ValueKind::Any),
        "expressions" | "inactive" => rule(&["="], ValueKind::Boolean),
        // An attribute, by its concept.
        _ if is_concept(property) => rule(&["=", "in"], ValueKind::Any),
        _ => None,
    }
}

/// Whether this has the form of the identifier of a SNOMED CT concept: its partition is 00 or 10.
fn is_concept(text: &str) -> bool {
    let is_number = (6..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number && matches!(&text[text.len() - 3..text.len() - 1], "00" | "10")
}

impl ValueKind {
    /// What is wrong with a value of this kind.
    pub(super) fn problem(self, value: &str) -> Option<&'static str> {
        let sense = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];
        let compared = sense.iter().find_map(|sense| value.strip_prefix(sense)).unwrap_or(value);
        match self {
            Self::Any => None,
            Self::Boolean => (!matches!(value, "true" | "false")).then_some("it is true or false"),
            Self::Integer => compared.parse::<i64>().is_err().then_some("it is an integer"),
            Self::Decimal => compared.parse::<f64>().is_err().then_some("it is a number"),
            Self::Code => (value.trim() != value || value.is_empty()).then_some("it is a code"),
            Self::DateTime => {
                let is_date = format::is_valid(Primitive::DateTime, compared);
                (!is_date).then_some("it is a date or a time")
            }
            Self::Coding => {
                let is_coding = value.split_once('#').is_some_and(|(system, code)| {
                    !code.is_empty() && format::is_absolute(system.split('|').next().unwrap_or_default())
                });
                (!is_coding).then_some("it is written as system#code, or system|version#code")
            }
            Self::Constraint => super::ecl::problem(value),
        }
    }
}
