//! Which JSON type a FHIR type is written as: see [FHIR JSON](https://hl7.org/fhir/R4/json.html).

use super::{Finding, Rule};
use crate::issue::IssueCode;
use crate::json::Kind;

/// A value of another JSON type than its FHIR type is written as.
pub(crate) fn wrong_json(type_name: &str, expected: Kind, found: Kind) -> Finding {
    let what = if type_name.is_empty() { String::new() } else { format!(" for {type_name}") };
    let message = format!("Expected {}{what}, found {}.", describe(expected), describe(found));
    Finding::error(Rule::Type, IssueCode::Invalid, message)
}

fn describe(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool => "true or false",
        Kind::Number => "a JSON number",
        Kind::String => "a JSON string",
        Kind::Array => "a JSON array",
        Kind::Object => "a JSON object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_named() {
        let found = wrong_json("boolean", Kind::Bool, Kind::String);
        assert_eq!(found.message, "Expected true or false for boolean, found a JSON string.");
    }
}
