//! Whole messages, as a receiver gets them, for synthetic patients; and what is refused.

use std::collections::BTreeMap;

use chrono::DateTime;
use signalbox_validator::json::Document;

use super::charset::Charset;
use super::partner::SexAlphabet;
use super::*;
use crate::exchange::Interaction::{self, Create, Update};

const PATIENT: &str = include_str!("samples/patient.json");
const MINIMAL: &str = include_str!("samples/patient-minimal.json");
const ADMISSION: &str = include_str!("samples/admission.json");
const DISCHARGE: &str = include_str!("samples/discharge.json");

fn partner() -> Partner {
    let hospital_number = ("https://pas.example.nhs.uk/hospital-number".to_owned(), "RXX".to_owned());
    Partner {
        sending_application: "SIGNALBOX".into(),
        sending_facility: "RXX".into(),
        receiving_application: "PAS".into(),
        receiving_facility: "RYY".into(),
        processing_id: "P".into(),
        charset: Charset::Utf8,
        sex: SexAlphabet::Itk,
        authorities: BTreeMap::from([hospital_number]),
    }
}

fn encoded(body: &str, interaction: Interaction, partner: &Partner) -> Result<Encoded, Unmapped> {
    let received_at = DateTime::from_timestamp(1_782_993_600, 0).unwrap();
    let occasion = Occasion { control_id: "01KE0000000000000000".into(), received_at, interaction };
    encode(Document::read(body.as_bytes()).unwrap().root(), &occasion, partner)
}

/// The message with a line for each segment.
fn message(body: &str, interaction: Interaction) -> String {
    let bytes = encoded(body, interaction, &partner()).unwrap().bytes;
    String::from_utf8(bytes).unwrap().replace('\r', "\n")
}

fn refusal(body: &str, interaction: Interaction) -> String {
    encoded(body, interaction, &partner()).err().unwrap().to_string()
}

#[test]
fn a_new_patient_is_an_a28() {
    insta::assert_snapshot!(message(PATIENT, Create));
}

#[test]
fn a_patient_in_hiding_cannot_be_found_by_the_message() {
    let security = r#"[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]"#;
    let restricted = PATIENT.replacen("\"meta\": {", &format!("\"meta\": {{ \"security\": {security},"), 1);
    for interaction in [Create, Update] {
        let (open, hidden) = (message(PATIENT, interaction), message(&restricted, interaction));
        let field = |message: &str, segment: &str, number: usize| {
            let line = message.lines().find(|line| line.starts_with(segment))?;
            line.split('|').nth(number).filter(|field| !field.is_empty()).map(str::to_owned)
        };
        for (segment, number) in [("PID", 11), ("PID", 13), ("PD1", 3), ("NK1", 2)] {
            assert!(field(&open, segment, number).is_some(), "{segment}-{number} in {open}");
            assert_eq!(field(&hidden, segment, number), None, "{segment}-{number} in {hidden}");
        }
        assert_eq!(field(&hidden, "PID", 3), field(&open, "PID", 3));
        assert_eq!(field(&hidden, "PID", 5), field(&open, "PID", 5));
    }
}

#[test]
fn a_patient_of_whom_little_is_known_is_an_a31_that_asserts_nothing_more() {
    insta::assert_snapshot!(message(MINIMAL, Update));
}

#[test]
fn an_admission_in_a_bundle_is_an_a01() {
    insta::assert_snapshot!(message(ADMISSION, Create));
}

#[test]
fn a_discharge_with_the_patient_contained_is_an_a03_without_contacts() {
    insta::assert_snapshot!(message(DISCHARGE, Update));
}

#[test]
fn the_event_follows_the_status_and_the_interaction() {
    let event = |body: &str, interaction| {
        let text = message(body, interaction);
        text.split('|').nth(8).unwrap().to_owned()
    };
    assert_eq!(event(PATIENT, Update), "ADT^A31^ADT_A05");
    let encounter = |status: &str| DISCHARGE.replace("\"finished\"", &format!("\"{status}\""));
    assert_eq!(event(&encounter("in-progress"), Create), "ADT^A01^ADT_A01");
    assert_eq!(event(&encounter("in-progress"), Update), "ADT^A08^ADT_A01");
    assert_eq!(event(&encounter("finished"), Create), "ADT^A03^ADT_A03");
    assert_eq!(event(&encounter("cancelled"), Update), "ADT^A11^ADT_A09");
    let put = ADMISSION.replacen("\"POST\"", "\"PUT\"", 1);
    assert_eq!(event(&put, Create), "ADT^A08^ADT_A01");
    for unsupported in ["planned", "arrived", "onleave", "entered-in-error"] {
        assert!(refusal(&encounter(unsupported), Create).starts_with("Encounter.status: "));
    }
}

#[test]
fn an_encounter_without_its_certain_patient_is_refused() {
    let missing = "Encounter.subject: the Patient is not in the delivery";
    for body in [
        DISCHARGE.replace("\"#p\"", "\"Patient/p\""),
        DISCHARGE.replace("\"#p\"", "\"#gp\""),
        ADMISSION.replacen("000000000002", "000000000009", 1),
        ADMISSION.replacen(
            "urn:uuid:5f0a7a3e-0000-4000-8000-000000000003\",\n      \"resource",
            "urn:uuid:5f0a7a3e-0000-4000-8000-000000000002\",\n      \"resource",
            1,
        ),
    ] {
        assert!(refusal(&body, Create).starts_with(missing), "{body}");
    }
}

#[test]
fn without_a_reference_the_only_patient_of_a_bundle_is_meant_unless_the_identifier_is_anothers() {
    let with = |number: &str| {
        let identifier = format!(
            "{{ \"identifier\": {{ \"system\": \"https://fhir.nhs.uk/Id/nhs-number\", \"value\": \"{number}\" }} }}"
        );
        ADMISSION.replacen("{ \"reference\": \"urn:uuid:5f0a7a3e-0000-4000-8000-000000000002\" }", &identifier, 1)
    };
    assert!(message(&with("9990000026"), Create).contains("|9990000026^^^NHS^NH|"));
    assert!(refusal(&with("9990000034"), Create).starts_with("Encounter.subject"));
}

#[test]
fn what_cannot_be_said_is_refused_by_name_and_never_quotes_a_value() {
    let two = PATIENT.replace(
        "https://other.example/unmapped\", \"value\": \"LEFT-OUT",
        "https://fhir.nhs.uk/Id/nhs-number\", \"value\": \"9990000026",
    );
    assert_eq!(refusal(&two, Create), "Patient.identifier: more than one current NHS number");
    let none = MINIMAL.replace("pas.example", "elsewhere.example");
    assert!(refusal(&none, Create).starts_with("Patient.identifier: neither an NHS number nor"));
    assert!(refusal(&DISCHARGE.replace("ACUTE", "FLD"), Create).starts_with("Encounter.class: "));
    assert!(refusal(r#"{"resourceType":"Observation"}"#, Create).starts_with("resourceType: "));
    assert!(refusal(r#"{"resourceType":"Bundle"}"#, Create).contains("exactly one Encounter is needed, found 0"));
    assert_eq!(
        refusal(&MINIMAL.replace("\"1931\"", "\"31\""), Create),
        "Patient.birthDate: not a FHIR date or dateTime"
    );
}

#[test]
fn the_partner_decides_the_bytes_and_the_alphabet() {
    let western = Partner { charset: Charset::Windows1252, sex: SexAlphabet::Hl7, ..partner() };
    let bytes = encoded(PATIENT, Create, &western).unwrap().bytes;
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(holds(b"^Zo\xEB^Ann Mary^") && holds(b"|GBR|8859/1\r") && holds(b"|19651213063000|F|"));
    let ascii = Partner { charset: Charset::Ascii, ..partner() };
    let error = encoded(PATIENT, Create, &ascii).err().unwrap().to_string();
    assert_eq!(error, "PID-5.2 holds a character that the partner's charset (ascii) does not have");
}

#[test]
fn a_death_that_cannot_be_read_is_refused_and_not_left_out() {
    for wrong in [r#""deceasedBoolean": "true""#, r#""deceasedDateTime": 20260701"#, r#""deceasedDateTime": "July""#] {
        let body = MINIMAL.replace("\"deceasedDateTime\": \"2026-06-30T23:30:00Z\"", wrong);
        assert!(refusal(&body, Create).starts_with("Patient.deceased"), "{wrong}");
    }
}
