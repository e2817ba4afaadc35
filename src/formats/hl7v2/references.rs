//! The resources a delivery carries, and which of them a reference means
//! ([Bundle resolution](https://hl7.org/fhir/R4/bundle.html#references)).

use std::borrow::Cow;

use signalbox_validator::json::Value;

use super::element::{items, text};

/// One resource of a Bundle.
pub(super) struct Entry<'d> {
    full_url: Option<Cow<'d, str>>,
    pub(super) resource: Value<'d>,
    /// The entry asks for an update (`PUT`).
    pub(super) update: bool,
}

/// Everything there is to refer to.
pub(super) struct Resources<'d> {
    pub(super) entries: Vec<Entry<'d>>,
}

impl<'d> Resources<'d> {
    /// Of a Bundle its entries; of any other resource nothing beside what it contains.
    pub(super) fn of(body: Value<'d>) -> Self {
        let entry = |entry: Value<'d>| {
            let update = entry.str_at(&["request", "method"]).as_deref() == Some("PUT");
            Some(Entry { full_url: entry.str_at(&["fullUrl"]), resource: entry.get("resource")?, update })
        };
        let bundle = (resource_type(body) == "Bundle").then(|| items(body, "entry").filter_map(entry).collect());
        Self { entries: bundle.unwrap_or_default() }
    }

    /// Entries of one type.
    pub(super) fn of_type(&self, name: &str) -> Vec<&Entry<'d>> {
        self.entries.iter().filter(|entry| resource_type(entry.resource) == name).collect()
    }

    /// The one resource that a Reference inside `holder` means; `None` when there is none or more than one.
    pub(super) fn resolve(&self, holder: Value<'d>, reference: Value<'d>) -> Option<Value<'d>> {
        let target = reference.str_at(&["reference"])?;
        if let Some(id) = target.strip_prefix('#') {
            return only(items(holder, "contained").filter(|resource| text(*resource, &["id"]) == id));
        }
        let target = target.split("/_history/").next().unwrap_or(&target);
        only(self.entries.iter().filter(|entry| entry.is(target)).map(|entry| entry.resource))
    }
}

impl Entry<'_> {
    /// A relative reference means the type and id, or the end of the full URL; any other the whole full URL.
    fn is(&self, target: &str) -> bool {
        let full_url = self.full_url.as_deref();
        if full_url == Some(target) {
            return true;
        }
        let relative = target.split_once('/').filter(|(kind, id)| !kind.contains(':') && !id.contains('/'));
        relative.is_some_and(|(kind, id)| {
            let same_id = resource_type(self.resource) == kind && text(self.resource, &["id"]) == id;
            same_id || full_url.and_then(|url| url.strip_suffix(target)).is_some_and(|base| base.ends_with('/'))
        })
    }
}

/// The type of a resource; empty when it has none.
pub(super) fn resource_type(resource: Value<'_>) -> String {
    text(resource, &["resourceType"])
}

fn only<T>(mut found: impl Iterator<Item = T>) -> Option<T> {
    found.next().filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalbox_validator::json::Document;

    const BUNDLE: &str = r##"{"resourceType":"Bundle","entry":[
        {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"a"}},
        {"fullUrl":"https://pas.example/fhir/Patient/b","resource":{"resourceType":"Patient"}},
        {"resource":{"resourceType":"Patient","id":"c"}}, {"resource":{"resourceType":"Patient","id":"c"}},
        {"resource":{"resourceType":"Encounter","contained":[{"resourceType":"Patient","id":"p"}],"link":[
            {"reference":"urn:uuid:1"}, {"reference":"Patient/a"}, {"reference":"Patient/b/_history/3"},
            {"reference":"https://pas.example/fhir/Patient/b"}, {"reference":"#p"},
            {"reference":"Patient/c"}, {"reference":"https://other.example/Patient/a"}, {"reference":"#x"},
            {"reference":"Patient/ient"}, {"reference":"urn:uuid:2"}, {"display":"no reference"}]}}]}"##;

    #[test]
    fn a_reference_means_exactly_one_resource_or_none() {
        let document = Document::read(BUNDLE.as_bytes()).unwrap();
        let resources = Resources::of(document.root());
        let encounter = resources.of_type("Encounter")[0].resource;
        let found: Vec<bool> =
            items(encounter, "link").map(|link| resources.resolve(encounter, link).is_some()).collect();
        assert_eq!(found, [true, true, true, true, true, false, false, false, false, false, false]);
    }
}
