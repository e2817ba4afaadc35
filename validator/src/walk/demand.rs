//! What profiles demand of one value, facet by facet, and whether a value meets a profile at all.

use super::{Demands, Place, Walk, resource};
use crate::definition::{Binding, Strength};
use crate::json::{Kind, Value};
use crate::node::Special;
use crate::profile::{Demand, Profile, TypeProfiles};
use crate::rules::constant::{self, Match};
use crate::rules::{binding, limits, profile};
use crate::value_set::Membership;

/// Whether a value meets a profile is asked inside such a question, and so on, no more often than this.
const MOST_TRIALS: usize = 8;

impl<'a> Walk<'a> {
    /// The facets that judge a value by itself.
    pub(super) fn demanded(&mut self, place: Place<'_, 'a>, demand: &'a Demand, type_name: &str) {
        let Place { value, location, .. } = place;
        for (expected, how) in [(&demand.fixed, Match::Fixed), (&demand.pattern, Match::Pattern)] {
            if let Some(expected) = expected {
                let canonical = self.set.profile_at(demand.profile).map(|found| &*found.canonical);
                let mut report = |at: Value<'a>, step: &crate::location::Location<'_>, finding| {
                    self.report(at, step, canonical, finding);
                };
                constant::check(expected, value, how, location, &mut report);
            }
        }
        let limits = [
            demand.min_value.as_ref().and_then(|limit| limits::least(limit, value)),
            demand.max_value.as_ref().and_then(|limit| limits::most(limit, value)),
            demand.max_length.and_then(|limit| limits::length(limit, value)),
        ];
        for finding in limits.into_iter().flatten() {
            self.report_demand(place, demand, finding);
        }
        self.bound_by(place, demand, type_name);
    }

    /// The value set that a demand binds.
    fn bound_by(&mut self, place: Place<'_, 'a>, demand: &'a Demand, type_name: &str) {
        let Some((found, id)) = &demand.binding else { return };
        self.bound_at_most(place, demand, found, type_name);
        let Some(id) = id else { return };
        let (value_set, special, mut strength) = (self.set.value_set(*id), Special::of(type_name), found.strength);
        // Units bound to a choice are meant for its quantities: vital signs bind value[x] to them.
        if special == Special::CodeableConcept && value_set.is_of_units() {
            strength = strength.min(Strength::Extensible);
        }
        if strength < Strength::Extensible {
            return;
        }
        let outcome = match place.value.as_str() {
            Some(code) => binding::code(strength, value_set, &code),
            None => self.bound_object(special, strength, *id, place.value),
        };
        self.bound(place, *id, outcome);
    }

    /// The value set that no code may leave, however weak the binding is.
    fn bound_at_most(&mut self, place: Place<'_, 'a>, demand: &'a Demand, found: &Binding, type_name: &str) {
        let most = found.max_value_set.as_deref().filter(|_| found.strength != Strength::Required);
        let Some(value_set) = most.and_then(|canonical| self.set.value_set_named(canonical)) else { return };
        let special = Special::of(type_name);
        let coded = match place.value.as_str() {
            Some(code) => value_set.contains_code(&code) == Membership::Out,
            None => binding::is_outside(special, value_set, place.value),
        };
        if coded {
            self.report_demand(place, demand, binding::beyond(value_set));
        }
    }

    /// How often an element appears, by the demands on it.
    pub(super) fn counted(&mut self, place: Place<'_, 'a>, demands: &[&'a Demand], found: usize) {
        // The element may be right: it is what holds it that has the wrong number.
        let place = Place { location: place.location.parent.unwrap_or(place.location), ..place };
        for demand in demands {
            if found < demand.min as usize {
                self.report_demand(place, demand, profile::too_few(&demand.label, demand.min, found));
            }
            if let Some(finding) = demand.max.and_then(|max| profile::too_many(&demand.label, max, found)) {
                self.report_demand(place, demand, finding);
            }
        }
    }

    /// An element that must be there and is not; `place` is the object it is missing in.
    pub(super) fn absent(&mut self, place: Place<'_, 'a>, demand: &'a Demand) {
        if demand.min > 0 {
            self.report_demand(place, demand, profile::too_few(&demand.label, demand.min, 0));
        }
        for slice in demand.slicing.iter().flat_map(|slicing| &slicing.slices).filter(|slice| slice.min > 0) {
            self.report_demand(place, demand, profile::too_few(&slice.demand.label, slice.min, 0));
        }
    }

    /// Whether a type is the one expected, or a resource where any may stand. A code is no string here.
    pub(super) fn is_a(&self, type_name: &str, expected: &str) -> bool {
        let any = matches!(expected, "Resource" | "DomainResource");
        type_name == expected || (any && self.set.ancestors(type_name).any(|ancestor| ancestor == expected))
    }

    /// A value of a type that a profile does not leave.
    pub(super) fn types_left(&mut self, place: Place<'_, 'a>, demands: &[&'a Demand], type_name: &str) {
        let broken = demands.iter().find_map(|demand| {
            let left = demand.types.as_ref()?;
            let fits = type_name.is_empty() || left.iter().any(|name| self.is_a(type_name, name));
            (!fits).then_some((*demand, left))
        });
        let Some((demand, left)) = broken else { return };
        // The value of an extension is wrong for the extension; that of a part of one by itself.
        let is_part = demand.label.contains(':');
        let at = if place.node.ext_1.is_some() && !is_part { place.location.parent } else { None };
        let finding = profile::type_not_left(&demand.label, type_name, left);
        self.report_demand(Place { location: at.unwrap_or(place.location), ..place }, demand, finding);
    }

    /// Adds the demands of the profiles that a demand gives for a type.
    pub(super) fn add_type_profiles(
        &mut self,
        place: Place<'_, 'a>,
        demand: &'a Demand,
        type_name: &str,
        demands: &mut Demands<'a>,
    ) {
        for TypeProfiles { code, profiles } in &demand.type_profiles {
            if self.is_a(type_name, code) {
                self.add_profiles(place, profiles, Some(demand), demands);
            }
        }
    }

    /// Adds the demands of a profile; of several profiles one must be met.
    pub(super) fn add_profiles(
        &mut self,
        place: Place<'_, 'a>,
        profiles: &'a [Box<str>],
        because: Option<&'a Demand>,
        demands: &mut Demands<'a>,
    ) {
        let set = self.set;
        match profiles {
            [] => {}
            [only] => {
                if let Some(found) = set.profile(only) {
                    resource::add(demands, &found.root);
                }
            }
            several => {
                let known: Vec<&Profile> = several.iter().filter_map(|name| set.profile(name)).collect();
                let met = known.len() < several.len() || known.iter().any(|found| self.meets(place, found));
                if !met {
                    let finding = profile::no_profile_met(several);
                    match because {
                        Some(demand) => self.report_demand(place, demand, finding),
                        None => self.report_at(place, finding),
                    }
                }
            }
        }
    }

    /// Whether a value meets a profile, without reporting what it lacks.
    pub(super) fn meets(&mut self, place: Place<'_, 'a>, profile: &'a Profile) -> bool {
        let question = (place.value.index(), profile.id);
        if let Some(&answer) = self.answers.get(&question) {
            return answer;
        }
        if place.value.kind() != Kind::Object {
            return profile.is_type;
        }
        // References of a Bundle may lead on without end: what is so far away is not asked about.
        if self.trials >= MOST_TRIALS {
            return true;
        }
        self.trials += 1;
        // What is asked again on the way is taken to be so: only what fails elsewhere fails.
        self.answers.insert(question, true);
        let outer = self.trial.replace(false);
        match place.value.str_at(&["resourceType"]) {
            Some(name) => {
                if self.is_for(profile, &name) {
                    self.resource(place.value, place.location, vec![&profile.root]);
                } else {
                    self.trial = Some(true);
                }
            }
            None => {
                if let Some(node) = self.set.type_node(&profile.type_name) {
                    let node = self.set.node(node);
                    self.object(Place { node, within: None, ..place }, &[&profile.root]);
                    self.demanded(place, &profile.root, &profile.type_name);
                }
            }
        }
        let answer = self.trial != Some(true);
        self.trial = outer;
        self.trials -= 1;
        self.answers.insert(question, answer);
        answer
    }
}
