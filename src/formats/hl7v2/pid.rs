//! PID, the patient (HL7 v2.4 §3.4.2), from a UK Core Patient.

use signalbox_validator::json::Value;

use super::element::{code, extension, extension_code, items, text};
use super::hiding::hides_location;
use super::message::Segment;
use super::partner::Partner;
use super::{Unmapped, cx, ts, uk, xad, xpn, xtn};

const MOTHERS_MAIDEN_NAME: &str = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName";
const BIRTH_TIME: &str = "http://hl7.org/fhir/StructureDefinition/patient-birthTime";

/// PID.
///
/// # Errors
/// When the patient cannot be identified, or a time is not a FHIR time.
pub(super) fn pid(patient: Value<'_>, partner: &Partner) -> Result<Segment, Unmapped> {
    let mut pid = Segment::new("PID");
    pid.text(1, "1");
    for identifier in cx::patient_identifiers(patient, partner)? {
        pid.add(3, identifier);
    }
    for name in xpn::patient_names(patient) {
        pid.add(5, name);
    }
    let maiden_name = extension(patient, MOTHERS_MAIDEN_NAME);
    pid.text(6, maiden_name.map(|name| text(name, &["valueString"])).unwrap_or_default());
    pid.text(7, birth(patient)?);
    pid.text(8, partner.sex.code(&text(patient, &["gender"])).unwrap_or_default());
    if !hides_location(patient) {
        whereabouts(patient, &mut pid);
    }
    pid.text(15, language(patient));
    let marital = code(patient.get("maritalStatus"));
    pid.text(16, marital.and_then(|code| uk::marital_status(&code)).unwrap_or_default());
    pid.text(22, extension_code(patient, uk::ETHNIC_CATEGORY).unwrap_or_default());
    death(patient, &mut pid)?;
    pid.text(32, verification_status(patient).unwrap_or_default());
    Ok(pid)
}

/// PID-11, PID-13 and PID-14.
fn whereabouts(patient: Value<'_>, pid: &mut Segment) {
    for address in xad::addresses(patient) {
        pid.add(11, address);
    }
    let numbers = xtn::numbers(patient);
    for number in numbers.personal {
        pid.add(13, number);
    }
    for number in numbers.work {
        pid.add(14, number);
    }
}

/// PID-7: the time of birth when it is known, else the date to the precision given.
fn birth(patient: Value<'_>) -> Result<String, Unmapped> {
    let time = patient.get("_birthDate").and_then(|date| extension(date, BIRTH_TIME)?.get("valueDateTime"));
    ts::read(time.or_else(|| patient.get("birthDate")), "Patient.birthDate")
}

/// PID-29 and PID-30.
fn death(patient: Value<'_>, pid: &mut Segment) -> Result<(), Unmapped> {
    let time = ts::read(patient.get("deceasedDateTime"), "Patient.deceasedDateTime")?;
    let no_boolean = || Unmapped::new("Patient.deceasedBoolean: neither true nor false");
    let dead = patient.get("deceasedBoolean").map(|dead| dead.as_bool().ok_or_else(no_boolean)).transpose()?;
    let indicator = match (time.is_empty(), dead) {
        (false, _) | (true, Some(true)) => "Y",
        (true, Some(false)) => "N",
        (true, None) => "",
    };
    pid.text(29, time);
    pid.text(30, indicator);
    Ok(())
}

/// PID-15: the preferred language, else the first, without its region.
fn language(patient: Value<'_>) -> String {
    let preferred = |one: &Value<'_>| one.get("preferred").and_then(Value::as_bool) == Some(true);
    let spoken = items(patient, "communication").find(preferred).or_else(|| items(patient, "communication").next());
    let code = code(spoken.and_then(|one| one.get("language"))).unwrap_or_default();
    code.split('-').next().unwrap_or_default().to_owned()
}

/// PID-32: only a status that was stated, also where a number is absent.
fn verification_status(patient: Value<'_>) -> Option<String> {
    items(patient, "identifier")
        .filter(|identifier| text(*identifier, &["system"]) == uk::NHS_NUMBER)
        .find_map(|identifier| uk::nsts(&extension_code(identifier, uk::VERIFICATION_STATUS)?))
}
