//! Which entry a reference in a Bundle leads to: see
//! [resolving references in Bundles](https://hl7.org/fhir/R4/bundle.html#references).

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::super::numbered;
use crate::json::Value;
use crate::rules::format;

/// What of an entry references are resolved by.
#[derive(Default)]
pub(crate) struct Entry<'a> {
    pub(crate) full_url: Option<Cow<'a, str>>,
    pub(crate) resource: Option<Value<'a>>,
    pub(crate) type_name: Option<Cow<'a, str>>,
    pub(crate) id: Option<Cow<'a, str>>,
    /// The next entry with the same `fullUrl`.
    next: Option<usize>,
}

/// The entries of a Bundle, by what may name them.
#[derive(Default)]
pub(crate) struct Entries<'a> {
    pub(crate) bundle_type: Cow<'a, str>,
    list: Vec<Entry<'a>>,
    /// The first entry with each `fullUrl`.
    by_url: FxHashMap<Cow<'a, str>, usize>,
    /// The first entry of each `Type/id`.
    by_id: FxHashMap<String, usize>,
}

/// Where a reference leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// To this entry.
    One(usize),
    /// To several, this being the first.
    Several(usize),
    /// To none; but this one has the type and the id, under a `fullUrl` that does not match.
    Apparently(usize),
    /// To none.
    Nowhere,
}

impl<'a> Entries<'a> {
    /// Those of a Bundle; of anything else, none.
    pub(crate) fn of(bundle: Value<'a>) -> Self {
        match bundle.str_at(&["resourceType"]).as_deref() {
            Some("Bundle") => {}
            Some("Parameters") => return Self::of_parameters(bundle),
            _ => return Self::default(),
        }
        let mut entries = Self { bundle_type: bundle.str_at(&["type"]).unwrap_or_default(), ..Self::default() };
        let mut last: FxHashMap<Cow<'a, str>, usize> = FxHashMap::default();
        for (index, value) in numbered(bundle, super::ENTRY) {
            let resource = value.get("resource");
            let text = |key| resource.and_then(|found| found.str_at(&[key]));
            let entry = Entry {
                full_url: value.str_at(&["fullUrl"]),
                resource,
                type_name: text("resourceType"),
                id: text("id"),
                next: None,
            };
            if let (Some(name), Some(id)) = (&entry.type_name, &entry.id) {
                entries.by_id.entry(format!("{name}/{id}")).or_insert(index);
            }
            if let Some(url) = entry.full_url.clone().filter(|_| resource.is_some()) {
                entries.by_url.entry(url.clone()).or_insert(index);
                if let Some(before) = last.insert(url, index) {
                    entries.list[before].next = Some(index);
                }
            }
            entries.list.push(entry);
        }
        entries
    }

    /// The resources of Parameters, which have no `fullUrl`: they are told by type and id.
    fn of_parameters(parameters: Value<'a>) -> Self {
        let mut entries = Self::default();
        let mut pending: Vec<Value<'a>> = parameters.get("parameter").into_iter().flat_map(Value::items).collect();
        while let Some(parameter) = pending.pop() {
            pending.extend(parameter.get("part").into_iter().flat_map(Value::items));
            let Some(resource) = parameter.get("resource") else { continue };
            let text = |key| resource.str_at(&[key]);
            let entry =
                Entry { resource: Some(resource), type_name: text("resourceType"), id: text("id"), ..Entry::default() };
            if let (Some(name), Some(id)) = (&entry.type_name, &entry.id) {
                entries.by_id.insert(format!("{name}/{id}"), entries.list.len());
            }
            entries.list.push(entry);
        }
        entries
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The entry with this number.
    ///
    /// # Panics
    /// When there is none; numbers come from the same Bundle.
    pub(crate) fn at(&self, index: usize) -> &Entry<'a> {
        &self.list[index]
    }

    /// Where a reference in the resource of an entry leads.
    pub(crate) fn find(&self, from: Option<usize>, reference: &str) -> Found {
        let plain = reference.split('#').next().unwrap_or_default();
        let (plain, version) =
            plain.split_once("/_history/").map_or((plain, None), |(url, version)| (url, Some(version)));
        if format::is_absolute(plain) {
            return self.with_url(plain, version).unwrap_or(Found::Nowhere);
        }
        let same_id = self.by_id.get(plain).copied();
        let from = from.and_then(|from| self.list.get(from)?.full_url.as_deref());
        let Some(from) = from else {
            return same_id.map_or(Found::Nowhere, Found::One);
        };
        let found = base(from).and_then(|base| self.with_url(&format!("{base}{plain}"), version));
        found.or(same_id.map(Found::Apparently)).unwrap_or(Found::Nowhere)
    }

    /// The resource that a reference leads to, or would if all were of one server.
    pub(crate) fn resource(&self, from: Option<usize>, reference: &str) -> Option<Value<'a>> {
        match self.find(from, reference) {
            Found::One(index) | Found::Several(index) | Found::Apparently(index) => self.list[index].resource,
            Found::Nowhere => {
                // The whole may have been gathered from several servers.
                let plain = reference.split("/_history/").next()?;
                let mut parts = plain.rsplit('/');
                let (id, name) = (parts.next()?, parts.next()?);
                let index = *self.by_id.get(&format!("{name}/{id}"))?;
                self.list[index].resource.filter(|_| !plain.starts_with("urn:"))
            }
        }
    }

    fn with_url(&self, url: &str, version: Option<&str>) -> Option<Found> {
        let mut next = self.by_url.get(url).copied();
        let mut first = None;
        let mut several = false;
        while let Some(index) = next {
            let entry = &self.list[index];
            next = entry.next;
            let own = || entry.resource.and_then(|resource| resource.str_at(&["meta", "versionId"]));
            if version.is_none_or(|version| own().as_deref() == Some(version)) {
                several |= first.is_some();
                first = first.or(Some(index));
            }
        }
        first.map(|index| if several { Found::Several(index) } else { Found::One(index) })
    }
}

/// The root of the server of which this is a resource: what remains without the type and id.
fn base(full_url: &str) -> Option<&str> {
    if !["http://", "https://"].iter().any(|scheme| full_url.starts_with(scheme)) {
        return None;
    }
    let id = full_url.rfind('/')?;
    let name = full_url[..id].rfind('/')?;
    Some(&full_url[..=name])
}
