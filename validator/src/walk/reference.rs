//! Where a [reference](https://hl7.org/fhir/R4/references.html) leads: a contained resource, another entry of the
//! [Bundle](https://hl7.org/fhir/R4/bundle.html#references), or out of the document.

use std::borrow::Cow;

use super::{Place, Walk};
use crate::issue::Severity;
use crate::json::Value;
use crate::node::Type;
use crate::profile::{Demand, Profile};
use crate::rules::{format, reference};

impl<'a> Walk<'a> {
    /// The resource that a Reference leads to, where it is in the document.
    pub(super) fn resolve(&self, value: Value<'a>) -> Option<Value<'a>> {
        let text = value.str_at(&["reference"])?;
        match text.strip_prefix('#') {
            Some(id) => self.contents.get(id),
            None => self.entries.resource(self.entry, &text),
        }
    }

    /// What the Bundle around asks of a reference in one of its entries.
    fn reference_in_bundle(&mut self, place: Place<'_, 'a>) {
        let (Some(entry), Some(text)) = (self.entry, place.value.str_at(&["reference"])) else { return };
        if text.is_empty() || text.starts_with('#') || self.trial.is_some() {
            return;
        }
        let has_full_url = self.entries.at(entry).full_url.is_some();
        let found = self.entries.find(Some(entry), &text);
        let finding = reference::in_bundle(&text, has_full_url, &self.entries.bundle_type, found);
        self.report_found(place, finding);
    }

    /// Where the target of every reference must be in the document: whether this one's is.
    fn target_here(&mut self, place: Place<'_, 'a>) {
        if !self.options.targets_here || self.trial.is_some() || self.resolve(place.value).is_some() {
            return;
        }
        let Some(text) = place.value.str_at(&["reference"]) else { return };
        // A resource on a server elsewhere is not asked for, and one that is contained is told by itself.
        if !text.is_empty() && !text.starts_with('#') && !format::is_absolute(&text) {
            self.report_at(place, reference::not_here());
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
        self.reference_in_bundle(place);
        self.target_here(place);
        let set = self.set;
        let is_type = |name: &str| set.is_resource_type(name);
        let narrowed = || demands.iter().filter_map(|demand| Some((*demand, demand.reference.as_ref()?)));
        let targets = narrowed().find(|(_, found)| !found.types.is_empty());
        let types = targets.map_or(&element_type.targets, |(_, found)| &found.types);
        let target = self.resolve(place.value);
        let by_url = if target.is_some() { Severity::Error } else { self.options.reference_by_url };
        let finding = reference::check(place.value, &self.contents, types, is_type, set.resource_types(), by_url);
        if let Some(finding) = finding {
            let is_error = finding.severity.is_error();
            match targets {
                Some((demand, _)) => self.report_demand(place, demand, finding),
                None => self.report_at(place, finding),
            }
            if is_error {
                return;
            }
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
