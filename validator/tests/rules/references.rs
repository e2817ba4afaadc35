//! References, contained resources and resources in a Bundle.

use signalbox_validator::{IssueCode, Rule, Severity};

use super::{accepts, patient, refuses, remarks};

fn organization(reference: &str) -> String {
    patient(&format!(r#""managingOrganization":{{"reference":"{reference}"}}"#))
}

#[test]
fn a_reference_is_to_a_type_that_the_element_allows() {
    let place = "Patient.managingOrganization";
    for good in [
        "Organization/1",
        "Organization/1/_history/2",
        "https://example.org/fhir/Organization/1",
        "https://example.org/files/7",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "Organization?identifier=a",
    ] {
        accepts(&organization(good));
    }
    for bad in ["Patient/1", "https://example.org/fhir/Patient/1", "Patient?identifier=a"] {
        refuses(&organization(bad), Rule::Reference, IssueCode::Structure, place);
    }
    refuses(&organization("Organization/1 2"), Rule::Reference, IssueCode::Value, place);
    refuses(&organization("Organisation/1"), Rule::Reference, IssueCode::NotFound, place);
    remarks(&organization("1"), Severity::Warning, Rule::Reference, place);
    // Any type is allowed where the definition says Resource.
    accepts(
        r#"{"resourceType":"Linkage","item":[{"type":"source","resource":{"reference":"Flag/1"}},{"type":"alternate","resource":{"reference":"Flag/2"}}]}"#,
    );
}

#[test]
fn the_declared_type_is_checked_too() {
    let place = "Patient.managingOrganization";
    let declared = |kind: &str| patient(&format!(r#""managingOrganization":{{"type":"{kind}","display":"a"}}"#));
    accepts(&declared("Organization"));
    accepts(&declared("http://hl7.org/fhir/StructureDefinition/Organization"));
    accepts(&declared("http://example.org/StructureDefinition/Hospital"));
    refuses(&declared("Patient"), Rule::Reference, IssueCode::Structure, place);
    // Other types may be named, so that a name which is none is worth a look only; where the reference leads counts.
    remarks(&declared("Hospital"), Severity::Warning, Rule::Reference, place);
    let elsewhere = patient(r#""managingOrganization":{"type":"Hospital","reference":"Patient/1"}"#);
    refuses(&elsewhere, Rule::Reference, IssueCode::Structure, place);
    let both = patient(r#""generalPractitioner":[{"type":"Practitioner","reference":"Organization/1"}]"#);
    refuses(&both, Rule::Reference, IssueCode::Value, "Patient.generalPractitioner[0]");
}

#[test]
fn a_local_reference_finds_its_contained_resource() {
    let with = |contained: &str| {
        patient(&format!(r##""contained":[{contained}],"managingOrganization":{{"reference":"#o"}}"##))
    };
    accepts(&with(r#"{"resourceType":"Organization","id":"o","name":"A"}"#));
    refuses(
        &with(r#"{"resourceType":"Person","id":"o"}"#),
        Rule::Reference,
        IssueCode::Structure,
        "Patient.managingOrganization",
    );
    let dangling: Vec<_> = super::issues(&organization("#o")).iter().map(|issue| (issue.rule, issue.code)).collect();
    assert_eq!(dangling, [(Rule::Invariant, IssueCode::Invariant), (Rule::Reference, IssueCode::Structure)]);
}

#[test]
fn contained_resources_are_held_to_their_own_type() {
    let place = "Patient.contained[0]";
    let contained = |members: &str| {
        patient(&format!(
            r##""contained":[{{"resourceType":"Organization","id":"o","name":"A"{members}}}],"managingOrganization":{{"reference":"#o"}}"##
        ))
    };
    accepts(&contained(""));
    refuses(&contained(r#","birthDate":"2000""#), Rule::Structure, IssueCode::Structure, place);
    for bad in [
        r#","contained":[{"resourceType":"Basic","code":{"text":"a"}}]"#,
        r#","meta":{"versionId":"1"}"#,
        r#","meta":{"security":[{"display":"a"}]}"#,
    ] {
        refuses(&contained(bad), Rule::Contained, IssueCode::Invariant, place);
    }
    let unused = patient(r#""contained":[{"resourceType":"Organization","id":"o","name":"A"}]"#);
    refuses(&unused, Rule::Contained, IssueCode::Invalid, place);
    accepts(&patient(r##""contained":[{"resourceType":"Person","id":"p","link":[{"target":{"reference":"#"}}]}]"##));
}

#[test]
fn entries_of_a_bundle_are_resources_of_their_own() {
    let bundle = |resource: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{resource}}}]}}"#
        )
    };
    accepts(&bundle(&patient(r#""active":true"#)));
    refuses(&bundle(&patient(r#""nmae":1"#)), Rule::Structure, IssueCode::Structure, "Bundle.entry[0].resource");
    // The contained resources of an entry are looked for in that entry.
    let own = r##""contained":[{"resourceType":"Organization","id":"o","name":"A"}],"managingOrganization":{"reference":"#o"}"##;
    accepts(&bundle(&patient(own)));
}
