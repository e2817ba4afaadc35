//! NK1, next of kin and other contacts (HL7 v2.4 §3.4.5). The relationship's code is sent as it is.

use signalbox_validator::json::Value;

use super::element::{items, text};
use super::hiding::hides_location;
use super::message::{Components, Segment};
use super::partner::Partner;
use super::{xad, xpn, xtn};

const CONTACT_ROLES: &str = "http://terminology.hl7.org/CodeSystem/v2-0131";

/// One NK1 for each contact, numbered from 1.
pub(super) fn nk1(patient: Value<'_>, partner: &Partner) -> Vec<Segment> {
    if hides_location(patient) {
        return Vec::new();
    }
    items(patient, "contact").enumerate().map(|(index, contact)| one(index + 1, contact, partner)).collect()
}

fn one(number: usize, contact: Value<'_>, partner: &Partner) -> Segment {
    let mut nk1 = Segment::new("NK1");
    nk1.text(1, number.to_string());
    if let Some(name) = contact.get("name") {
        nk1.add(2, xpn::xpn(name, ""));
    }
    for (field, role) in [(3, false), (7, true)] {
        if let Some(relationship) = relationship(contact, role) {
            nk1.add(field, relationship);
        }
    }
    if let Some(address) = contact.get("address") {
        nk1.add(4, xad::xad(address));
    }
    let numbers = xtn::numbers(contact);
    for number in numbers.personal {
        nk1.add(5, number);
    }
    for number in numbers.work {
        nk1.add(6, number);
    }
    nk1.text(15, partner.sex.code(&text(contact, &["gender"])).unwrap_or_default());
    nk1
}

/// CE `code^display`: of a role (table 0131) or of a relationship.
fn relationship(contact: Value<'_>, role: bool) -> Option<Components> {
    let codings = items(contact, "relationship").flat_map(|concept| items(concept, "coding"));
    let wanted = |coding: &Value<'_>| (text(*coding, &["system"]) == CONTACT_ROLES) == role;
    let coded = codings.filter(wanted).map(|coding| vec![text(coding, &["code"]), text(coding, &["display"])]).next();
    let said = items(contact, "relationship").map(|concept| text(concept, &["text"])).find(|text| !text.is_empty());
    coded.or_else(|| said.filter(|_| !role).map(|text| vec![String::new(), text]))
}
