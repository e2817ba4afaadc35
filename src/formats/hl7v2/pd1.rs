//! PD1, additional demographics (HL7 v2.4 §3.4.10): the practice (PD1-3) and the general practitioners (PD1-4).

use signalbox_validator::json::Value;

use super::element::items;
use super::hiding::hides_location;
use super::message::Segment;
use super::partner::Partner;
use super::references::Resources;
use super::xcn::Party;

/// PD1; `None` when there is nothing to say. `container` holds what a `#id` of the patient means.
pub(super) fn pd1<'d>(
    patient: Value<'d>,
    container: Value<'d>,
    resources: &Resources<'d>,
    partner: &Partner,
) -> Option<Segment> {
    if hides_location(patient) {
        return None;
    }
    let parties = items(patient, "generalPractitioner").map(|reference| Party::of(container, reference, resources));
    let (practices, people): (Vec<_>, Vec<_>) = parties.partition(Party::is_organisation);
    let mut pd1 = Segment::new("PD1");
    // A second repetition would mean a branch surgery, which FHIR does not say.
    if let Some(practice) = practices.iter().find_map(Party::xon) {
        pd1.add(3, practice);
    }
    for person in people.iter().filter_map(|person| person.xcn(partner)) {
        pd1.add(4, person);
    }
    (!pd1.is_empty()).then_some(pd1)
}
