//! The [links](https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.link) of a Bundle: a page of a search has neighbours,
//! anything else has none; a stylesheet in the Bundle is there.

use super::super::{Judge, Subject, numbered};
use super::Entries;
use crate::issue::IssueCode;
use crate::location::Segment;
use crate::rules::format;

/// Relations between the pages of a result.
const PAGES: [&str; 4] = ["first", "previous", "next", "last"];

pub(super) fn check(judge: &mut Judge<'_>, bundle: Subject<'_, '_>, entries: &Entries<'_>) {
    let list = bundle.location.step(Segment::Child("link"));
    let mut seen: Vec<String> = Vec::new();
    for (index, link) in numbered(bundle.value, "link") {
        let step = list.step(Segment::Item(index));
        let Some(relation) = link.str_at(&["relation"]) else { continue };
        let is_again = seen.iter().any(|known| *known == *relation);
        seen.push(relation.clone().into_owned());
        let once = format!("Only one link has the relation '{}'.", crate::rules::quoted(&relation));
        if matches!(&*entries.bundle_type, "searchset" | "history") {
            if is_again && (PAGES.contains(&&*relation) || relation == "self") {
                judge.error((link, &step), IssueCode::Invalid, once);
            }
            continue;
        }
        let at = step.step(Segment::Child("relation"));
        let value = link.get("relation").unwrap_or(link);
        if PAGES.contains(&&*relation) {
            let message = format!("A link '{relation}' leads to a page of a search or history, and this is none.");
            judge.error((value, &at), IssueCode::Invalid, message);
        } else if is_again && relation == "self" {
            judge.error((value, &at), IssueCode::Invalid, once);
        } else if relation == "stylesheet" && entries.bundle_type == "document" {
            let at = step.step(Segment::Child("url"));
            let Some(url) = link.str_at(&["url"]) else { continue };
            let place = (link.get("url").unwrap_or(link), &at);
            if format::is_absolute(&url) {
                let message = "The stylesheet is outside the document, and may change or be gone when it is read.";
                judge.warning(place, IssueCode::BusinessRule, message);
            } else if entries.find(None, &url) == super::Found::Nowhere {
                judge.error(place, IssueCode::NotFound, "The stylesheet is not in this Bundle.");
            }
        }
    }
}
