//! Where a [reference](https://hl7.org/fhir/R4/references.html) leads: a contained resource, another entry of the
//! [Bundle](https://hl7.org/fhir/R4/bundle.html#references), or out of the document.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::{Place, Walk};
use crate::issue::Severity;
use crate::json::Value;
use crate::node::Type;
use crate::profile::{Demand, Profile};
use crate::rules::reference;

/// The resources of a Bundle by what may name them.
#[derive(Default)]
pub(super) struct Entries<'a> {
    by_url: FxHashMap<Cow<'a, str>, Value<'a>>,
    /// By the last two parts of a `RESTful` fullUrl, or type and id.
    by_id: FxHashMap<String, Value<'a>>,
}

impl<'a> Entries<'a> {
    pub(super) fn of(root: Value<'a>) -> Self {
        let mut entries = Self::default();
        if root.str_at(&["resourceType"]).as_deref() != Some("Bundle") {
            return entries;
        }
        for entry in root.get("entry").into_iter().flat_map(Value::items) {
            let Some(resource) = entry.get("resource") else { continue };
            if let Some(url) = entry.str_at(&["fullUrl"]) {
                let mut parts = url.rsplit('/');
                if let (Some(id), Some(name)) = (parts.next(), parts.next()) {
                    entries.by_id.entry(format!("{name}/{id}")).or_insert(resource);
                }
                entries.by_url.entry(url).or_insert(resource);
            }
            if let (Some(name), Some(id)) = (resource.str_at(&["resourceType"]), resource.str_at(&["id"])) {
                entries.by_id.entry(format!("{name}/{id}")).or_insert(resource);
            }
        }
        entries
    }

    fn get(&self, reference: &str) -> Option<Value<'a>> {
        let plain = reference.split("/_history/").next().unwrap_or_default();
        self.by_url.get(plain).or_else(|| self.by_id.get(plain)).copied()
    }
}

impl<'a> Walk<'a> {
    /// The resource that a Reference leads to, where it is in the document.
    pub(super) fn resolve(&self, value: Value<'a>) -> Option<Value<'a>> {
        let text = value.str_at(&["reference"])?;
        match text.strip_prefix('#') {
            Some(id) => self.contents.get(id),
            None => self.entries.get(&text),
        }
    }

    /// The type that a Reference says its target has.
    pub(super) fn target_type(&self, value: Value<'a>) -> Option<String> {
        let declared = value.str_at(&["type"]).map(Cow::into_owned);
        declared.or_else(|| {
            let text = value.str_at(&["reference"])?;
            let is_type = |name: &str| self.set.is_resource_type(name);
            reference::named_type(&text, is_type).map(str::to_owned)
        })
    }

    pub(super) fn reference(&mut self, place: Place<'_, 'a>, element_type: &'a Type, demands: &[&'a Demand]) {
        let set = self.set;
        let is_type = |name: &str| set.is_resource_type(name);
        let narrowed = || demands.iter().filter_map(|demand| Some((*demand, demand.reference.as_ref()?)));
        let targets = narrowed().find(|(_, found)| !found.types.is_empty());
        let types = targets.map_or(&element_type.targets, |(_, found)| &found.types);
        let target = self.resolve(place.value);
        let by_url = if target.is_some() { Severity::Error } else { self.options.reference_by_url };
        let finding = reference::check(place.value, &self.contents, types, is_type, set.resource_types(), by_url);
        if let Some(finding) = finding {
            match targets {
                Some((demand, _)) => self.report_demand(place, demand, finding),
                None => self.report_at(place, finding),
            }
            return;
        }
        let text = place.value.str_at(&["reference"]);
        for (demand, found) in narrowed() {
            if let Some(text) = &text
                && let Some(finding) = reference::reached(text, target.is_some(), &found.aggregation, found.versioning)
            {
                self.report_demand(place, demand, finding);
            }
            let Some(target) = target else { continue };
            let profiles: Vec<&Profile> = found.targets.iter().filter_map(|name| set.profile(name)).collect();
            // A target that nobody has the profile of may be any.
            if profiles.len() < found.targets.len() || profiles.is_empty() {
                continue;
            }
            let at = Place { value: target, within: None, ..place };
            let met = profiles.iter().any(|profile| {
                let name = target.str_at(&["resourceType"]).unwrap_or_default();
                self.is_for(profile, &name) && (profile.is_type || self.meets(at, profile))
            });
            if !met {
                let finding = reference::target_meets_none(&found.targets);
                self.report_demand(place, demand, finding);
            }
        }
    }
}
