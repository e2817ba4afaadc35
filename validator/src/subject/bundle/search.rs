//! A [searchset](https://hl7.org/fhir/R4/search.html#results): each entry is a match, was included, or says how it went.

use super::super::{Judge, Subject, numbered};
use super::{ENTRY, Entries};
use crate::issue::{IssueCode, Severity};
use crate::json::Value;
use crate::location::{Location, Segment};

/// The resource that says how a search went.
const OUTCOME: &str = "OperationOutcome";

pub(super) fn check(judge: &mut Judge<'_>, bundle: Subject<'_, '_>, entries: &Entries<'_>) {
    let whole = (bundle.value, bundle.location);
    let wanted = types_searched(judge, bundle.value);
    if wanted.is_none() {
        let message = "The result of a search has a link 'self' that says what was searched for.";
        judge.warning(whole, IssueCode::Invalid, message);
    }
    let wanted = wanted.unwrap_or_default();
    let modes: Vec<_> = numbered(bundle.value, ENTRY).map(|(_, entry)| entry.str_at(&["search", "mode"])).collect();
    let nobody_says = modes.iter().all(Option::is_none);
    let list = bundle.location.step(Segment::Child(ENTRY));
    let mut types = Vec::new();
    for ((index, value), mode) in numbered(bundle.value, ENTRY).zip(&modes) {
        let step = list.step(Segment::Item(index));
        if mode.is_none() && !nobody_says {
            judge.warning(
                (value, &step),
                IssueCode::Invalid,
                "The entries of a search say why they are there (search.mode).",
            );
        }
        let entry = entries.at(index);
        let (Some(resource), Some(type_name)) = (entry.resource, entry.type_name.as_deref()) else {
            judge.error((value, &step), IssueCode::Invalid, "Each entry of a search has a resource.");
            continue;
        };
        if type_name != OUTCOME && !types.contains(&type_name) {
            types.push(type_name);
        }
        let at = step.step(Segment::Child("resource"));
        let found = Result { place: (resource, &at), type_name, has_id: entry.id.is_some() };
        result(judge, &found, mode.as_deref(), &wanted);
    }
    if nobody_says && !entries.is_empty() {
        let mixed = types.len() > 1 || types.iter().any(|name| !wanted.iter().any(|wanted| wanted == name));
        let severity = if mixed { Severity::Warning } else { Severity::Information };
        judge.find(
            whole,
            severity,
            IssueCode::Invalid,
            "The entries of a search say why they are there (search.mode).",
        );
    }
}

/// One resource of the result.
struct Result<'p, 'a> {
    place: (Value<'a>, &'p Location<'p>),
    type_name: &'p str,
    has_id: bool,
}

fn result(judge: &mut Judge<'_>, found: &Result<'_, '_>, mode: Option<&str>, wanted: &[String]) {
    let Result { place, type_name, has_id } = *found;
    let fits = || wanted.is_empty() || wanted.iter().any(|name| name == type_name);
    if !has_id && (matches!(mode, Some("match" | "include")) || (mode.is_none() && type_name != OUTCOME)) {
        let severity = if mode.is_some() { Severity::Error } else { Severity::Warning };
        judge.find(place, severity, IssueCode::Invalid, "What a search found has an id.");
    }
    match mode {
        Some("match") if !fits() => {
            let message = format!("The search was for {}, and this {type_name} is said to match.", wanted.join(", "));
            judge.error(place, IssueCode::Invalid, message);
        }
        Some("outcome") if type_name != OUTCOME => {
            let message = format!("The outcome of a search is an {OUTCOME}, not a {type_name}.");
            judge.error(place, IssueCode::Invalid, message);
        }
        None if !fits() && type_name != OUTCOME => {
            let message = format!("The search was for {}, and nothing says why this is here.", wanted.join(", "));
            judge.warning(place, IssueCode::Invalid, message);
        }
        _ => {}
    }
}

/// The types that the link `self` says were searched for; nothing without such a link, an empty list for any.
fn types_searched(judge: &Judge<'_>, bundle: Value<'_>) -> Option<Vec<String>> {
    let mut links = numbered(bundle, "link").map(|(_, link)| link);
    let own = links.find(|link| link.str_at(&["relation"]).as_deref() == Some("self"))?;
    let url = own.str_at(&["url"])?;
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    let last = path.rsplit('/').next().unwrap_or_default();
    if judge.set.is_resource_type(last) {
        return Some(vec![last.to_owned()]);
    }
    let types = query.split('&').filter_map(|pair| pair.strip_prefix("_type="));
    Some(types.flat_map(|names| names.split(',')).map(str::to_owned).collect())
}
