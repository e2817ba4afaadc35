//! The one walk: every value of the document is met once, together with the element that defines it and with what the
//! profiles in force demand there, and the rules are asked. See
//! [validating resources](https://hl7.org/fhir/R4/validation.html).
//!
//! Here is the way from the document into its objects; `element` is the way from a member of an object to its values,
//! `demand` what profiles demand of one value, `slices` which slice an item is of, `extension` and `reference` what those
//! two types need.

mod ask;
mod demand;
mod element;
mod extension;
mod invariants;
mod reference;
mod resource;
mod response;
mod slices;

use std::borrow::Cow;
use std::collections::HashSet;

use rustc_hash::FxHashMap;

use crate::fhirpath::Item;
use crate::issue::Issue;
use crate::json::{Document, Kind, Value};
use crate::location::{Location, Segment};
use crate::node::{Element, Node, Property, Role, ValueSetId};
use crate::options::Options;
use crate::profile::{Demand, ProfileId};
use crate::profile_set::ProfileSet;
use crate::questions::{Questions, Spot};
use crate::rules::contained::Contents;
use crate::rules::{Finding, Rule, cardinality, choice, content, extension as extension_rule, limits, structure};
use crate::subject::bundle::Entries;
use ask::Asking;

/// Issues beyond this many are not reported one by one.
pub(crate) const MOST_ISSUES: usize = 500;

/// Steps that invariants and answers of a document may take, whatever its length, and for each of its bytes. UK Core's own examples
/// take less than one for each byte.
const STEPS: u64 = 1_000_000;
const STEPS_EACH_BYTE: u64 = 10;

/// A walk in progress.
pub(crate) struct Walk<'a> {
    set: &'a ProfileSet,
    options: &'a Options,
    /// Validations that this one is asked from.
    nested: u8,
    /// What the resource we are in contains, for its references to name; a contained resource is in its container.
    contents: Contents<'a>,
    /// The entries of the Bundle around, for references to name, and the one we are in.
    entries: Entries<'a>,
    entry: Option<usize>,
    /// The resource we are in, and the one that contains it, or itself.
    resource: (Value<'a>, Value<'a>),
    /// The urls of the extensions we are in.
    around: Vec<Option<Cow<'a, str>>>,
    /// Ids of the elements of the resource we are in.
    ids: HashSet<Cow<'a, str>>,
    issues: Vec<Issue>,
    /// Value sets for which it has been said that they are not checked.
    remarked: Vec<ValueSetId>,
    /// Where the caller can have codes looked up: what to ask.
    asking: Option<Asking<'a>>,
    /// Set while it is only asked whether a value meets a profile: whether an error was found.
    trial: Option<bool>,
    /// How many such questions are open inside one another.
    trials: usize,
    /// Steps that judging may still take; 0 once it was stopped.
    purse: u64,
    /// Answers to that question; a value that is being asked about counts as meeting the profile.
    answers: FxHashMap<(u32, ProfileId), bool>,
}

/// A value with its way from the root and the node it stands in.
#[derive(Clone, Copy)]
struct Place<'p, 'a> {
    value: Value<'a>,
    location: &'p Location<'p>,
    node: &'a Node,
    /// The node and element that `node` stands in; nothing for a resource.
    within: Option<(&'a Node, &'a Element)>,
    /// This is the `_name` of a primitive that has a value.
    beside_value: bool,
}

/// Demands in force at one place.
type Demands<'a> = Vec<&'a Demand>;

impl<'p, 'a> Place<'p, 'a> {
    fn item(self, value: Value<'a>, location: &'p Location<'p>) -> Self {
        Self { value, location, ..self }
    }
}

impl<'a> Walk<'a> {
    /// Walks a whole document; the issues are in the order of the text.
    pub(crate) fn over(
        set: &'a ProfileSet,
        document: &'a Document<'a>,
        options: &'a Options,
        nested: u8,
    ) -> Vec<Issue> {
        Self::through(set, document, options, nested, None).issues
    }

    /// As [`Walk::over`], and lists the questions about codes of these systems that are open.
    pub(crate) fn asking(
        set: &'a ProfileSet,
        document: &'a Document<'a>,
        options: &'a Options,
        systems: &'a [String],
    ) -> (Vec<Issue>, Questions) {
        let mut walk = Self::through(set, document, options, 0, Some(Asking::about(systems)));
        let questions = walk.questions();
        (walk.issues, questions)
    }

    fn through(
        set: &'a ProfileSet,
        document: &'a Document<'a>,
        options: &'a Options,
        nested: u8,
        asking: Option<Asking<'a>>,
    ) -> Self {
        let root = document.root();
        let mut walk = Self {
            set,
            options,
            nested,
            contents: Contents::of(root),
            entries: Entries::default(),
            entry: None,
            resource: (root, root),
            around: Vec::new(),
            ids: HashSet::new(),
            issues: Vec::new(),
            remarked: Vec::new(),
            asking,
            trial: None,
            trials: 0,
            purse: STEPS + STEPS_EACH_BYTE * document.text().len() as u64,
            answers: FxHashMap::default(),
        };
        let resource_type = root.str_at(&["resourceType"]);
        let known = resource_type.as_deref().filter(|name| set.is_resource_type(name));
        let location = Location::root(known.unwrap_or("Resource"));
        if root.kind() == Kind::Object {
            walk.root(root, &location);
        } else {
            walk.report(root, &location, None, structure::not_an_object());
        }
        walk.issues.sort_by_key(|issue| (issue.line, issue.column));
        if walk.is_full() {
            walk.push(root, &location, None, too_many());
        }
        walk
    }

    fn is_full(&self) -> bool {
        self.issues.len() >= MOST_ISSUES || self.trial == Some(true)
    }

    /// Takes what a part of the work costs from what the document may; `false`, told once, when there is not enough.
    fn pay(&mut self, steps: u64, value: Value<'_>, location: &Location<'_>) -> bool {
        if self.purse == 0 {
            return false;
        }
        self.purse = self.purse.saturating_sub(steps);
        if self.purse == 0 {
            self.report(value, location, None, limits::too_costly());
        }
        self.purse > 0
    }

    /// Reports what a rule found; `profile` is the canonical of the definition that has the rule.
    fn report(&mut self, value: Value<'_>, location: &Location<'_>, profile: Option<&str>, finding: Finding) {
        if let Some(failed) = &mut self.trial {
            *failed |= finding.severity.is_error();
        } else if !self.is_full() {
            self.push(value, location, profile, finding);
        }
    }

    fn push(&mut self, value: Value<'_>, location: &Location<'_>, profile: Option<&str>, finding: Finding) {
        self.issues.push(Spot::of(value, location, profile).issue(finding));
    }

    fn report_at(&mut self, place: Place<'_, 'a>, finding: Finding) {
        let canonical = self.set.canonical(place.node);
        self.report(place.value, place.location, Some(canonical), finding);
    }

    fn report_found(&mut self, place: Place<'_, 'a>, finding: Option<Finding>) {
        if let Some(finding) = finding {
            self.report_at(place, finding);
        }
    }

    /// Reports what the profile of a demand does not allow.
    fn report_demand(&mut self, place: Place<'_, 'a>, demand: &Demand, finding: Finding) {
        let profile = self.set.profile_at(demand.profile).map(|profile| &*profile.canonical);
        self.report(place.value, place.location, profile, finding);
    }

    fn object(&mut self, place: Place<'_, 'a>, demands: &[&'a Demand]) {
        let Place { value, location, node, .. } = place;
        if let Some(finding) = content::empty(value) {
            self.report_at(place, finding);
            self.missing(place, 0, demands);
            return;
        }
        let (mut seen, mut is_extended) = (0_u128, false);
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
            let member_place = Place { value: member, location: &step, beside_value: false, ..place };
            if seen & bit != 0 && element.is_choice {
                self.second_type(member_place, value, *property);
            }
            if Self::is_there(member, *property, element) {
                seen |= bit;
            }
            is_extended |= extension::is_list(&key);
            let inner = below(demands, &element.name);
            match property.role {
                Role::Value => self.member(member_place, *property, value, &key, &inner),
                Role::Sibling => self.sibling(member_place, *property, value, &key, &inner),
            }
        }
        self.whole(place, seen, demands);
        if is_extended {
            self.extension_contexts(place);
        }
        if !node.invariants.is_empty() {
            let profile = self.set.canonical(node);
            self.hold(place, &node.invariants, &Item::of_node(value, node, self.resource.0), Some(profile));
        }
    }

    /// What is judged once all members have been seen.
    fn whole(&mut self, place: Place<'_, 'a>, seen: u128, demands: &[&'a Demand]) {
        self.missing(place, seen, demands);
        let Place { value, node, .. } = place;
        let has = |slot: u8| seen & (1 << slot) != 0;
        if node.is_resource {
            return;
        }
        if let Some(&id) = node.slots.get("id")
            && has(id)
            && self.trial.is_none()
            && let Some(id) = value.str_at(&["id"])
            && !self.ids.insert(id)
        {
            self.report_at(place, content::second_id());
        }
        if !place.beside_value
            && let Some(finding) = content::only_id(value)
        {
            self.report_at(place, finding);
        } else if let Some((extensions, values)) = node.ext_1
            && let Some(finding) = extension_rule::value_or_extensions(has(extensions), has(values))
        {
            self.report_at(place, finding);
        }
    }

    /// Whether a member is a value of its element, or its id and extensions.
    fn is_there(member: Value<'a>, property: Property, element: &Element) -> bool {
        let element_type = element.types.get(usize::from(property.choice));
        property.role == Role::Sibling || element_type.is_some_and(|found| content::is_there(member, element, found))
    }

    /// The elements that must be there and are not.
    fn missing(&mut self, place: Place<'_, 'a>, seen: u128, demands: &[&'a Demand]) {
        let node = place.node;
        let has = |slot: u8| seen & (1 << slot) != 0;
        for &id in &node.required {
            let element = self.set.element(id);
            if !has(element.slot) {
                self.report_at(place, cardinality::missing(&node.name, element));
            }
        }
        for demand in demands {
            let Some(shape) = demand.children.as_deref() else { continue };
            for name in &shape.required {
                let present = node.slots.get(name).is_none_or(|&slot| has(slot));
                if let Some(demand) = shape.demands.get(name).filter(|_| !present) {
                    self.absent(place, demand);
                }
            }
        }
    }

    fn unknown(&mut self, place: Place<'_, 'a>, member: Value<'a>, key: &str) {
        let node = place.node;
        if node.is_resource && key == "resourceType" {
            return;
        }
        let known = node.properties.keys().map(|known| &**known).filter(|known| !known.starts_with('_'));
        let mut finding = structure::unknown_property(&node.name, key, known);
        // Beside a primitive only an id and extensions may stand: it is the value that is written wrongly.
        if node.name.starts_with(|first: char| first.is_ascii_lowercase()) {
            finding.code = crate::issue::IssueCode::Invalid;
        }
        let canonical = self.set.canonical(node);
        self.report(member, place.location, Some(canonical), finding);
    }

    /// A choice met again: an issue unless it is the `_name` of the same type.
    fn second_type(&mut self, place: Place<'_, 'a>, parent: Value<'a>, property: Property) {
        let earlier = parent.children().take_while(|member| member.index() != place.value.index());
        let mut choices = earlier.filter_map(|member| place.node.properties.get(&*member.key()?));
        let other = choices.find(|found| found.element == property.element && found.choice != property.choice);
        if let Some(other) = other {
            let element = self.set.element(property.element);
            let finding = choice::second_type(element, other.choice.into(), property.choice.into());
            let at = place.location.parent.unwrap_or(place.location);
            self.report_at(Place { location: at, ..place }, finding);
        }
    }
}

/// What is said when there are more issues than are reported.
pub(crate) fn too_many() -> Finding {
    let message = format!("There are more than {MOST_ISSUES} issues; the rest is not reported.");
    Finding::error(Rule::Limit, crate::issue::IssueCode::TooCostly, message)
}

/// What is demanded of the element with this name in an object.
fn below<'a>(demands: &[&'a Demand], name: &str) -> Demands<'a> {
    if demands.is_empty() {
        return Vec::new();
    }
    demands.iter().filter_map(|demand| demand.children.as_deref()?.demands.get(name)).collect()
}

fn segment(element: &Element, property: Property) -> Segment<'_> {
    match element.types.get(usize::from(property.choice)) {
        Some(chosen) if element.is_choice => Segment::Typed(&element.name, &chosen.name),
        _ => Segment::Child(&element.name),
    }
}
