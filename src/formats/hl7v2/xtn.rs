//! XTN, telephone number (HL7 v2.4 §2.9.53): `number^use^equipment^email`, the number whole in the first component.

use signalbox_validator::json::Value;

use super::element::{is_old, items, text};
use super::message::Components;

/// The numbers of a person, by the field they belong in.
pub(super) struct Numbers {
    /// PID-13, NK1-5: by position a landline, then a mobile, then the rest. Some receivers look at the position only,
    /// so a mobile alone leaves the first place empty.
    pub(super) personal: Vec<Components>,
    /// PID-14, NK1-6.
    pub(super) work: Vec<Components>,
}

/// The current numbers and addresses of email.
pub(super) fn numbers(person: Value<'_>) -> Numbers {
    let (mut landlines, mut mobiles, mut others, mut work) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for contact in items(person, "telecom").filter(|contact| !is_old(*contact)) {
        let (system, contact_use) = (text(contact, &["system"]), text(contact, &["use"]));
        let Some(number) = xtn(&system, &contact_use, text(contact, &["value"])) else { continue };
        let equipment = number.get(2).cloned().unwrap_or_default();
        match (contact_use.as_str(), equipment.as_str()) {
            ("work", _) => work.push(number),
            (_, "PH") => landlines.push(number),
            (_, "CP") => mobiles.push(number),
            _ => others.push(number),
        }
    }
    if landlines.is_empty() && !(mobiles.is_empty() && others.is_empty()) {
        landlines.push(Components::new());
    }
    // A second landline would stand where a mobile is looked for.
    let further = landlines.split_off(landlines.len().min(1));
    if mobiles.is_empty() && !(further.is_empty() && others.is_empty()) {
        mobiles.push(Components::new());
    }
    Numbers { personal: [landlines, mobiles, further, others].concat(), work }
}

fn xtn(system: &str, contact_use: &str, value: String) -> Option<Components> {
    let (equipment, mobile) = match system {
        "email" => return Some(vec![String::new(), "NET".into(), "Internet".into(), value]),
        "phone" if contact_use == "mobile" => ("CP", true),
        "sms" => ("CP", true),
        "phone" => ("PH", false),
        "fax" => ("FX", false),
        "pager" => ("BP", false),
        _ => return None,
    };
    let purpose = match contact_use {
        "work" => "WPN",
        "temp" => "VHN",
        _ if mobile => "ORN",
        _ => "PRN",
    };
    (!value.is_empty()).then(|| vec![value, purpose.into(), equipment.into()])
}
