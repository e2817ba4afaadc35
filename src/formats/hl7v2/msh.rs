//! MSH, the message header (HL7 v2.4 §2.16.9). MSH-15 and -16 stay empty: original mode, one answer.

use super::adt::{Event, Occasion};
use super::message::Segment;
use super::partner::Partner;
use super::{ts, uk};

pub(super) fn msh(event: Event, occasion: &Occasion, partner: &Partner) -> Segment {
    let mut msh = Segment::new("MSH");
    msh.text(3, &partner.sending_application);
    msh.text(4, &partner.sending_facility);
    msh.text(5, &partner.receiving_application);
    msh.text(6, &partner.receiving_facility);
    msh.text(7, ts::local(occasion.received_at));
    msh.add(9, vec!["ADT".into(), event.code().into(), event.structure().into()]);
    msh.text(10, &occasion.control_id);
    msh.text(11, &partner.processing_id);
    msh.text(12, "2.4");
    msh.text(17, uk::COUNTRY);
    msh.text(18, partner.charset.msh_18());
    msh
}
