//! A [ValueSet](https://hl7.org/fhir/R4/valueset.html) names code systems, and filters by properties they have with
//! values these can take.

use super::filter::{self, ValueKind};
use super::{Judge, Subject, numbered};
use crate::issue::{IssueCode, Severity};
use crate::json::Value;
use crate::location::{Location, Segment};
use crate::rules::{format, quoted};

pub(super) fn judge(judge: &mut Judge<'_>, set: Subject<'_, '_>) {
    let Some(compose) = set.value.get("compose") else { return };
    let at = set.location.step(Segment::Child("compose"));
    for key in ["include", "exclude"] {
        let list = at.step(Segment::Child(key));
        for (index, part) in numbered(compose, key) {
            include(judge, set.value, part, &list.step(Segment::Item(index)));
        }
    }
}

fn include(judge: &mut Judge<'_>, set: Value<'_>, part: Value<'_>, location: &Location<'_>) {
    let at = (part, location);
    let Some(system) = part.str_at(&["system"]) else {
        if part.get("concept").is_some() || part.get("filter").is_some() {
            let message = "Concepts and filters are of a system, and none is named.";
            judge.warning(at, IssueCode::BusinessRule, message);
        }
        return;
    };
    let version = part.str_at(&["version"]);
    if let Some((_, own)) = system.split_once('|') {
        let message = "The version of a system stands in 'version', not behind a '|'.";
        let severity = if own.is_empty() { Severity::Warning } else { Severity::Error };
        judge.find(at, severity, IssueCode::BusinessRule, message);
    }
    if !format::is_absolute(&system) {
        judge.error(at, IssueCode::Invalid, "The system is the absolute canonical of a code system.");
        if let Some(id) = system.strip_prefix('#') {
            contained(judge, set, id, at);
        }
        return;
    }
    let terminology = judge.set.terminology();
    let known = terminology.code_system(&system, version.as_deref());
    if let Some(base) = known.and_then(|known| known.supplements.as_deref()) {
        let message = format!("{} only adds to {base}: codes are of that system.", quoted(&system));
        judge.error(at, IssueCode::Invalid, message);
    } else if known.is_none() && terminology.has_value_set(&system) {
        let message = format!("{} is a value set; the system is a code system.", quoted(&system));
        judge.error(at, IssueCode::Invalid, message);
    }
    let list = location.step(Segment::Child("filter"));
    for (index, filter) in numbered(part, "filter") {
        self::filter(judge, &system, version.as_deref(), (filter, &list.step(Segment::Item(index))));
    }
}

/// A code system that the value set contains is named by its own url all the same.
fn contained(judge: &mut Judge<'_>, set: Value<'_>, id: &str, at: (Value<'_>, &Location<'_>)) {
    let with_id = |found: &Value<'_>| found.str_at(&["id"]).as_deref() == Some(id);
    match numbered(set, "contained").map(|(_, found)| found).find(with_id) {
        None => judge.error(at, IssueCode::Invalid, "No contained resource has this id."),
        Some(found) if found.str_at(&["resourceType"]).as_deref() != Some("CodeSystem") => {
            judge.error(at, IssueCode::Invalid, "The contained resource with this id is no CodeSystem.");
        }
        Some(_) => {}
    }
}

/// One filter: the property has such an operation, and the value is of the property's type.
fn filter(judge: &mut Judge<'_>, system: &str, version: Option<&str>, at: (Value<'_>, &Location<'_>)) {
    let text = |key| at.0.str_at(&[key]);
    let (Some(property), Some(operation)) = (text("property"), text("op")) else { return };
    let known = judge.set.terminology().code_system(system, version);
    let Some(rules) = filter::rules(system, known, &property) else {
        let message = format!("The property '{}' is not known of this system.", quoted(&property));
        judge.warning(at, IssueCode::Invalid, message);
        return;
    };
    if !rules.operations.is_empty() && !rules.operations.contains(&&*operation) {
        let (operation, property) = (quoted(&operation), quoted(&property));
        let allowed = rules.operations.join(", ");
        let message =
            format!("There is no filter '{operation}' by the property '{property}' of this system: {allowed}.");
        judge.error(at, IssueCode::Invalid, message);
        // Of an operation that there is not, the value means nothing.
        return;
    }
    let Some(value) = text("value") else {
        judge.error(at, IssueCode::Invalid, "A filter has a value.");
        return;
    };
    let is_code = |value: &str| known.is_none_or(|known| !known.complete || known.find(value).is_some());
    let of_codes = matches!(&*property, "concept" | "code");
    let kind = |value: &str| match rules.kind.problem(value) {
        None if of_codes && !is_code(value) => Some("the system has no such code"),
        found => found,
    };
    let problem = match &*operation {
        "exists" => ValueKind::Boolean.problem(&value),
        "regex" if property == "concept" => Some("a pattern is for codes or properties, not for the concept"),
        "regex" => regex::Regex::new(&value).is_err().then_some("it is not a pattern that can be read"),
        "in" | "not-in" => value.split(',').find_map(|item| kind(item.trim())),
        _ => kind(&value),
    };
    if let Some(problem) = problem {
        let message = format!("The value of the filter by '{}' is not valid: {problem}.", quoted(&property));
        judge.error(at, IssueCode::Invalid, message);
    }
}
