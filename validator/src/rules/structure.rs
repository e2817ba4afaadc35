//! Which type a resource is, and which properties its objects have: anything a definition does not name is an error
//! (see [FHIR JSON](https://hl7.org/fhir/R4/json.html)).

use super::{Finding, Rule, quoted};
use crate::issue::{IssueCode, Severity};

/// Furthest a misspelling may be from the name it stands for.
const FURTHEST: usize = 3;
/// No name of a property or type is longer.
const LONGEST: usize = 64;

/// A property the definition of `node` does not have, and the nearest that it has.
pub(crate) fn unknown_property<'k>(node: &str, key: &str, known: impl Iterator<Item = &'k str>) -> Finding {
    let hint = hint(key, known);
    let message = format!("{node} has no property '{}'{hint}", quoted(key));
    Finding::error(Rule::Structure, IssueCode::Structure, message)
}

/// A document or resource that does not say, or not rightly, what it is.
pub(crate) fn resource_type<'k>(found: Option<&str>, known: impl Iterator<Item = &'k str>) -> Finding {
    let message = match found {
        Some(name) => format!("'{}' is not a resource type of FHIR R4{}", quoted(name), hint(name, known)),
        None => "A resource must have a 'resourceType' that names its type.".to_owned(),
    };
    Finding { severity: Severity::Fatal, ..Finding::error(Rule::Structure, IssueCode::Structure, message) }
}

/// A document whose root is not an object.
pub(crate) fn not_an_object() -> Finding {
    let message = "A FHIR resource is a JSON object; this document is something else.";
    Finding { severity: Severity::Fatal, ..Finding::error(Rule::Structure, IssueCode::Structure, message) }
}

/// The end of a sentence about a name that is not known: the name that was perhaps meant.
pub(crate) fn hint<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> String {
    nearest(name, known).map_or_else(|| ".".to_owned(), |near| format!("; did you mean '{near}'?"))
}

/// The known name with the smallest edit distance, when it is near enough to be meant.
fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let name: String = name.chars().take(LONGEST).collect::<String>().to_lowercase();
    let limit = FURTHEST.min(name.chars().count().div_ceil(3));
    let similar = known.filter(|candidate| candidate.len().abs_diff(name.chars().count()) <= limit);
    let near = similar.map(|candidate| (distance(&name, &candidate.to_lowercase()), candidate));
    near.filter(|(distance, _)| *distance <= limit).min().map(|(_, candidate)| candidate)
}

/// Insertions, deletions and replacements that make `b` of `a` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_when_it_is_near() {
        let known = ["birthDate", "name", "gender", "telecom"];
        assert_eq!(nearest("birthdate", known.into_iter()), Some("birthDate"));
        assert_eq!(nearest("nmae", known.into_iter()), Some("name"));
        assert_eq!(nearest("nationality", known.into_iter()), None);
        assert_eq!(nearest("x", known.into_iter()), None);
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }

    #[test]
    fn a_long_property_is_cut_in_the_message() {
        let found = unknown_property("Patient", &"x".repeat(300), std::iter::empty());
        assert!(found.message.len() < 100, "{}", found.message);
    }
}
