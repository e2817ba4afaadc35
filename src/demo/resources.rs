//! What the demo's trust systems send: patients, admissions with their patient contained, and results.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::people::Person;

const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";
const HOSPITAL_NUMBER: &str = "https://demo.signalbox.example/Id/hospital-number";
const VISIT: &str = "https://demo.signalbox.example/Id/visit";
const RESULT: &str = "https://demo.signalbox.example/Id/result";

fn identifiers(person: &Person) -> Value {
    json!([
        { "use": "official", "system": NHS_NUMBER, "value": person.nhs_number },
        { "use": "usual", "system": HOSPITAL_NUMBER, "value": person.hospital_number }
    ])
}

/// A patient as a practice system registers it; `version` counts its updates and shows as the second given name.
pub(super) fn patient(person: &Person, version: u64) -> Value {
    json!({
        "resourceType": "Patient",
        "id": person.hospital_number,
        "identifier": identifiers(person),
        "active": true,
        "name": [{ "use": "official", "family": person.family, "given": [person.given, format!("V{version}")] }],
        "telecom": [{ "system": "phone", "value": person.phone, "use": "home" }],
        "gender": person.gender,
        "birthDate": person.born.to_string(),
        "address": [{ "use": "home", "line": [person.line], "city": person.city, "postalCode": person.postcode }]
    })
}

/// An admission (`in-progress`) or discharge (`finished`) with its patient contained.
pub(super) fn encounter(person: &Person, visit: u64, finished: bool, now: DateTime<Utc>) -> Value {
    let mut contained = patient(person, 0);
    contained["id"] = json!("patient");
    let mut period = json!({ "start": instant(now - chrono::Duration::hours(4)) });
    if finished {
        period["end"] = json!(instant(now));
    }
    json!({
        "resourceType": "Encounter",
        "id": format!("visit-{visit}"),
        "contained": [contained],
        "identifier": [{ "system": VISIT, "value": format!("V{visit:08}") }],
        "status": if finished { "finished" } else { "in-progress" },
        "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP" },
        "subject": { "reference": "#patient" },
        "period": period
    })
}

/// A laboratory result.
pub(super) fn observation(person: &Person, number: u64, tenths: u64, now: DateTime<Utc>) -> Value {
    json!({
        "resourceType": "Observation",
        "identifier": [{ "system": RESULT, "value": format!("R{number:08}") }],
        "status": "final",
        "code": { "text": "Serum potassium" },
        "subject": {
            "type": "Patient",
            "identifier": { "system": NHS_NUMBER, "value": person.nhs_number }
        },
        "effectiveDateTime": instant(now),
        "valueQuantity": { "value": 3.0 + f64::from(u32::try_from(tenths).unwrap_or(0)) / 10.0, "unit": "mmol/L" }
    })
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::people::person;
    use crate::validation::Validation;
    use signalbox_validator::json::Document;

    #[test]
    fn everything_the_demo_sends_is_valid() {
        let validation = Validation::built_in().unwrap();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for number in 0..50 {
            let person = person(3, number);
            let sent = [
                patient(&person, number),
                encounter(&person, number, false, now),
                encounter(&person, number, true, now),
                observation(&person, number, number, now),
            ];
            for resource in sent {
                let text = resource.to_string();
                let issues = validation.check(&Document::read(text.as_bytes()).unwrap());
                assert!(!issues.iter().any(crate::outcome::Issue::is_error), "{issues:?}");
            }
        }
    }
}
