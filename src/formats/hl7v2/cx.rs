//! CX, extended composite id (HL7 v2.4 §2.9.12): `id^^^authority^type`. A system without an agreed authority is left
//! out, because an authority must never be guessed.

use signalbox_validator::json::Value;

use super::element::{is_old, items, text};
use super::message::Components;
use super::partner::Partner;
use super::references::resource_type;
use super::{Unmapped, uk};

const IDENTIFIER_TYPES: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";

/// PID-3: the NHS number first, then local identifiers in their order.
///
/// # Errors
/// When there is none to send, or more than one NHS number.
pub(super) fn patient_identifiers(patient: Value<'_>, partner: &Partner) -> Result<Vec<Components>, Unmapped> {
    let mut nhs_numbers: Vec<String> = Vec::new();
    let mut local = Vec::new();
    for identifier in items(patient, "identifier").filter(|identifier| !is_old(*identifier)) {
        let (system, value) = (text(identifier, &["system"]), text(identifier, &["value"]));
        if value.is_empty() {
            continue;
        }
        if system == uk::NHS_NUMBER {
            nhs_numbers.push(value);
        } else if let Some(authority) = partner.authorities.get(&system) {
            local.push(cx(value, authority, &type_code(identifier)));
        }
    }
    nhs_numbers.dedup();
    if nhs_numbers.len() > 1 {
        return Err(Unmapped::new("Patient.identifier: more than one current NHS number"));
    }
    let nhs = nhs_numbers.into_iter().map(|number| cx(number, uk::NHS_AUTHORITY, uk::NHS_TYPE));
    let all: Vec<Components> = nhs.chain(local).collect();
    if all.is_empty() {
        return Err(Unmapped(format!(
            "{}.identifier: neither an NHS number nor an identifier whose system has an authority in the destination's settings",
            resource_type(patient)
        )));
    }
    Ok(all)
}

/// PV1-19: the first current identifier of the Encounter, under its authority or the usual literal.
pub(super) fn visit_number(encounter: Value<'_>, partner: &Partner) -> Option<Components> {
    items(encounter, "identifier").filter(|identifier| !is_old(*identifier)).find_map(|identifier| {
        let value = text(identifier, &["value"]);
        let authority = partner.authorities.get(&text(identifier, &["system"]));
        (!value.is_empty()).then(|| cx(value, authority.map_or(uk::VISIT_AUTHORITY, String::as_str), ""))
    })
}

fn cx(value: String, authority: &str, type_code: &str) -> Components {
    vec![value, String::new(), String::new(), authority.into(), type_code.into()]
}

/// CX-5, when the identifier has a type of table 0203.
fn type_code(identifier: Value<'_>) -> String {
    let concept = identifier.get("type");
    let coding = concept.and_then(|concept| {
        items(concept, "coding").find(|coding| coding.str_at(&["system"]).as_deref() == Some(IDENTIFIER_TYPES))
    });
    coding.map(|coding| text(coding, &["code"])).unwrap_or_default()
}
