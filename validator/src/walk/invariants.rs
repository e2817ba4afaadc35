//! Invariants of types, elements and profiles, judged where the walk is; see
//! [constraints](https://hl7.org/fhir/R4/conformance-rules.html#constraints).

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
        if self.is_full() {
            return;
        }
        let set = self.set;
        // A code of which nobody here can tell is no fault of the element.
        let context = Context::new(set).inside(self.nested).knowing_codes(&|_, _, _| Some(true));
        for invariant in invariants {
            if let Some(finding) = invariant.judge(&context, focus, self.resource) {
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
