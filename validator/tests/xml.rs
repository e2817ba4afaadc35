//! FHIR's XML read as its JSON.

use proptest::prelude::*;
use serde_json::{Value, json};
use signalbox_validator::ProfileSet;

const PACK: &[u8] = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");

#[cfg(test)]
fn set() -> &'static ProfileSet {
    static SET: std::sync::OnceLock<ProfileSet> = std::sync::OnceLock::new();
    SET.get_or_init(|| ProfileSet::load(&[PACK]).unwrap())
}

#[cfg(test)]
fn json_of(inner: &str) -> Result<Value, String> {
    let text = format!("<?xml version=\"1.0\"?>\n<Patient xmlns=\"http://hl7.org/fhir\">{inner}</Patient>");
    let converted = set().json_of_xml(&text).map_err(|error| error.to_string())?;
    Ok(serde_json::from_str(&converted).unwrap())
}

#[test]
fn elements_that_repeat_are_arrays_and_primitives_have_the_type_of_their_definition() {
    let xml = r#"<id value="p"/><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>A &amp; B</p></div></text>
        <contained><Organization><id value="o"/><name value="O"/></Organization></contained>
        <active value="true"/>
        <name id="n"><given value="Ada"/><given><extension url="http://a.example"><valueDecimal value="1.5"/></extension></given></name>
        <birthDate value="1980-02-29"><extension url="http://b.example"><valueString value="x"/></extension></birthDate>
        <multipleBirthInteger value="2"/>"#;
    let expected = json!({
        "resourceType": "Patient",
        "id": "p",
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>A &amp; B</p></div>"},
        "contained": [{"resourceType": "Organization", "id": "o", "name": "O"}],
        "active": true,
        "name": [{"id": "n", "given": ["Ada", null],
            "_given": [null, {"extension": [{"url": "http://a.example", "valueDecimal": 1.5}]}]}],
        "birthDate": "1980-02-29",
        "_birthDate": {"extension": [{"url": "http://b.example", "valueString": "x"}]},
        "multipleBirthInteger": 2
    });
    assert_eq!(json_of(xml), Ok(expected));
}

#[test]
fn a_decimal_keeps_its_digits() {
    let text = "<Observation xmlns=\"http://hl7.org/fhir\"><valueQuantity><value value=\"1.50\"/></valueQuantity></Observation>";
    let json = set().json_of_xml(text).unwrap();
    assert_eq!(json, r#"{"resourceType":"Observation","valueQuantity":{"value":1.50}}"#);
}

#[test]
fn what_is_wrong_is_kept_for_the_rules_to_find() {
    assert_eq!(
        json_of(r#"<active value="yes"/><colour value="red"/>"#),
        Ok(json!({"resourceType": "Patient", "active": "yes", "colour": "red"}))
    );
    assert_eq!(
        json_of(r#"<gender value="male"/><gender value="female"/>"#).unwrap()["gender"],
        json!(["male", "female"])
    );
}

#[test]
fn what_is_no_resource_is_told_with_its_place() {
    let fault = |text: &str| set().json_of_xml(text).map_err(|error| (error.line, error.column)).unwrap_err();
    assert_eq!(fault("<Patient/>"), (1, 1), "not in FHIR's namespace");
    assert_eq!(fault("<Patient xmlns='http://hl7.org/fhir'>\n  <id value='a'></Patient>"), (2, 17));
    assert_eq!(fault("<!DOCTYPE a [<!ENTITY b 'c'>]>\n<Patient xmlns='http://hl7.org/fhir'/>"), (1, 1), "no entities");
    assert_eq!(fault("<Horse xmlns='http://hl7.org/fhir'/>"), (1, 1));
    assert_eq!(fault(""), (1, 1));
    let patient = |inner: &str| format!("<Patient xmlns='http://hl7.org/fhir'>{inner}</Patient>");
    assert_eq!(fault(&patient("<birthDate value='2020'/><active value='true'/>")).0, 1, "out of order");
    assert_eq!(fault(&patient("<active value='true'>yes</active>")).0, 1, "text would be lost");
}

#[test]
fn an_element_that_says_nothing_is_not_lost() {
    assert_eq!(json_of("<active/>"), Ok(json!({"resourceType": "Patient", "active": null})));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[<>/a-z'\"= &;!\\[\\]]{0,60}") {
        let _ = set().json_of_xml(&text);
        let _ = json_of(&text);
    }
}
