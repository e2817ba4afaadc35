//! The one walk: every value of the document is met once, together with the element that defines it, and the rules
//! of that element are asked. See [validating resources](https://hl7.org/fhir/R4/validation.html).

use crate::definition::Strength;
use crate::issue::{Issue, IssueCode};
use crate::json::{Document, Kind, Value};
use crate::location::{Location, Segment};
use crate::node::{Content, Element, Node, NodeId, Property, Role, Special, Type, ValueSetId};
use crate::options::Options;
use crate::profile_set::ProfileSet;
use crate::rules::contained::Contents;
use crate::rules::{
    Finding, Rule, binding, cardinality, choice, code_system, contained, content, extension, format,
    primitive_extension, reference, structure, type_,
};

/// Issues beyond this many are not reported one by one.
const MOST_ISSUES: usize = 500;

/// A walk in progress.
pub(crate) struct Walk<'a> {
    set: &'a ProfileSet,
    /// What the resource we are in contains, for its references to name; a contained resource is in its container.
    contents: Contents<'a>,
    issues: Vec<Issue>,
    /// Value sets for which it has been said that they are not checked.
    remarked: Vec<ValueSetId>,
}

/// A value with its way from the root and the node it stands in.
#[derive(Clone, Copy)]
struct Place<'p, 'a> {
    value: Value<'a>,
    location: &'p Location<'p>,
    node: &'a Node,
    /// This is the `_name` of a primitive that has a value.
    beside_value: bool,
}

impl<'p, 'a> Place<'p, 'a> {
    fn item(self, value: Value<'a>, location: &'p Location<'p>) -> Self {
        Self { value, location, ..self }
    }
}

impl<'a> Walk<'a> {
    /// Walks a whole document; the issues are in the order of the text.
    pub(crate) fn over(set: &'a ProfileSet, document: &'a Document<'a>, _options: &Options) -> Vec<Issue> {
        let root = document.root();
        let mut walk = Self { set, contents: Contents::of(root), issues: Vec::new(), remarked: Vec::new() };
        let resource_type = root.str_at(&["resourceType"]);
        let known = resource_type.as_deref().filter(|name| set.is_resource_type(name));
        let location = Location::root(known.unwrap_or("Resource"));
        if root.kind() == Kind::Object {
            walk.resource(root, &location);
        } else {
            walk.report(root, &location, None, structure::not_an_object());
        }
        walk.issues.sort_by_key(|issue| (issue.line, issue.column));
        if walk.is_full() {
            let message = format!("There are more than {MOST_ISSUES} issues; the rest is not reported.");
            let finding = Finding::error(Rule::Limit, IssueCode::TooCostly, message);
            walk.push(root, &location, None, finding);
        }
        walk.issues
    }

    fn is_full(&self) -> bool {
        self.issues.len() >= MOST_ISSUES
    }

    fn report(&mut self, value: Value<'_>, location: &Location<'_>, node: Option<&Node>, finding: Finding) {
        if !self.is_full() {
            self.push(value, location, node, finding);
        }
    }

    fn push(&mut self, value: Value<'_>, location: &Location<'_>, node: Option<&Node>, finding: Finding) {
        let position = value.position();
        let Finding { rule, severity, code, message } = finding;
        self.issues.push(Issue {
            severity,
            code,
            rule,
            message,
            expression: location.to_string(),
            line: position.line,
            column: position.column,
            profile: node.map(|node| self.set.canonical(node).to_owned()),
        });
    }

    fn report_at(&mut self, place: Place<'_, 'a>, finding: Finding) {
        self.report(place.value, place.location, Some(place.node), finding);
    }

    fn report_found(&mut self, place: Place<'_, 'a>, finding: Option<Finding>) {
        if let Some(finding) = finding {
            self.report_at(place, finding);
        }
    }

    /// A resource by the type it names, at the root or inside another.
    fn resource(&mut self, value: Value<'a>, location: &Location<'_>) {
        let set = self.set;
        let name = value.get("resourceType").and_then(Value::as_str);
        if let Some(node) = name.as_deref().and_then(|name| set.resource(name)) {
            self.object(Place { value, location, node: set.node(node), beside_value: false });
            return;
        }
        let finding = structure::resource_type(name.as_deref(), set.resource_types());
        let at = value.get("resourceType").unwrap_or(value);
        self.report(at, location, None, finding);
    }

    fn object(&mut self, place: Place<'_, 'a>) {
        let Place { value, location, node, .. } = place;
        if let Some(finding) = content::empty(value) {
            self.report_at(place, finding);
            return;
        }
        let mut seen: u128 = 0;
        for member in value.children() {
            let key = member.key().unwrap_or_default();
            let Some(property) = node.properties.get(&*key) else {
                self.unknown(place, member, &key);
                continue;
            };
            if self.is_full() {
                return;
            }
            let element = self.set.element(property.element);
            let bit = 1 << property.slot;
            let step = location.step(segment(element, *property));
            let place = Place { value: member, location: &step, node, beside_value: false };
            if seen & bit != 0 && element.is_choice {
                self.second_type(place, value, *property);
            }
            seen |= bit;
            match property.role {
                Role::Value => self.member(place, *property, value, &key),
                Role::Sibling => self.sibling(place, *property, value, &key),
            }
        }
        self.whole(place, seen);
    }

    /// What is judged once all members have been seen.
    fn whole(&mut self, place: Place<'_, 'a>, seen: u128) {
        let Place { value, node, .. } = place;
        let has = |slot: u8| seen & (1 << slot) != 0;
        for &id in &node.required {
            let element = self.set.element(id);
            if !has(element.slot) {
                self.report_at(place, cardinality::missing(&node.name, element));
            }
        }
        if node.is_resource {
            return;
        }
        if !place.beside_value
            && let Some(finding) = content::only_id(value)
        {
            self.report_at(place, finding);
        } else if let Some((extensions, values)) = node.ext_1
            && let Some(finding) = extension::value_or_extensions(has(extensions), has(values))
        {
            self.report_at(place, finding);
        }
    }

    fn unknown(&mut self, place: Place<'_, 'a>, member: Value<'a>, key: &str) {
        let node = place.node;
        if node.is_resource && key == "resourceType" {
            return;
        }
        let known = node.properties.keys().map(|known| &**known).filter(|known| !known.starts_with('_'));
        let finding = structure::unknown_property(&node.name, key, known);
        self.report(member, place.location, Some(node), finding);
    }

    /// A choice met again: an issue unless it is the `_name` of the same type.
    fn second_type(&mut self, place: Place<'_, 'a>, parent: Value<'a>, property: Property) {
        let earlier = parent.children().take_while(|member| member.index() != place.value.index());
        let mut choices = earlier.filter_map(|member| place.node.properties.get(&*member.key()?));
        let other = choices.find(|found| found.element == property.element && found.choice != property.choice);
        if let Some(other) = other {
            let element = self.set.element(property.element);
            let finding = choice::second_type(element, other.choice.into(), property.choice.into());
            self.report_at(place, finding);
        }
    }

    /// An element under its own name, in an array where it repeats.
    fn member(&mut self, place: Place<'_, 'a>, property: Property, parent: Value<'a>, key: &str) {
        let element = self.set.element(property.element);
        let Some(element_type) = element.types.get(usize::from(property.choice)) else { return };
        match (place.value.kind(), element.repeats()) {
            (Kind::Array, false) => self.report_at(place, cardinality::unexpected_array(element)),
            (Kind::Array, true) => self.items(place, element, element_type, parent, key),
            (_, true) => self.report_at(place, cardinality::missing_array(element)),
            (Kind::Null, false) => self.report_at(place, content::null()),
            (_, false) => self.value(place, element, element_type),
        }
    }

    fn items(
        &mut self,
        place: Place<'_, 'a>,
        element: &'a Element,
        element_type: &'a Type,
        parent: Value<'a>,
        key: &str,
    ) {
        if let Some(finding) = content::empty(place.value).or_else(|| cardinality::count(element, place.value.len())) {
            self.report_at(place, finding);
        }
        // The partner is looked for only when there is a place for it to fill.
        let has_sibling = matches!(element_type.content, Content::Primitive(_, Some(_)));
        let wanted = has_sibling && place.value.children().any(|item| item.kind() == Kind::Null);
        let partner = if wanted { parent.get(&format!("_{key}")) } else { None };
        for ((index, value), filled) in place.value.children().enumerate().zip(primitive_extension::filled(partner)) {
            let step = place.location.step(Segment::Item(index));
            let item = place.item(value, &step);
            if value.kind() != Kind::Null {
                self.value(item, element, element_type);
            } else if !filled {
                self.report_at(item, content::null());
            }
        }
    }

    /// The id and extensions of a primitive, under `_name`.
    fn sibling(&mut self, place: Place<'_, 'a>, property: Property, parent: Value<'a>, key: &str) {
        let element = self.set.element(property.element);
        let content = element.types.get(usize::from(property.choice)).map(|found| found.content);
        let Some(Content::Primitive(_, Some(node))) = content else { return };
        let partner = parent.get(key.trim_start_matches('_'));
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
                        self.structure(Place { beside_value, ..item }, node);
                    } else if partner.is_none() {
                        self.report_at(item, content::null());
                    }
                }
            }
            (_, true) => self.report_at(place, cardinality::missing_array(element)),
            (Kind::Null, false) => self.report_at(place, content::null()),
            (_, false) => {
                let beside_value = partner.is_some_and(|value| value.kind() != Kind::Null);
                self.structure(Place { beside_value, ..place }, node);
            }
        }
    }

    /// One value of an element, not null and not an array of them.
    fn value(&mut self, place: Place<'_, 'a>, element: &'a Element, element_type: &'a Type) {
        let value = place.value;
        match element_type.content {
            Content::Primitive(primitive, _) => {
                if let Some(finding) = format::check(primitive, &element_type.name, value) {
                    self.report_at(place, finding);
                } else if let Some((strength @ Strength::Required, id)) = element.binding
                    && let Some(code) = value.as_str()
                {
                    let outcome = binding::code(strength, self.set.value_set(id), &code);
                    self.bound(place, id, outcome);
                }
            }
            Content::Object(node) => {
                self.structure(place, node);
                if value.kind() == Kind::Object {
                    self.special(place, node, element, element_type);
                }
            }
            Content::Resource if value.kind() == Kind::Object => self.inner_resource(place, element),
            Content::Resource => {
                self.report_at(place, type_::wrong_json(&element_type.name, Kind::Object, value.kind()));
            }
        }
    }

    /// What must be an object of `node`.
    fn structure(&mut self, place: Place<'_, 'a>, node: NodeId) {
        let node = self.set.node(node);
        if place.value.kind() == Kind::Object {
            self.object(Place { node, ..place });
        } else {
            self.report_at(place, type_::wrong_json(&node.name, Kind::Object, place.value.kind()));
        }
    }

    /// Rules that read a complex type as a whole.
    fn special(&mut self, place: Place<'_, 'a>, node: NodeId, element: &'a Element, element_type: &'a Type) {
        let Place { value, .. } = place;
        let set = self.set;
        match element_type.special {
            Special::Reference => {
                let is_type = |name: &str| set.is_resource_type(name);
                let targets = &element_type.targets;
                let finding = reference::check(value, &self.contents, targets, is_type, set.resource_types());
                self.report_found(place, finding);
            }
            Special::Coding | Special::Quantity | Special::Identifier => {
                self.report_found(
                    place,
                    code_system::check(element_type.special, value, |system| set.code_system(system)),
                );
            }
            Special::CodeableConcept | Special::None => {}
        }
        if let Some((strength, id)) = element.binding {
            let outcome = binding::object(element_type.special, strength, set.value_set(id), value);
            self.bound(place, id, outcome);
        }
        let is_extension = self.set.node(node).ext_1.is_some();
        if is_extension
            && place.node.ext_1.is_none()
            && let Some(finding) = extension::url(value)
        {
            self.report_at(place, finding);
        }
    }

    fn bound(&mut self, place: Place<'_, 'a>, id: ValueSetId, outcome: binding::Outcome) {
        match outcome {
            binding::Outcome::Good => {}
            binding::Outcome::Bad(finding) => self.report_at(place, finding),
            binding::Outcome::NotChecked => {
                let value_set = self.set.value_set(id);
                if !self.remarked.contains(&id) && !value_set.is_grammar() {
                    self.remarked.push(id);
                    self.report_at(place, binding::remark(value_set));
                }
            }
        }
    }

    /// A resource inside another: contained in it, or beside it as in a Bundle.
    fn inner_resource(&mut self, place: Place<'_, 'a>, element: &'a Element) {
        if &*element.name == contained::ELEMENT {
            let referred = contained::is_referred_to(place.value, &self.contents);
            for finding in contained::resource(place.value).chain(referred) {
                self.report_at(place, finding);
            }
            self.resource(place.value, place.location);
        } else {
            let outer = std::mem::replace(&mut self.contents, Contents::of(place.value));
            self.resource(place.value, place.location);
            self.contents = outer;
        }
    }
}

fn segment(element: &Element, property: Property) -> Segment<'_> {
    match element.types.get(usize::from(property.choice)) {
        Some(chosen) if element.is_choice => Segment::Typed(&element.name, &chosen.name),
        _ => Segment::Child(&element.name),
    }
}
