//! EVN, the event (HL7 v2.4 §3.4.1). EVN-6 says when it happened, and receivers order by it: an admission and a
//! discharge happen when the Encounter says, anything else when the resource was last changed.

use signalbox_validator::json::Value;

use super::adt::{Event, Occasion};
use super::message::Segment;
use super::{Unmapped, ts};

/// EVN for `resource`, the Patient or the Encounter.
///
/// # Errors
/// When a time is not a FHIR time.
pub(super) fn evn(event: Event, resource: Value<'_>, occasion: &Occasion) -> Result<Segment, Unmapped> {
    let own = match event {
        Event::A01 => ts::read(resource.at(&["period", "start"]), "Encounter.period.start")?,
        Event::A03 => ts::read(resource.at(&["period", "end"]), "Encounter.period.end")?,
        _ => String::new(),
    };
    let changed = ts::read(resource.at(&["meta", "lastUpdated"]), "meta.lastUpdated")?;
    let received = ts::local(occasion.received_at);
    let occurred = [own, changed].into_iter().find(|time| !time.is_empty());
    let mut evn = Segment::new("EVN");
    evn.text(6, occurred.unwrap_or_else(|| received.clone()));
    evn.text(2, received);
    Ok(evn)
}
