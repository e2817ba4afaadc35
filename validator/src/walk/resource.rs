//! A resource by the type it names: at the root, contained in another, or beside others in a Bundle; and the profiles
//! that it must meet. See [meta.profile](https://hl7.org/fhir/R4/resource.html#Meta).

use super::{Demands, Place, Walk};
use crate::fhirpath::Item;
use crate::issue::Severity;
use crate::json::{Kind, Value};
use crate::location::{Location, Segment};
use crate::node::{Element, Type};
use crate::profile::{Demand, Profile};
use crate::rules::contained::{self, Contents};
use crate::rules::{profile, structure};
use crate::subject::bundle::Entries;
use crate::subject::{self, Subject};

/// The types whose resources refer to each other.
const HOLDERS: [&str; 2] = ["Bundle", "Parameters"];

impl<'a> Walk<'a> {
    /// The resource of the document, with the profiles that were asked for.
    pub(super) fn root(&mut self, value: Value<'a>, location: &Location<'_>) {
        let mut demands = Demands::new();
        self.asked(&self.options.profiles, value, location, &mut demands);
        self.asked_by_type(value, location, &mut demands);
        self.resource(value, location, demands);
    }

    /// The profiles that the caller asks for resources of this type.
    fn asked_by_type(&mut self, value: Value<'a>, location: &Location<'_>, demands: &mut Demands<'a>) {
        let options = self.options;
        if options.by_type.is_empty() {
            return;
        }
        let Some(name) = value.str_at(&["resourceType"]) else { return };
        self.asked(options.by_type.get(&*name).map_or(&[], Vec::as_slice), value, location, demands);
    }

    fn asked(&mut self, canonicals: &[String], value: Value<'a>, location: &Location<'_>, demands: &mut Demands<'a>) {
        for canonical in canonicals {
            match self.set.profile(canonical) {
                Some(asked) => add(demands, &asked.root),
                None => self.report(value, location, None, profile::unknown(canonical, Severity::Error)),
            }
        }
    }

    /// A resource with demands on it, to which those of the profiles it names are added.
    pub(super) fn resource(&mut self, value: Value<'a>, location: &Location<'_>, mut demands: Demands<'a>) {
        let set = self.set;
        let name = value.get("resourceType").and_then(Value::as_str);
        let Some(node) = name.as_deref().and_then(|name| set.resource(name)) else {
            let finding = structure::resource_type(name.as_deref(), set.resource_types());
            let at = value.get("resourceType").unwrap_or(value);
            self.report(at, location, None, finding);
            return;
        };
        let node = set.node(node);
        let place = Place { value, location, node, within: None, beside_value: false };
        self.claimed(place, &mut demands);
        for canonical in set.globals(&node.name) {
            if let Some(global) = set.profile(canonical) {
                add(&mut demands, &global.root);
            }
        }
        self.applied_by_code(place, &mut demands);
        self.check_types(place, &mut demands);
        for demand in &demands {
            self.demanded(place, demand, &node.name);
        }
        let outer = std::mem::take(&mut self.ids);
        if HOLDERS.contains(&&*node.name) {
            let outer = (std::mem::replace(&mut self.entries, Entries::of(value)), self.entry.take());
            self.object(place, &demands);
            (self.entries, self.entry) = outer;
        } else {
            self.object(place, &demands);
        }
        self.ids = outer;
        self.hold_demands(place, &demands, &Item::of_node(value, node, value));
        if self.trial.is_none() {
            self.as_a_whole(place);
        }
    }

    /// The rules for a resource as a whole that no definition states.
    fn as_a_whole(&mut self, place: Place<'_, 'a>) {
        let Place { value, location, node, .. } = place;
        if &*node.name == "QuestionnaireResponse" {
            self.response(value, location);
        }
        let set = self.set;
        let subject = Subject { value, location };
        subject::judge(&node.name, subject, set, &mut |value, location, finding| {
            self.report(value, location, Some(set.canonical(node)), finding);
        });
    }

    /// The profiles that the resource says it meets.
    fn claimed(&mut self, place: Place<'_, 'a>, demands: &mut Demands<'a>) {
        let Some(claims) = place.value.at(&["meta", "profile"]) else { return };
        for (index, claim) in claims.items().enumerate() {
            let Some(canonical) = claim.as_str() else { continue };
            if let Some(claimed) = self.set.profile(&canonical) {
                add(demands, &claimed.root);
                continue;
            }
            let Some(severity) = self.options.unknown_profile else { continue };
            let meta = place.location.step(Segment::Child("meta"));
            let list = meta.step(Segment::Child("profile"));
            self.report(claim, &list.step(Segment::Item(index)), None, profile::unknown(&canonical, severity));
        }
    }

    /// Vital signs must meet HL7's profiles, whether they say so or not: see
    /// [vital signs](https://hl7.org/fhir/R4/observation-vitalsigns.html).
    fn applied_by_code(&mut self, place: Place<'_, 'a>, demands: &mut Demands<'a>) {
        if &*place.node.name != "Observation" {
            return;
        }
        for coding in place.value.at(&["code", "coding"]).into_iter().flat_map(Value::items) {
            let is_loinc = coding.str_at(&["system"]).as_deref() == Some("http://loinc.org");
            let code = coding.str_at(&["code"]).filter(|_| is_loinc);
            if let Some(applied) = code.and_then(|code| self.set.vital_sign(&code)) {
                add(demands, &applied.root);
            }
        }
    }

    /// Leaves out the profiles of other types, each with an issue.
    fn check_types(&mut self, place: Place<'_, 'a>, demands: &mut Demands<'a>) {
        let set = self.set;
        demands.retain(|demand| {
            let found = set.profile_at(demand.profile).filter(|found| std::ptr::eq(&raw const found.root, *demand));
            let Some(found) = found else { return true };
            let fits = self.is_for(found, &place.node.name);
            if !fits {
                let finding = profile::other_type(&found.canonical, &found.type_name, &place.node.name);
                self.report(place.value, place.location, Some(&found.canonical), finding);
            }
            fits
        });
    }

    /// Whether a profile is for this type, or for one that this type specialises.
    pub(super) fn is_for(&self, profile: &Profile, type_name: &str) -> bool {
        &*profile.type_name == type_name || self.set.ancestors(type_name).any(|name| *name == *profile.type_name)
    }

    /// A resource inside another: contained in it, or beside it as in a Bundle.
    pub(super) fn inner_resource(
        &mut self,
        place: Place<'_, 'a>,
        element: &'a Element,
        element_type: &'a Type,
        demands: &[&'a Demand],
    ) {
        let value = place.value;
        if value.kind() != Kind::Object {
            let finding = crate::rules::type_::wrong_json(&element_type.name, Kind::Object, value.kind());
            self.report_at(place, finding);
            return;
        }
        let resource_type = value.str_at(&["resourceType"]);
        let type_name = resource_type.as_deref().unwrap_or_default();
        let mut inner = Demands::new();
        self.types_left(place, demands, type_name);
        for demand in demands {
            self.add_type_profiles(place, demand, type_name, &mut inner);
        }
        // What is demanded of the element is demanded of the resource in it.
        inner.extend(demands.iter().filter(|demand| demand.children.is_some()));
        if &*element.name == contained::ELEMENT {
            let referred = contained::is_referred_to(value, &self.contents);
            let doubled = contained::is_doubled(value, &self.contents);
            for finding in contained::resource(value).chain(referred).chain(doubled) {
                self.report_at(place, finding);
            }
            let outer = self.resource;
            self.resource = (value, outer.0);
            self.resource(value, place.location, inner);
            self.resource = outer;
        } else {
            self.asked_by_type(value, place.location, &mut inner);
            let outer = std::mem::replace(&mut self.contents, Contents::of(value));
            let around = std::mem::replace(&mut self.resource, (value, value));
            let entry = std::mem::replace(&mut self.entry, entry_of(place));
            self.resource(value, place.location, inner);
            (self.contents, self.resource, self.entry) = (outer, around, entry);
        }
    }
}

/// The number of the entry that a place is the resource of.
fn entry_of(place: Place<'_, '_>) -> Option<usize> {
    match place.location.parent?.segment {
        Segment::Item(index) if &*place.node.name == "Bundle.entry" => Some(index),
        _ => None,
    }
}

/// Adds a demand once.
pub(super) fn add<'a>(demands: &mut Demands<'a>, demand: &'a Demand) {
    if !demands.iter().any(|known| std::ptr::eq(*known, demand)) {
        demands.push(demand);
    }
}
