//! `minValue[x]`, `maxValue[x]` and `maxLength` of an
//! [ElementDefinition](https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.minValue_x_), and what
//! judging a document may cost.

use std::cmp::Ordering;

use super::{Finding, Rule};
use crate::definition::{Constant, Typed};
use crate::issue::IssueCode;
use crate::json::{Kind, Value};

/// What is said once where a document has used up what judging it may cost.
pub(crate) fn too_costly() -> Finding {
    let message = "This document takes too long to judge, and not all of it was: send less at once.";
    Finding::error(Rule::Limits, IssueCode::TooCostly, message)
}

/// Checks a value against the least that is allowed.
pub(crate) fn least(limit: &Typed, value: Value<'_>) -> Option<Finding> {
    beyond(limit, value, Ordering::Less, "at least")
}

/// Checks a value against the most that is allowed.
pub(crate) fn most(limit: &Typed, value: Value<'_>) -> Option<Finding> {
    beyond(limit, value, Ordering::Greater, "at most")
}

/// Checks how many characters a value has.
pub(crate) fn length(limit: u32, value: Value<'_>) -> Option<Finding> {
    let found = value.as_str()?.chars().count();
    let message = || format!("At most {limit} characters are allowed here, found {found}.");
    (found > limit as usize).then(|| Finding::error(Rule::Limits, IssueCode::Structure, message()))
}

fn beyond(limit: &Typed, value: Value<'_>, wrong: Ordering, what: &str) -> Option<Finding> {
    let order = compare(&limit.value, value)?;
    let message = || format!("The value must be {what} {}.", shown(&limit.value));
    (order == wrong).then(|| Finding::error(Rule::Limits, IssueCode::Invalid, message()))
}

fn shown(limit: &Constant) -> String {
    match (limit.get("value"), limit.get("code").or_else(|| limit.get("unit"))) {
        (Some(number), Some(unit)) => format!("{number} {}", unit.as_text().unwrap_or_default()),
        (Some(number), None) => number.to_string(),
        _ => limit.as_text().map_or_else(|| limit.to_string(), str::to_owned),
    }
}

/// How the value stands to the limit; nothing when they cannot be compared.
fn compare(limit: &Constant, value: Value<'_>) -> Option<Ordering> {
    match value.kind() {
        Kind::Number => decimal(value.raw())?.partial_cmp(&decimal(limit.as_text()?)?),
        Kind::String => {
            let text = value.as_str()?;
            let limit = limit.as_text()?;
            // Dates and times of the same precision order like their text; otherwise the part that both have decides.
            let shared = text.len().min(limit.len());
            match (text.get(..shared)?).cmp(limit.get(..shared)?) {
                Ordering::Equal if text.len() != limit.len() => None,
                order => Some(order),
            }
        }
        Kind::Object => {
            // Quantities compare where their units are the same.
            let unit =
                |key: &str| (limit.get(key).and_then(Constant::as_text).map(str::to_owned), value.str_at(&[key]));
            let (expected, found) = unit("code");
            if expected.is_some() && found.is_some() && expected.as_deref() != found.as_deref() {
                return None;
            }
            decimal(value.get("value")?.as_number()?)?.partial_cmp(&decimal(limit.get("value")?.as_text()?)?)
        }
        _ => None,
    }
}

fn decimal(digits: &str) -> Option<f64> {
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn order(limit: &str, value: &str) -> Option<Ordering> {
        let limit = Document::read(limit.as_bytes()).unwrap();
        let value = Document::read(value.as_bytes()).unwrap();
        compare(&Constant::read(limit.root()), value.root())
    }

    #[test]
    fn numbers_dates_and_quantities_are_compared() {
        assert_eq!(order("5", "4.9"), Some(Ordering::Less));
        assert_eq!(order("\"2020-01-01\"", "\"2019-12-31\""), Some(Ordering::Less));
        assert_eq!(order("\"2020-06-01\"", "\"2020\""), None);
        assert_eq!(order(r#"{"value":1,"code":"g"}"#, r#"{"value":2,"code":"g"}"#), Some(Ordering::Greater));
        assert_eq!(order(r#"{"value":1,"code":"g"}"#, r#"{"value":2,"code":"mg"}"#), None);
    }
}
