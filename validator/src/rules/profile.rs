//! What [profiles](https://hl7.org/fhir/R4/profiling.html) say besides the facets that have files of their own: how often
//! an element or slice appears, which types are left, and which profiles could be met.

use super::{Finding, Rule, url};
use crate::definition::Max;
use crate::issue::{IssueCode, Severity};

/// Too few of an element or a slice.
pub(crate) fn too_few(label: &str, min: u32, found: usize) -> Finding {
    let message = format!("{label} must appear at least {min} times, found {found}.");
    Finding::error(Rule::Cardinality, IssueCode::Structure, message)
}

/// Too many of an element or a slice.
pub(crate) fn too_many(label: &str, max: Max, found: usize) -> Option<Finding> {
    let Max::Count(most) = max else { return None };
    let message = || format!("{label} may appear at most {most} times, found {found}.");
    (found > most as usize).then(|| Finding::error(Rule::Cardinality, IssueCode::Structure, message()))
}

/// A type that the profile does not leave.
pub(crate) fn type_not_left(label: &str, found: &str, left: &[Box<str>]) -> Finding {
    let message = format!("{label} may be {} here, found {found}.", left.join(" or "));
    Finding::error(Rule::Type, IssueCode::Structure, message)
}

/// An item that fits none of the slices, where nothing else may stand.
pub(crate) fn no_slice(label: &str) -> Finding {
    let message = format!("This fits no slice of {label}, which is closed.");
    Finding::error(Rule::Slicing, IssueCode::Structure, message)
}

/// A remark that an item fits none of the slices.
pub(crate) fn outside_slices(label: &str) -> Finding {
    let message = format!("This fits no known slice of {label}.");
    let severity = Severity::Information;
    Finding { severity, ..Finding::error(Rule::Slicing, IssueCode::Informational, message) }
}

/// A slice that comes after one that it should come before.
pub(crate) fn out_of_order(label: &str) -> Finding {
    let message = format!("The slices of {label} must come in the order of the profile; this one is too late.");
    Finding::error(Rule::Slicing, IssueCode::Structure, message)
}

/// An item of a slice after items that are in none, where those must come last.
pub(crate) fn not_at_end(label: &str) -> Finding {
    let message = format!("Items that fit no slice of {label} must come last; this one comes after such an item.");
    Finding::error(Rule::Slicing, IssueCode::Structure, message)
}

/// A value that meets none of the profiles of which it must meet one.
pub(crate) fn no_profile_met(profiles: &[Box<str>]) -> Finding {
    let message = format!("This meets none of the profiles it may have here: {}.", profiles.join(", "));
    Finding::error(Rule::Profile, IssueCode::Structure, message)
}

/// A profile that was asked for and is for another type.
pub(crate) fn other_type(profile: &str, expected: &str, found: &str) -> Finding {
    let message = format!("The profile {profile} is for {expected}, but this is {found}.");
    Finding::error(Rule::Profile, IssueCode::Structure, message)
}

/// A profile that is named and not loaded.
pub(crate) fn unknown(profile: &str, severity: Severity) -> Finding {
    let message = format!("The profile {} is not loaded: nothing was checked against it.", url(profile));
    Finding { severity, ..Finding::error(Rule::Profile, IssueCode::Structure, message) }
}
