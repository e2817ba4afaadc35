//! Bundles by their type: <https://hl7.org/fhir/R4/bundle.html>.

use serde_json::{Value as Json, json};

use super::{errors, with};

const BASE: &str = "http://example.org/fhir/";

fn entry(resource: &Json) -> Json {
    let (name, id) = (resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    json!({"fullUrl": format!("{BASE}{name}/{id}"), "resource": resource})
}

fn bundle(kind: &str, resources: &[Json]) -> Json {
    let entries: Vec<Json> = resources.iter().map(entry).collect();
    json!({"resourceType": "Bundle", "type": kind, "entry": entries})
}

fn patient(id: &str) -> Json {
    json!({"resourceType": "Patient", "id": id, "active": true})
}

fn observation(id: &str, subject: &str) -> Json {
    json!({"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"}, "subject": {"reference": subject}})
}

/// A document about a patient, with what the Composition says besides.
fn document(composition: &Json, others: &[Json]) -> Json {
    let own = json!({
        "resourceType": "Composition", "id": "c", "status": "final", "type": {"text": "x"}, "date": "2024-01-01",
        "author": [{"reference": "Patient/p"}], "subject": {"reference": "Patient/p"}, "title": "x"
    });
    let mut resources = vec![with(&own, composition), patient("p")];
    resources.extend_from_slice(others);
    let marks = json!({
        "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},
        "timestamp": "2024-01-01T00:00:00Z"
    });
    with(&bundle("document", &resources), &marks)
}

#[test]
fn every_entry_has_an_identity_that_fits_its_resource() {
    assert_eq!(errors(&bundle("collection", &[patient("1"), patient("2")])), [""; 0]);
    let with_url = |url: &Json| {
        let mut found = bundle("collection", &[patient("1")]);
        found["entry"][0] = with(&found["entry"][0], &json!({ "fullUrl": url }));
        errors(&found)
    };
    let wrong = ["invalid Bundle.entry[0]"];
    assert_eq!(with_url(&Json::Null), wrong);
    assert_eq!(with_url(&json!("Patient/1")), wrong);
    assert_eq!(with_url(&json!("http://example.org/fhir/Patient/2")), wrong);
    assert_eq!(with_url(&json!("http://example.org/fhir/Observation/1")), wrong);
    assert_eq!(with_url(&json!("urn:uuid:c757873d-ec9a-4326-a141-556f43239520")), [""; 0]);
    assert_eq!(with_url(&json!("http://example.org/other/1")), [""; 0]);
    // What is exchanged one by one may have none yet.
    let exchange = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": observation("1", "Patient/1"), "request": {"method": "POST", "url": "Observation"}}
    ]});
    assert_eq!(errors(&exchange), [""; 0]);
}

#[test]
fn a_reference_leads_where_its_entry_stands() {
    let inside = |subject: &str| errors(&bundle("collection", &[patient("1"), observation("2", subject)]));
    for good in ["Patient/1", "http://example.org/fhir/Patient/1", "Patient/9", "http://example.org/other/Patient/1"] {
        assert_eq!(inside(good), [""; 0], "{good}");
    }
    let at = "Bundle.entry[1].resource.subject";
    assert_eq!(inside("Patient?identifier=a"), [format!("invalid {at}")]);
    assert_eq!(inside("Patient/1/2"), [format!("invalid {at}")]);
    let twice = bundle("collection", &[patient("1"), observation("2", "Patient/1"), patient("1")]);
    assert!(errors(&twice).contains(&format!("forbidden {at}")), "{:?}", errors(&twice));
    let mut homeless = bundle("collection", &[patient("1"), observation("2", "Patient/1")]);
    homeless["entry"][1] = with(&homeless["entry"][1], &json!({"fullUrl": null}));
    assert_eq!(errors(&homeless), ["invalid Bundle.entry[1]".to_owned(), format!("required {at}")]);
}

#[test]
fn a_document_holds_what_it_refers_to_and_nothing_else() {
    assert_eq!(errors(&document(&json!({}), &[])), [""; 0]);
    let missing = json!({
        "encounter": {"reference": "Encounter/9"},
        "attester": [{"mode": "legal", "party": {"reference": "Practitioner/9"}}],
        "section": [{"title": "a", "section": [{"title": "b", "entry": [{"reference": "Observation/9"}]}]}]
    });
    let at = "Bundle.entry[0].resource";
    let mut expected = [
        format!("not-found {at}.encounter"),
        format!("not-found {at}.attester[0].party"),
        format!("not-found {at}.section[0].section[0].entry[0]"),
    ];
    let mut found = errors(&document(&missing, &[]));
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let orphan = document(&json!({}), &[patient("q")]);
    assert_eq!(errors(&orphan), ["informational Bundle.entry[2]"]);
    // An entry that leads to one that is reached is worth a warning only.
    assert_eq!(errors(&document(&json!({}), &[observation("o", "Patient/p")])), [""; 0]);
    let derived = with(&observation("d", "Patient/q"), &json!({"derivedFrom": [{"reference": "Observation/o"}]}));
    let chain = document(&json!({}), &[derived, patient("q"), observation("o", "Patient/p")]);
    assert_eq!(errors(&chain), [""; 0]);
    let entries = json!([entry(&patient("p"))]);
    let headless = with(&document(&json!({}), &[]), &json!({"entry": entries}));
    assert!(errors(&headless).contains(&"invalid Bundle.entry[0].resource".to_owned()));
    let elsewhere = document(&json!({"subject": {"reference": "http://example.org/other/Patient/p"}}), &[]);
    assert_eq!(errors(&elsewhere), [format!("not-found {at}.subject")]);
}

#[test]
fn a_message_begins_with_its_header_and_has_what_that_is_about() {
    let header = |focus: &str| {
        json!({"resourceType": "MessageHeader", "id": "m", "eventUri": "http://example.org/e",
            "source": {"endpoint": "http://example.org/s"}, "focus": [{"reference": focus}]})
    };
    assert_eq!(errors(&bundle("message", &[header("Patient/1"), patient("1")])), [""; 0]);
    let nowhere = bundle("message", &[header("Patient/9"), patient("1")]);
    assert_eq!(errors(&nowhere), ["not-found Bundle.entry[0].resource.focus[0]"]);
    assert_eq!(errors(&json!({"resourceType": "Bundle", "type": "message"})), ["invariant Bundle", "invalid Bundle"]);
}

#[test]
fn a_search_finds_what_it_searched_for() {
    let found = |entries: &Json| {
        json!({"resourceType": "Bundle", "type": "searchset",
            "link": [{"relation": "self", "url": "http://example.org/fhir/Patient?name=x"}], "entry": entries})
    };
    let because = |resource: &Json, mode: &str| with(&entry(resource), &json!({"search": {"mode": mode}}));
    let other = observation("2", "Patient/1");
    let good = json!([because(&patient("1"), "match"), because(&other, "include")]);
    assert_eq!(errors(&found(&good)), [""; 0]);
    assert_eq!(errors(&found(&json!([because(&other, "match")]))), ["invalid Bundle.entry[0].resource"]);
    assert_eq!(errors(&found(&json!([because(&patient("1"), "outcome")]))), ["invalid Bundle.entry[0].resource"]);
    let nameless = json!({"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "search": {"mode": "match"},
        "resource": {"resourceType": "Patient", "active": true}});
    assert_eq!(errors(&found(&json!([nameless]))), ["invalid Bundle.entry[0].resource"]);
}

#[test]
fn only_pages_have_neighbours_and_each_link_stands_once() {
    let linked = |kind: &str, relations: &[&str]| {
        let links: Vec<Json> =
            relations.iter().map(|name| json!({"relation": name, "url": "http://example.org"})).collect();
        errors(&with(&bundle(kind, &[patient("1")]), &json!({ "link": links })))
    };
    assert_eq!(linked("collection", &["self", "alternate"]), [""; 0]);
    assert_eq!(linked("collection", &["self", "next"]), ["invalid Bundle.link[1].relation"]);
    assert_eq!(linked("collection", &["self", "self"]), ["invalid Bundle.link[1].relation"]);
    let twice = linked("searchset", &["next", "next"]);
    assert_eq!(twice, ["invalid Bundle.link[1]"]);
}

#[test]
fn a_link_into_a_narrative_leads_to_one_part_of_it() {
    let linked = |id: &str| {
        let link = json!({"url": "http://hl7.org/fhir/StructureDefinition/narrativeLink",
            "valueUrl": format!("{BASE}Composition/c#{id}")});
        let div =
            "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p id=\"a\">x</p><p id=\"b\">x</p><p id=\"b\">x</p></div>";
        let text = json!({"text": {"status": "generated", "div": div}});
        errors(&document(&text, &[with(&observation("o", "Patient/p"), &json!({"extension": [link]}))]))
    };
    assert_eq!(linked("a"), [""; 0]);
    assert_eq!(linked("z"), ["not-found Bundle"]);
    assert_eq!(linked("b"), ["invalid Bundle"]);
}
