//! PV1, the visit (HL7 v2.4 §3.4.3), from a UK Core Encounter.

use signalbox_validator::json::Value;

use super::element::{code, codes, extension_code, items, text};
use super::message::Segment;
use super::partner::Partner;
use super::visit::Visit;
use super::xcn::Party;
use super::{Unmapped, cx, pl, ts, uk};

/// PV1 where there is no visit; strict receivers want one with every A28 and A31.
pub(super) fn none() -> Segment {
    let mut pv1 = Segment::new("PV1");
    pv1.text(2, "N");
    pv1
}

/// PV1 of an Encounter.
///
/// # Errors
/// When the class has no v2 code, or a time is not a FHIR time.
pub(super) fn pv1(visit: &Visit<'_>, partner: &Partner) -> Result<Segment, Unmapped> {
    let encounter = visit.encounter;
    let mut pv1 = Segment::new("PV1");
    pv1.text(1, "1");
    let class = uk::patient_class(&text(encounter, &["class", "code"]));
    pv1.text(2, class.ok_or_else(|| Unmapped::new(CLASS))?);
    if let Some(location) = pl::location(encounter, &visit.resources) {
        pv1.add(3, location);
    }
    if let Some(visit_number) = cx::visit_number(encounter, partner) {
        pv1.add(19, visit_number);
    }
    pv1.text(10, treatment_function(encounter));
    participants(visit, partner, &mut pv1);
    stay(encounter, &mut pv1);
    pv1.text(44, ts::read(encounter.at(&["period", "start"]), "Encounter.period.start")?);
    pv1.text(45, ts::read(encounter.at(&["period", "end"]), "Encounter.period.end")?);
    Ok(pv1)
}

const CLASS: &str = "Encounter.class: PV1-2 has a code for IMP, ACUTE, NONAC, SS, AMB, HH, VR, EMER and PRENC only";

/// How the patient came and went: PV1-4, -14, -36, -37.
fn stay(encounter: Value<'_>, pv1: &mut Segment) {
    pv1.text(36, extension_code(encounter, uk::DISCHARGE_METHOD).unwrap_or_default());
    let Some(hospitalization) = encounter.get("hospitalization") else { return };
    let method = extension_code(hospitalization, uk::ADMISSION_METHOD).unwrap_or_default();
    pv1.text(4, uk::admission_method(&method));
    pv1.text(14, code(hospitalization.get("admitSource")).unwrap_or_default());
    pv1.text(37, code(hospitalization.get("dischargeDisposition")).unwrap_or_default());
}

/// PV1-7 attending, -8 referring, -9 consulting, -17 admitting.
fn participants(visit: &Visit<'_>, partner: &Partner, pv1: &mut Segment) {
    for participant in items(visit.encounter, "participant") {
        let Some(individual) = participant.get("individual") else { continue };
        let person = Party::of(visit.encounter, individual, &visit.resources);
        let Some(person) = person.xcn(partner) else { continue };
        for role in items(participant, "type").flat_map(|concept| codes(Some(concept))) {
            let field = match &*role {
                "ATND" => 7,
                "REF" => 8,
                "CON" => 9,
                "ADM" => 17,
                _ => continue,
            };
            pv1.add(field, person.clone());
        }
    }
}

/// PV1-10: treatment function codes have three digits, unlike the others a service type may carry.
fn treatment_function(encounter: Value<'_>) -> String {
    let three_digits = |code: &str| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    codes(encounter.get("serviceType")).find(|code| three_digits(code)).unwrap_or_default().into_owned()
}
