//! Invariants of types, elements and profiles, judged where the walk is; see
//! [constraints](https://hl7.org/fhir/R4/conformance-rules.html#constraints).

use std::cell::Cell;

use super::{Place, Walk};
use crate::fhirpath::{Context, Item};
use crate::profile::Demand;
use crate::rules::invariant::Compiled;

impl<'a> Walk<'a> {
    /// Holds an element to invariants of one definition.
    pub(super) fn hold(
        &mut self,
        place: Place<'_, 'a>,
        invariants: &[Compiled],
        focus: &Item<'a>,
        profile: Option<&str>,
    ) {
        if self.is_full() || self.purse == 0 {
            return;
        }
        let set = self.set;
        let undecided = Cell::new(false);
        let member_of = |value_set: &str, system: Option<&str>, code: &str| {
            let answer = set.terminology().member_of(value_set, system, code);
            undecided.set(undecided.get() || answer.is_none());
            answer
        };
        let purse = Cell::new(self.purse);
        let context = Context::new(set).inside(self.nested).knowing_codes(&member_of).paid_from(&purse);
        for invariant in invariants {
            undecided.set(false);
            let finding = invariant.judge(&context, (place.value, focus), self.resource, &self.contents);
            if !self.pay(self.purse - purse.get(), place.value, place.location) {
                return;
            }
            // A code of which nobody here can tell is no fault of the element.
            if let Some(finding) = finding
                && !undecided.get()
            {
                self.report(place.value, place.location, profile, finding);
            }
        }
    }

    /// Holds an element to the invariants of the profiles in force there.
    pub(super) fn hold_demands(&mut self, place: Place<'_, 'a>, demands: &[&'a Demand], focus: &Item<'a>) {
        for demand in demands.iter().filter(|demand| !demand.invariants.is_empty()) {
            let profile = self.set.profile_at(demand.profile).map(|profile| &*profile.canonical);
            self.hold(place, &demand.invariants, focus, profile);
        }
    }
}
