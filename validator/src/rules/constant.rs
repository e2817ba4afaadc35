//! [Fixed values](https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_) and
//! [patterns](https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_): a fixed value is
//! met exactly, a pattern is contained.

use super::{Finding, Rule, quoted};
use crate::definition::Constant;
use crate::issue::IssueCode;
use crate::json::{Kind, Value};
use crate::location::{Location, Segment};

/// Whether the constant must be met exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    Fixed,
    Pattern,
}

/// Displays of codes are not carried in packs: a fixed coding without one leaves it open.
const OPEN: &str = "display";

/// Whether a value meets a constant.
pub(crate) fn meets(constant: &Constant, value: Value<'_>, how: Match) -> bool {
    match (constant, value.kind()) {
        (Constant::Null, Kind::Null) => true,
        (Constant::Bool(expected), Kind::Bool) => value.as_bool() == Some(*expected),
        (Constant::Number(expected), Kind::Number) => same_number(expected, value.raw()),
        (Constant::String(expected), Kind::String) => value.as_str().is_some_and(|text| *text == **expected),
        (Constant::Object(members), Kind::Object) => {
            members.iter().all(|(key, expected)| value.get(key).is_some_and(|found| meets(expected, found, how)))
                && (how == Match::Pattern || surplus(constant, value).next().is_none())
        }
        (Constant::Array(items), Kind::Array) => match how {
            Match::Fixed => {
                items.len() == value.len() && items.iter().zip(value.items()).all(|(one, found)| meets(one, found, how))
            }
            Match::Pattern => items.iter().all(|one| value.items().any(|found| meets(one, found, how))),
        },
        _ => false,
    }
}

/// Reports each place where a value does not meet a constant.
pub(crate) fn check<'a>(
    constant: &Constant,
    value: Value<'a>,
    how: Match,
    location: &Location<'_>,
    report: &mut dyn FnMut(Value<'a>, &Location<'_>, Finding),
) {
    match constant {
        Constant::Object(members) if value.kind() == Kind::Object => {
            for (key, expected) in members {
                match value.get(key) {
                    Some(found) => check(expected, found, how, &location.step(Segment::Child(key)), report),
                    None => report(value, location, missing(key, expected, how)),
                }
            }
            for member in surplus(constant, value).filter(|_| how == Match::Fixed) {
                let message = "The fixed value of this element does not have this property.";
                let key = member.key().unwrap_or_default();
                let finding = Finding::error(rule(how), IssueCode::Value, message);
                report(member, &location.step(Segment::Child(&key)), finding);
            }
        }
        _ if meets(constant, value, how) => {}
        _ => report(value, location, differs(constant, how)),
    }
}

/// Members that a fixed value does not have; ids and extensions are no part of a value.
fn surplus<'a>(constant: &Constant, value: Value<'a>) -> impl Iterator<Item = Value<'a>> {
    let known = |key: &str| key == OPEN || key == "id" || key == "extension" || constant.get(key).is_some();
    value.children().filter(move |member| member.key().is_some_and(|key| !known(&key) && !key.starts_with('_')))
}

fn rule(how: Match) -> Rule {
    if how == Match::Fixed { Rule::Fixed } else { Rule::Pattern }
}

fn differs(constant: &Constant, how: Match) -> Finding {
    let what = if how == Match::Fixed { "is fixed to" } else { "must match the pattern" };
    let message = format!("The value {what} {}.", quoted(&constant.to_string()));
    Finding::error(rule(how), IssueCode::Value, message)
}

fn missing(key: &str, constant: &Constant, how: Match) -> Finding {
    let what = if how == Match::Fixed { "the fixed value" } else { "the pattern" };
    let message = format!("'{key}' is missing, which {what} of this element has: {}.", quoted(&constant.to_string()));
    Finding::error(rule(how), IssueCode::Value, message)
}

/// Digits may be written with more zeros: 1.0 is 1.00 (but precision is kept in everything we pass on).
fn same_number(a: &str, b: &str) -> bool {
    let plain = |text: &str| match text.split_once('.') {
        Some((whole, fraction)) if !text.contains(['e', 'E']) => {
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
        }
        _ => text.to_owned(),
    };
    a == b || plain(a) == plain(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn met(constant: &str, value: &str, how: Match) -> bool {
        let constant = Document::read(constant.as_bytes()).unwrap();
        let value = Document::read(value.as_bytes()).unwrap();
        meets(&Constant::read(constant.root()), value.root(), how)
    }

    #[test]
    fn a_pattern_is_contained_and_a_fixed_value_is_met_exactly() {
        let concept = r#"{"coding":[{"system":"s","code":"c"}]}"#;
        let more = r#"{"coding":[{"system":"t","code":"d"},{"system":"s","code":"c","display":"C"}],"text":"x"}"#;
        assert!(met(concept, more, Match::Pattern) && !met(concept, more, Match::Fixed));
        assert!(met(concept, r#"{"coding":[{"code":"c","system":"s","display":"C"}]}"#, Match::Fixed));
        assert!(!met(concept, r#"{"coding":[{"system":"s"}]}"#, Match::Pattern));
        assert!(met("1.50", "1.5", Match::Fixed) && !met("1", "10", Match::Fixed) && !met("1", "\"1\"", Match::Fixed));
    }

    #[test]
    fn each_difference_is_reported_where_it_is() {
        let constant = Document::read(br#"{"system":"s","code":"c"}"#).unwrap();
        let value = Document::read(br#"{"system":"t","extra":1}"#).unwrap();
        let mut found = Vec::new();
        let root = Location::root("Coding");
        let mut report = |_: Value<'_>, location: &Location<'_>, _: Finding| found.push(location.to_string());
        check(&Constant::read(constant.root()), value.root(), Match::Fixed, &root, &mut report);
        assert_eq!(found, ["Coding.system", "Coding", "Coding.extra"]);
    }
}
