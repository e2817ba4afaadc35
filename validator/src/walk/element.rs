//! From a member of an object to the values of its element: arrays, items, `_name` siblings, and the content each value
//! must have. See [FHIR JSON](https://hl7.org/fhir/R4/json.html).

use super::slices::Tallies;
use super::{Demands, Place, Walk};
use crate::definition::Strength;
use crate::fhirpath::Item;
use crate::json::{Kind, Value};
use crate::location::Segment;
use crate::node::{Content, Element, NodeId, Property, Special, Type, ValueSetId};
use crate::profile::Demand;
use crate::profile_set::ProfileSet;
use crate::rules::binding::Outcome;
use crate::rules::{
    attachment, binding, cardinality, code_system, content, embedded_html, format, narrative, primitive_extension,
    type_,
};

/// The type whose codings say one thing in several systems.
const CODEABLE_CONCEPT: &str = "CodeableConcept";

impl<'a> Walk<'a> {
    /// An element under its own name, in an array where it repeats.
    pub(super) fn member(
        &mut self,
        place: Place<'_, 'a>,
        property: Property,
        parent: Value<'a>,
        key: &str,
        demands: &[&'a Demand],
    ) {
        let element = self.set.element(property.element);
        let Some(element_type) = element.types.get(usize::from(property.choice)) else { return };
        match (place.value.kind(), element.repeats()) {
            (Kind::Array, false) => self.report_at(place, cardinality::unexpected_array(element)),
            (Kind::Array, true) => {
                self.counted(place, demands, place.value.len());
                self.items(place, element, element_type, parent, key, demands);
            }
            (_, true) => self.report_at(place, cardinality::missing_array(element)),
            (Kind::Null, false) => self.report_at(place, content::null()),
            (_, false) => {
                self.counted(place, demands, 1);
                self.single(place, element, element_type, demands);
            }
        }
    }

    /// The one value of an element that does not repeat.
    fn single(&mut self, place: Place<'_, 'a>, element: &'a Element, element_type: &'a Type, demands: &[&'a Demand]) {
        if demands.iter().all(|demand| demand.slicing.is_none()) {
            self.value(place, element, element_type, demands);
            return;
        }
        let mut tallies = Tallies::default();
        let sliced = self.sort(place, element_type, demands, &mut tallies);
        self.value(place, element, element_type, &sliced);
        self.tallied(place, &tallies);
    }

    fn items(
        &mut self,
        place: Place<'_, 'a>,
        element: &'a Element,
        element_type: &'a Type,
        parent: Value<'a>,
        key: &str,
        demands: &[&'a Demand],
    ) {
        if let Some(finding) = content::empty(place.value).or_else(|| cardinality::count(element, place.value.len())) {
            self.report_at(place, finding);
        }
        let is_sliced = demands.iter().any(|demand| demand.slicing.is_some());
        let mut tallies = Tallies::default();
        // The partner is looked for only when there is a place for it to fill.
        let has_sibling = matches!(element_type.content, Content::Primitive(_, Some(_)));
        let wanted = has_sibling && place.value.children().any(|item| item.kind() == Kind::Null);
        let partner = if wanted { parent.get(&format!("_{key}")) } else { None };
        for ((index, value), filled) in place.value.children().enumerate().zip(primitive_extension::filled(partner)) {
            let step = place.location.step(Segment::Item(index));
            let item = place.item(value, &step);
            if value.kind() == Kind::Null {
                if !filled {
                    self.report_at(item, content::null());
                }
            } else if is_sliced {
                let sliced = self.sort(item, element_type, demands, &mut tallies);
                self.value(item, element, element_type, &sliced);
            } else {
                self.value(item, element, element_type, demands);
            }
        }
        if is_sliced {
            tallies.expect(demands);
            self.tallied(place, &tallies);
        }
    }

    /// The id and extensions of a primitive, under `_name`.
    pub(super) fn sibling(
        &mut self,
        place: Place<'_, 'a>,
        property: Property,
        parent: Value<'a>,
        key: &str,
        demands: &[&'a Demand],
    ) {
        let element = self.set.element(property.element);
        let content = element.types.get(usize::from(property.choice)).map(|found| found.content);
        let Some(Content::Primitive(_, Some(node))) = content else { return };
        let partner = parent.get(key.trim_start_matches('_'));
        if partner.is_none() {
            let count = if place.value.kind() == Kind::Array { place.value.len() } else { 1 };
            self.counted(place, demands, count);
        }
        match (place.value.kind(), element.repeats()) {
            (Kind::Array, false) => self.report_at(place, cardinality::unexpected_array(element)),
            (Kind::Array, true) => {
                let name = &element.name;
                let finding = content::empty(place.value);
                let finding = finding.or_else(|| primitive_extension::lengths(name, place.value, partner));
                if let Some(finding) = finding {
                    self.report_at(place, finding);
                }
                let filled = primitive_extension::filled(partner);
                for ((index, value), beside_value) in place.value.children().enumerate().zip(filled) {
                    let step = place.location.step(Segment::Item(index));
                    let item = place.item(value, &step);
                    if value.kind() != Kind::Null {
                        self.structure(Place { beside_value, ..item }, node, element, demands);
                    } else if partner.is_none() {
                        self.report_at(item, content::null());
                    }
                }
            }
            (_, true) => self.report_at(place, cardinality::missing_array(element)),
            (Kind::Null, false) => self.report_at(place, content::null()),
            (_, false) => {
                let beside_value = partner.is_some_and(|value| value.kind() != Kind::Null);
                self.structure(Place { beside_value, ..place }, node, element, demands);
            }
        }
    }

    /// One value of an element, not null and not an array of them.
    fn value(&mut self, place: Place<'_, 'a>, element: &'a Element, element_type: &'a Type, demands: &[&'a Demand]) {
        let value = place.value;
        match element_type.content {
            Content::Primitive(primitive, _) => {
                if let Some(finding) = format::check(primitive, &element_type.name, value) {
                    self.report_at(place, finding);
                    return;
                }
                if primitive.is_xhtml() {
                    self.narrative(place);
                } else if primitive.is_text() && memchr::memchr(b'<', value.raw().as_bytes()).is_some() {
                    let text = value.as_str().unwrap_or_default();
                    self.report_found(place, embedded_html::check(&text, self.options.embedded_html));
                }
                if let Some((strength @ Strength::Required, id)) = element.binding
                    && let Some(code) = value.as_str()
                {
                    let outcome = binding::code(strength, self.set.value_set(id), &code);
                    self.bound(place, id, outcome);
                }
                self.types_left(place, demands, &element_type.name);
                for demand in demands {
                    self.demanded(place, demand, &element_type.name);
                }
                self.hold_value(place, element, element_type, demands);
            }
            Content::Object(node) => self.complex(place, node, element, element_type, demands),
            Content::Resource => self.inner_resource(place, element, element_type, demands),
        }
    }

    /// The XHTML of a narrative.
    fn narrative(&mut self, place: Place<'_, 'a>) {
        let Some(text) = place.value.as_str() else { return };
        let contents = &self.contents;
        for finding in narrative::check(&text, |id| contents.get(id).is_some()) {
            self.report_at(place, finding);
        }
    }

    /// A complex type, with the demands of its profiles.
    fn complex(
        &mut self,
        place: Place<'_, 'a>,
        node: NodeId,
        element: &'a Element,
        element_type: &'a Type,
        demands: &[&'a Demand],
    ) {
        if place.value.kind() != Kind::Object {
            self.structure(place, node, element, demands);
            return;
        }
        let mut all: Demands<'a> = demands.to_vec();
        self.types_left(place, demands, &element_type.name);
        for demand in demands {
            self.add_type_profiles(place, demand, &element_type.name, &mut all);
        }
        let is_extension = self.set.node(node).ext_1.is_some();
        if is_extension {
            self.add_extension(place, element, &mut all);
        }
        self.add_profiles(place, &element_type.profiles, None, &mut all);
        if is_extension {
            self.around.push(place.value.str_at(&["url"]));
        }
        self.structure(place, node, element, &all);
        if is_extension {
            self.around.pop();
        }
        self.special(place, element, element_type, &all);
        for demand in &all {
            self.demanded(place, demand, &element_type.name);
        }
        self.hold_value(place, element, element_type, &all);
        if &*element_type.name == attachment::TYPE {
            self.report_found(place, attachment::size(place.value));
        }
    }

    /// The invariants of an element and of what profiles demand of it.
    fn hold_value(
        &mut self,
        place: Place<'_, 'a>,
        element: &'a Element,
        element_type: &'a Type,
        demands: &[&'a Demand],
    ) {
        if element.invariants.is_empty() && demands.iter().all(|demand| demand.invariants.is_empty()) {
            return;
        }
        let focus = Item::of_type(self.set, Some(place.value), None, element_type, self.resource.0);
        let profile = self.set.canonical(place.node);
        self.hold(place, &element.invariants, &focus, Some(profile));
        self.hold_demands(place, demands, &focus);
    }

    /// What must be an object of `node`.
    fn structure(&mut self, place: Place<'_, 'a>, node: NodeId, element: &'a Element, demands: &[&'a Demand]) {
        let node = self.set.node(node);
        if place.value.kind() == Kind::Object {
            self.object(Place { node, within: Some((place.node, element)), ..place }, demands);
        } else {
            self.report_at(place, type_::wrong_json(&node.name, Kind::Object, place.value.kind()));
        }
    }

    /// Rules that read a complex type as a whole.
    fn special(&mut self, place: Place<'_, 'a>, element: &'a Element, element_type: &'a Type, demands: &[&'a Demand]) {
        let Place { value, .. } = place;
        match element_type.special {
            Special::Reference => self.reference(place, element_type, demands),
            Special::Identifier => self.report_found(place, code_system::of_identifier(value)),
            Special::Coding | Special::Quantity => self.coded(place),
            Special::CodeableConcept | Special::None => {}
        }
        if let Some((strength, id)) = element.binding {
            let outcome = self.bound_object(element_type.special, strength, id, value);
            self.bound(place, id, outcome);
        }
    }

    /// The system, code and display of a coded value.
    fn coded(&mut self, place: Place<'_, 'a>) {
        let in_concept = &*place.node.name == CODEABLE_CONCEPT;
        let (terminology, severity) = (self.set.terminology(), self.options.wrong_display);
        for (child, finding) in code_system::of_code(place.value, in_concept, terminology, severity) {
            let Some(name) = child else {
                self.report_at(place, finding);
                continue;
            };
            let step = place.location.step(Segment::Child(name));
            let value = place.value.get(name).unwrap_or(place.value);
            self.report_at(place.item(value, &step), finding);
        }
        self.ask_system(place);
    }

    /// How a coded object fares with a value set. Of codes of a version that is not loaded nothing is known.
    pub(super) fn bound_object(
        &self,
        special: Special,
        strength: Strength,
        id: ValueSetId,
        value: Value<'a>,
    ) -> Outcome {
        let outcome = binding::object(special, strength, self.set.value_set(id), value);
        let is_bad = matches!(outcome, Outcome::Bad(_));
        let mut codings = value.get("coding").into_iter().flat_map(Value::items);
        let lacks = |coding| lacks_version(self.set, coding);
        if is_bad && (lacks(value) || codings.any(lacks)) { Outcome::NotChecked(strength) } else { outcome }
    }

    pub(super) fn bound(&mut self, place: Place<'_, 'a>, id: ValueSetId, outcome: Outcome) {
        match outcome {
            Outcome::Good => {}
            Outcome::Bad(finding) => self.report_at(place, finding),
            Outcome::NotChecked(strength) => {
                // Any other binding allows more codes than the set has: that is not worth a remark.
                if self.ask_bound(place, id, strength) || strength != Strength::Required {
                    return;
                }
                let value_set = self.set.value_set(id);
                if self.trial.is_none() && !self.remarked.contains(&id) && !value_set.is_grammar() {
                    self.remarked.push(id);
                    self.report_at(place, binding::remark(value_set));
                }
            }
        }
    }
}

/// Whether a coding is of a version of its system that is not loaded, where another is.
pub(super) fn lacks_version(set: &ProfileSet, coding: Value<'_>) -> bool {
    let (system, version) = (coding.str_at(&["system"]), coding.str_at(&["version"]));
    system.zip(version).is_some_and(|(system, version)| set.terminology().lacks_version(&system, &version))
}
