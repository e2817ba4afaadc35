//! Which [slice](https://hl7.org/fhir/R4/profiling.html#slicing) an item belongs to, and how many each slice has.

use super::{Demands, Place, Walk};
use crate::definition::SlicingRules;
use crate::json::{Kind, Value};
use crate::node::{Content, Type};
use crate::profile::{Demand, Slicing, Step, Test, TestKind};
use crate::rules::constant::{self, Match};
use crate::rules::profile;
use crate::value_set::Membership;

/// How many items each slice of an element has, for every slicing in force.
#[derive(Default)]
pub(super) struct Tallies<'a>(Vec<Tally<'a>>);

struct Tally<'a> {
    demand: &'a Demand,
    slicing: &'a Slicing,
    counts: Vec<u32>,
    /// The furthest slice that an item was of.
    furthest: usize,
    /// An item fitted no slice.
    outside: bool,
}

impl<'a> Tallies<'a> {
    fn of(&mut self, demand: &'a Demand, slicing: &'a Slicing) -> &mut Tally<'a> {
        let found = self.0.iter().position(|tally| std::ptr::eq(tally.slicing, slicing));
        let at = found.unwrap_or_else(|| {
            let counts = vec![0; slicing.slices.len()];
            self.0.push(Tally { demand, slicing, counts, furthest: 0, outside: false });
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    /// Slices count where no item was of any.
    pub(super) fn expect(&mut self, demands: &[&'a Demand]) {
        for demand in demands {
            if let Some(slicing) = demand.slicing.as_deref() {
                self.of(demand, slicing);
            }
        }
    }
}

/// What is being looked at while it is asked to which slice it belongs.
#[derive(Clone, Copy)]
struct Candidate<'p, 'a> {
    place: Place<'p, 'a>,
    /// The type that its element or key gives it.
    type_name: Option<&'p str>,
}

impl<'a> Walk<'a> {
    /// The demands on an item: those on all items, and those of the slices it belongs to.
    pub(super) fn sort(
        &mut self,
        place: Place<'_, 'a>,
        element_type: &'a Type,
        demands: &[&'a Demand],
        tallies: &mut Tallies<'a>,
    ) -> Demands<'a> {
        let mut all = demands.to_vec();
        let mut next = 0;
        // Slices may be sliced themselves: they join the list that is worked through.
        while let Some(&demand) = all.get(next) {
            next += 1;
            let Some(slicing) = demand.slicing.as_deref() else { continue };
            if let Some(at) = self.slice_of(place, element_type, slicing) {
                self.joined(place, demand, slicing, at, tallies);
                all.push(&slicing.slices[at].demand);
            } else {
                self.fits_none(place, demand, slicing, tallies);
            }
        }
        all
    }

    fn joined(
        &mut self,
        place: Place<'_, 'a>,
        demand: &'a Demand,
        slicing: &'a Slicing,
        at: usize,
        tallies: &mut Tallies<'a>,
    ) {
        let tally = tallies.of(demand, slicing);
        tally.counts[at] += 1;
        let late = slicing.ordered && at < tally.furthest;
        let after_others = slicing.rules == SlicingRules::OpenAtEnd && tally.outside;
        tally.furthest = tally.furthest.max(at);
        if late {
            self.report_demand(place, demand, profile::out_of_order(&demand.label));
        }
        if after_others {
            self.report_demand(place, demand, profile::not_at_end(&demand.label));
        }
    }

    fn fits_none(&mut self, place: Place<'_, 'a>, demand: &'a Demand, slicing: &'a Slicing, tallies: &mut Tallies<'a>) {
        tallies.of(demand, slicing).outside = true;
        // Slices that nothing tells apart judge nobody.
        if slicing.slices.iter().any(|slice| slice.tests.is_none()) {
            return;
        }
        if slicing.rules == SlicingRules::Closed {
            self.report_demand(place, demand, profile::no_slice(&demand.label));
        } else if slicing.by_url.is_none() {
            self.report_demand(place, demand, profile::outside_slices(&demand.label));
        }
    }

    /// Reports slices with too few or too many items, at the object that the items are in.
    pub(super) fn tallied(&mut self, place: Place<'_, 'a>, tallies: &Tallies<'a>) {
        let parent = place.location.parent.unwrap_or(place.location);
        for tally in &tallies.0 {
            for (slice, &count) in tally.slicing.slices.iter().zip(&tally.counts) {
                let label = &slice.demand.label;
                let count = count as usize;
                let outer = Place { location: parent, ..place };
                if count < slice.min as usize && slice.tests.is_some() {
                    self.report_demand(outer, tally.demand, profile::too_few(label, slice.min, count));
                }
                if let Some(finding) = slice.max.and_then(|max| profile::too_many(label, max, count)) {
                    self.report_demand(outer, tally.demand, finding);
                }
            }
        }
    }

    /// The slice that an item belongs to: the first of which all tests hold.
    fn slice_of(&mut self, place: Place<'_, 'a>, element_type: &'a Type, slicing: &'a Slicing) -> Option<usize> {
        if let Some(by_url) = &slicing.by_url {
            let url = place.value.str_at(&["url"])?;
            return by_url.get(&*url).map(|&at| usize::from(at));
        }
        let type_name = match element_type.content {
            Content::Resource => None,
            _ => Some(&*element_type.name),
        };
        let candidate = Candidate { place, type_name };
        let found = slicing.slices.iter().position(|slice| {
            slice.tests.as_ref().is_some_and(|tests| tests.iter().all(|test| self.holds(candidate, test)))
        });
        found.or_else(|| slicing.default.map(usize::from))
    }

    fn holds(&mut self, candidate: Candidate<'_, 'a>, test: &'a Test) -> bool {
        if let TestKind::Exists(wanted) = test.kind {
            return self.reaches(candidate, &test.path, &TestKind::Exists(true)) == wanted;
        }
        self.reaches(candidate, &test.path, &test.kind)
    }

    /// Whether any value at the end of the path is as it should be.
    fn reaches(&mut self, from: Candidate<'_, 'a>, path: &'a [Step], kind: &'a TestKind) -> bool {
        let value = from.place.value;
        let Some((step, rest)) = path.split_first() else { return self.is(from, kind) };
        match step {
            Step::Keys(keys) => keys.iter().any(|key| {
                let Some(found) = value.get(&key.name) else {
                    let only_sibling = || value.get(&format!("_{}", key.name)).is_some();
                    return rest.is_empty() && matches!(kind, TestKind::Exists(true)) && only_sibling();
                };
                let type_name = key.type_name.as_deref();
                let mut items = one_or_more(found);
                items.any(|item| {
                    let place = Place { value: item, ..from.place };
                    self.reaches(Candidate { place, type_name }, rest, kind)
                })
            }),
            Step::Extension(url) => {
                let mut extensions = value.get("extension").into_iter().flat_map(Value::items);
                extensions.any(|extension| {
                    let place = Place { value: extension, ..from.place };
                    let is_it = extension.str_at(&["url"]).as_deref() == Some(url);
                    is_it && self.reaches(Candidate { place, type_name: Some("Extension") }, rest, kind)
                })
            }
            Step::Resolve => {
                let Some(target) = self.resolve(value) else {
                    // The reference itself may say the type of its target.
                    let target = self.target_type(value);
                    return match (kind, target) {
                        (TestKind::Type(names), Some(target)) if rest.is_empty() => {
                            names.iter().any(|name| **name == target)
                        }
                        _ => false,
                    };
                };
                let place = Place { value: target, within: None, ..from.place };
                self.reaches(Candidate { place, type_name: None }, rest, kind)
            }
        }
    }

    fn is(&mut self, candidate: Candidate<'_, 'a>, kind: &'a TestKind) -> bool {
        let value = candidate.place.value;
        match kind {
            TestKind::Fixed(expected) => constant::meets(expected, value, Match::Fixed),
            TestKind::Pattern(expected) => constant::meets(expected, value, Match::Pattern),
            TestKind::All(tests) => tests.iter().all(|test| self.holds(candidate, test)),
            TestKind::Bound(Some(id)) => self.in_value_set(value, *id),
            TestKind::Bound(None) => false,
            TestKind::Exists(wanted) => *wanted,
            TestKind::Type(names) => {
                let resource_type = value.str_at(&["resourceType"]);
                let Some(type_name) = candidate.type_name.or(resource_type.as_deref()) else { return false };
                names.iter().any(|name| self.is_a(type_name, name))
            }
            TestKind::Profile(names) => names.iter().any(|name| {
                let profile = self.set.profile(name);
                profile.is_some_and(|profile| self.meets(candidate.place, profile))
            }),
        }
    }

    fn in_value_set(&self, value: Value<'a>, id: crate::node::ValueSetId) -> bool {
        let value_set = self.set.value_set(id);
        let coding = |coding: Value<'a>| match (coding.str_at(&["system"]), coding.str_at(&["code"])) {
            (Some(system), Some(code)) => value_set.contains(&system, &code) == Membership::In,
            _ => false,
        };
        match (value.as_str(), value.get("coding")) {
            (Some(code), _) => value_set.contains_code(&code) == Membership::In,
            (None, Some(codings)) => codings.items().any(coding),
            (None, None) => coding(value),
        }
    }
}

/// The items of an array, or the value itself.
fn one_or_more(value: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    let single = (value.kind() != Kind::Array).then_some(value);
    value.items().chain(single)
}
