//! The extension [narrativeLink](https://hl7.org/fhir/R4/extension-narrativelink.html) says which part of a narrative in the
//! Bundle tells of an element: that part is there, once.

use super::super::{Judge, Subject};
use super::{Entries, Found};
use crate::issue::IssueCode;
use crate::json::{Kind, Value};
use crate::rules::narrative;

const NARRATIVE_LINK: &str = "http://hl7.org/fhir/StructureDefinition/narrativeLink";

pub(super) fn check(judge: &mut Judge<'_>, bundle: Subject<'_, '_>, entries: &Entries<'_>) {
    for index in 0..entries.len() {
        let Some(resource) = entries.at(index).resource else { continue };
        let mut links = Vec::new();
        collect(resource, &mut links);
        for link in links {
            let Some((_, id)) = link.split_once('#') else { continue };
            let (Found::One(target) | Found::Several(target)) = entries.find(Some(index), &link) else { continue };
            let found = entries.at(target).resource.map_or(0, |resource| count(resource, id));
            let at = (bundle.value, bundle.location);
            match found {
                0 => {
                    let message = format!("A narrativeLink of entry {index} leads to no part of entry {target}.");
                    judge.error(at, IssueCode::NotFound, message);
                }
                1 => {}
                several => {
                    let message =
                        format!("A narrativeLink of entry {index} leads to {several} parts of entry {target}.");
                    judge.error(at, IssueCode::Invalid, message);
                }
            }
        }
    }
}

/// The links that stand in a value.
fn collect(value: Value<'_>, links: &mut Vec<String>) {
    if value.kind() == Kind::Object && value.str_at(&["url"]).as_deref() == Some(NARRATIVE_LINK) {
        let link = ["valueUrl", "valueUri"].iter().find_map(|key| value.str_at(&[key]));
        links.extend(link.map(std::borrow::Cow::into_owned));
    }
    if matches!(value.kind(), Kind::Object | Kind::Array) {
        value.children().for_each(|child| collect(child, links));
    }
}

/// How many elements of a resource, those of its narratives included, have this id.
fn count(value: Value<'_>, id: &str) -> usize {
    match value.kind() {
        Kind::String if value.is_member("id") => usize::from(value.as_str().as_deref() == Some(id)),
        Kind::String if value.is_member("div") => narrative::count_ids(&value.as_str().unwrap_or_default(), id),
        Kind::Object | Kind::Array => value.children().map(|child| count(child, id)).sum(),
        _ => 0,
    }
}
