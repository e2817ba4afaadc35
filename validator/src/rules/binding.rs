//! [Bindings](https://hl7.org/fhir/R4/terminologies.html#strength): a required code is in its value set, or it is
//! said that this could not be checked here.

use super::{Finding, Rule, quoted};
use crate::definition::Strength;
use crate::issue::{IssueCode, Severity};
use crate::json::Value;
use crate::node::Special;
use crate::value_set::{Membership, ValueSet};

/// How a bound element fares.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Good,
    Bad(Finding),
    /// The codes that decide it are not carried.
    NotChecked(Strength),
}

/// Checks a `code`, or a string or uri bound like one.
pub(crate) fn code(strength: Strength, value_set: &ValueSet, code: &str) -> Outcome {
    match value_set.contains_code(code) {
        Membership::In => Outcome::Good,
        Membership::Unknown => Outcome::NotChecked(strength),
        Membership::Out => Outcome::Bad(bad(strength, value_set, &format!("The code '{}' is not", quoted(code)))),
    }
}

/// Checks a coded object as a whole.
pub(crate) fn object(special: Special, strength: Strength, value_set: &ValueSet, value: Value<'_>) -> Outcome {
    match special {
        Special::Coding | Special::Quantity => coding(strength, value_set, value),
        Special::CodeableConcept => concept(strength, value_set, value),
        Special::None | Special::Identifier | Special::Reference => Outcome::Good,
    }
}

fn concept(strength: Strength, value_set: &ValueSet, value: Value<'_>) -> Outcome {
    let codings = || value.get("coding").into_iter().flat_map(Value::items);
    let mut outcomes = codings().map(|coding| membership(value_set, coding));
    let mut unknown = false;
    if outcomes.any(|outcome| {
        unknown |= outcome == Membership::Unknown;
        outcome == Membership::In
    }) {
        return Outcome::Good;
    }
    if unknown {
        return Outcome::NotChecked(strength);
    }
    // An extension may say why there is no code.
    if codings().next().is_none() {
        return match value.get("extension") {
            Some(_) => Outcome::Good,
            None => Outcome::Bad(bad(strength, value_set, "There is no code, and so none")),
        };
    }
    Outcome::Bad(bad(strength, value_set, "None of the codings is"))
}

fn coding(strength: Strength, value_set: &ValueSet, value: Value<'_>) -> Outcome {
    if value.get("code").is_none() && (strength != Strength::Required || value.get("extension").is_some()) {
        return Outcome::Good;
    }
    match membership(value_set, value) {
        Membership::In => Outcome::Good,
        Membership::Unknown => Outcome::NotChecked(strength),
        Membership::Out => Outcome::Bad(bad(strength, value_set, "The code is not")),
    }
}

pub(crate) fn membership(value_set: &ValueSet, coding: Value<'_>) -> Membership {
    let text = |key| coding.str_at(&[key]);
    match (text("system"), text("code")) {
        (Some(system), Some(code)) => value_set.contains(&system, &code),
        // Without a system a code means nothing, and is in no value set.
        _ => Membership::Out,
    }
}

/// Whether something is coded, and no code of it is in the value set; what is not known may be.
pub(crate) fn is_outside(special: Special, value_set: &ValueSet, value: Value<'_>) -> bool {
    let is_out = |coding| membership(value_set, coding) == Membership::Out;
    match special {
        Special::CodeableConcept => {
            let codings = || value.get("coding").into_iter().flat_map(Value::items);
            codings().next().is_some() && codings().all(is_out)
        }
        Special::Coding | Special::Quantity => value.get("code").is_some() && is_out(value),
        Special::None | Special::Identifier | Special::Reference => false,
    }
}

/// A code outside the largest value set that a binding allows.
pub(crate) fn beyond(value_set: &ValueSet) -> Finding {
    let message = format!("The code is not in {}, the largest value set allowed here.", value_set.canonical);
    Finding::error(Rule::Binding, IssueCode::CodeInvalid, message)
}

/// What is found when no code is in the value set; `what` says whose.
pub(crate) fn bad(strength: Strength, value_set: &ValueSet, what: &str) -> Finding {
    let canonical = &value_set.canonical;
    let message = match strength {
        Strength::Required => {
            let expected = value_set.sample().map(|codes| format!(": expected {codes}")).unwrap_or_default();
            format!("{what} in the required value set {canonical}{expected}.")
        }
        _ => format!(
            "{what} in the extensible value set {canonical}; another code may be used only if none of its codes fits."
        ),
    };
    let severity = if strength == Strength::Required { Severity::Error } else { Severity::Warning };
    Finding { severity, ..Finding::error(Rule::Binding, IssueCode::CodeInvalid, message) }
}

/// The remark that codes of a required value set were not checked.
pub(crate) fn remark(value_set: &ValueSet) -> Finding {
    let message = format!("Codes of {} were not checked: its codes are not available here.", value_set.canonical);
    let severity = Severity::Information;
    Finding { severity, ..Finding::error(Rule::Binding, IssueCode::NotSupported, message) }
}
