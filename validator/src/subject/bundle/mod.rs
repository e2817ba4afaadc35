//! What the type of a [Bundle](https://hl7.org/fhir/R4/bundle.html) asks of its entries and links.

mod document;
mod entries;
mod links;
mod narrative_link;
mod search;

pub(crate) use entries::{Entries, Found};

use super::{Judge, Subject, numbered};
use crate::issue::IssueCode;
use crate::location::Segment;
use crate::rules::reference;

/// Types of which entries are exchanged one by one, and may have no identity yet.
pub(crate) const EXCHANGES: [&str; 4] = ["transaction", "batch", "transaction-response", "batch-response"];

/// What a [`Segment`] is called where entries stand.
pub(super) const ENTRY: &str = "entry";

pub(super) fn judge(judge: &mut Judge<'_>, bundle: Subject<'_, '_>) {
    let entries = Entries::of(bundle.value);
    links::check(judge, bundle, &entries);
    match &*entries.bundle_type {
        "document" => document::check(judge, bundle, &entries, &document::DOCUMENT),
        "message" => document::check(judge, bundle, &entries, &document::MESSAGE),
        "searchset" => search::check(judge, bundle, &entries),
        _ => {}
    }
    full_urls(judge, bundle, &entries);
}

/// [fullUrl](https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.fullUrl): absolute, there where an entry needs an
/// identity, and consistent with the type and id of the resource where it is that of a server.
fn full_urls(judge: &mut Judge<'_>, bundle: Subject<'_, '_>, entries: &Entries<'_>) {
    let list = bundle.location.step(Segment::Child(ENTRY));
    let is_optional = EXCHANGES.contains(&&*entries.bundle_type);
    for (index, value) in numbered(bundle.value, ENTRY) {
        let step = list.step(Segment::Item(index));
        let at = (value, &step);
        let entry = entries.at(index);
        let Some(full_url) = entry.full_url.as_deref().filter(|url| !url.is_empty()) else {
            if !is_optional {
                let message = "In a Bundle of this type each entry has a fullUrl, the identity of its resource.";
                judge.error(at, IssueCode::Invalid, message);
            }
            continue;
        };
        if !crate::rules::format::is_absolute(full_url) {
            judge.error(at, IssueCode::Invalid, "The fullUrl is an absolute URL.");
            continue;
        }
        let Some(type_name) = entry.type_name.as_deref() else { continue };
        let of_server = reference::is_of_server(full_url, |name| judge.set.is_resource_type(name));
        match entry.id.as_deref() {
            None if of_server => {
                let message = "The fullUrl is that of a resource on a server, but the resource has no id.";
                judge.error(at, IssueCode::Invalid, message);
            }
            Some(id) if of_server && !full_url.ends_with(&format!("/{type_name}/{id}")) => {
                let message = format!(
                    "The fullUrl is that of a resource on a server, so it must end in the type {type_name} and the id of \
                     the resource."
                );
                judge.error(at, IssueCode::Invalid, message);
            }
            _ => {}
        }
        let canonical = value.str_at(&["resource", "url"]);
        let named = canonical.as_deref() == Some(full_url) && !is_of_version_2_or_3(full_url);
        let id = entry.id.as_deref().unwrap_or_default();
        if named && !(of_server && full_url.ends_with(&format!("/{id}"))) {
            let message =
                "The fullUrl is the canonical url of the resource, and may be that only where it ends in the id.";
            judge.error(at, IssueCode::Invalid, message);
        }
    }
}

/// HL7's own older code systems are published under their canonicals.
fn is_of_version_2_or_3(url: &str) -> bool {
    ["http://hl7.org/fhir/v3/", "http://hl7.org/fhir/v2/"].iter().any(|start| url.starts_with(start))
}
