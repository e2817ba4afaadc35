//! The patients a message is about, as keys (P4): every identifier of every [Patient](https://hl7.org/fhir/R4/patient.html)
//! in it, and every [reference](https://hl7.org/fhir/R4/references.html) to one. Two messages that share a key are
//! about the same patient, so their order matters.
//!
//! A key is `id|SYSTEM|VALUE` for an identifier, `local|SOURCE|VALUE` for one without a system, `ref|SOURCE|Patient/ID`
//! for an id at the source and `url|URL` for one elsewhere. Names, dates and addresses are never part of a key.

use std::borrow::Cow;
use std::collections::BTreeSet;

use signalbox_validator::json::{Kind, Value};

use crate::exchange::Interaction;

use super::references::{self, Target};

/// Every patient key of a message from `source`, sorted, each once.
#[must_use]
pub fn identities(root: Value<'_>, source: &str) -> Vec<String> {
    let mut keys = Keys { source, found: BTreeSet::new() };
    // A list of what is still to be looked at: the depth of a document must not become the depth of the stack.
    let mut open = vec![Place { value: root, key: "".into(), within: "".into(), contained: false }];
    while let Some(place) = open.pop() {
        keys.visit(&place, &mut open);
    }
    keys.found.into_iter().collect()
}

/// The key that keeps updates of one resource in their order, whoever the patient; a create has none.
#[must_use]
pub fn resource_key(interaction: Interaction, source: &str, resource_type: &str, id: Option<&str>) -> Option<String> {
    let id = id.filter(|_| interaction == Interaction::Update)?;
    Some(format!("ref|{source}|{resource_type}/{id}"))
}

/// The key of one identifier, as [`identities`] makes it; by it an operator finds a patient.
#[must_use]
pub fn identifier_key(system: &str, value: &str) -> String {
    // The separator must not come from inside a part that another follows.
    format!("id|{}|{}", system.replace('|', "%7C"), together(value))
}

/// Without white space: the same number is written in groups and in one piece, and is one patient's.
fn together(value: &str) -> String {
    value.split_whitespace().collect()
}

/// A value and what is around it.
struct Place<'d> {
    value: Value<'d>,
    /// The property it is in, also for items of a list.
    key: Cow<'d, str>,
    /// Type of the resource around it.
    within: Cow<'d, str>,
    /// Inside `contained`: ids are fragments.
    contained: bool,
}

/// The members of an object that tell whom it is about.
#[derive(Default)]
struct Named<'d> {
    resource_type: Option<Value<'d>>,
    reference: Option<Value<'d>>,
    type_: Option<Value<'d>>,
    identifier: Option<Value<'d>>,
}

impl<'d> Named<'d> {
    /// Takes a text that tells something; the length of a key says of almost all that they do not.
    fn take(&mut self, value: Value<'d>) {
        match value.key_length() {
            Some(4) if value.is_member("type") => self.type_ = Some(value),
            Some(9) if value.is_member("reference") => self.reference = Some(value),
            Some(12) if value.is_member("resourceType") => self.resource_type = Some(value),
            _ => {}
        }
    }
}

impl Place<'_> {
    /// Whether an identifier here, in place of a reference, is a patient's.
    fn is_for_patients(&self) -> bool {
        matches!(
            (&*self.within, &*self.key),
            (_, "subject" | "patient" | "beneficiary" | "candidate")
                | ("Task", "for")
                | ("ResearchSubject", "individual")
                | ("Patient", "other")
        )
    }
}

struct Keys<'s> {
    source: &'s str,
    found: BTreeSet<String>,
}

impl Keys<'_> {
    /// Looks at a value, and puts what stands in it on the list.
    fn visit<'d>(&mut self, place: &Place<'d>, open: &mut Vec<Place<'d>>) {
        let mut named = Named::default();
        let first = open.len();
        for value in place.value.children() {
            if !matches!(value.kind(), Kind::Object | Kind::Array) {
                named.take(value);
                continue;
            }
            let key = value.key().unwrap_or_else(|| place.key.clone());
            if key == "identifier" {
                named.identifier = Some(value);
            }
            let contained = place.contained || key == "contained";
            open.push(Place { value, key, within: place.within.clone(), contained });
        }
        let own = named.resource_type.and_then(Value::as_str);
        if place.value.kind() == Kind::Object {
            if own.as_deref() == Some("Patient") {
                self.patient(place.value, place.contained);
            }
            self.entry(place.value, place);
            self.reference(&named, place);
        }
        if let Some(own) = own {
            open[first..].iter_mut().for_each(|inside| inside.within.clone_from(&own));
        }
    }

    fn patient(&mut self, patient: Value<'_>, contained: bool) {
        let identifiers = patient.get("identifier");
        identifiers.into_iter().flat_map(Value::items).for_each(|identifier| self.identifier(identifier));
        if let Some(id) = patient.get("id").and_then(Value::as_str).filter(|id| !contained && !id.is_empty()) {
            self.id(&id);
        }
    }

    /// A Bundle's entry: where its Patient lives, and what is asked of it.
    fn entry(&mut self, entry: Value<'_>, place: &Place<'_>) {
        if place.within != "Bundle" || place.key != "entry" {
            return;
        }
        if let Some(url) = entry.get("fullUrl").and_then(Value::as_str) {
            if let Target::Url(url) = references::read(&url)
                && let Some((_, id)) = url.rsplit_once('/')
            {
                self.id(id);
            }
            self.target(references::read(&url));
        }
        let Some(request) = entry.get("request") else { return };
        let url = request.get("url").and_then(Value::as_str).unwrap_or_default();
        self.target(references::read(&url));
        if url == "Patient"
            && let Some(query) = request.get("ifNoneExist").and_then(Value::as_str)
        {
            self.target(references::conditional(&query));
        }
    }

    fn reference(&mut self, value: &Named<'_>, place: &Place<'_>) {
        let text = value.reference.and_then(Value::as_str);
        let target = text.as_deref().map_or(Target::Untold, references::read);
        let told = match (&target, value.type_.and_then(Value::as_str)) {
            (Target::Other, _) => false,
            (Target::Untold, Some(name)) => name == "Patient",
            (Target::Untold, None) => place.is_for_patients(),
            _ => true,
        };
        if let Some(identifier) = value.identifier.filter(|_| told) {
            self.identifier(identifier);
        }
        self.target(target);
    }

    fn identifier(&mut self, identifier: Value<'_>) {
        let text = |name| identifier.get(name).and_then(Value::as_str).map(|text| text.trim().to_owned());
        if let Some(value) = text("value").filter(|value| !value.is_empty()) {
            self.identified(text("system").filter(|system| !system.is_empty()), &value);
        }
    }

    fn identified(&mut self, system: Option<String>, value: &str) {
        self.found.insert(match system {
            Some(system) => identifier_key(&system, value),
            None => format!("local|{}|{}", self.source, together(value)),
        });
    }

    fn id(&mut self, id: &str) {
        self.found.insert(format!("ref|{}|Patient/{id}", self.source));
    }

    fn target(&mut self, target: Target) {
        match target {
            Target::Id(id) => self.id(&id),
            Target::Url(url) => drop(self.found.insert(format!("url|{url}"))),
            Target::Identifier { system, value } => self.identified(system, &value),
            Target::Other | Target::Untold => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use signalbox_validator::json::Document;

    fn keys(resource: &str) -> Vec<String> {
        identities(Document::read(resource.as_bytes()).unwrap().root(), "pas")
    }

    #[test]
    fn a_patient_is_known_by_every_identifier_and_its_id_and_nothing_else() {
        let patient = r#"{"resourceType":"Patient","id":"p1","identifier":[
            {"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990000018"},{"value":" L1 "},{"system":"","value":"L2"},
            {"system":"https://example.org/mrn"},{"system":"a|b","value":"c|d"},{"system":"https://example.org/mrn","value":"77",
             "assigner":{"identifier":{"system":"https://fhir.nhs.uk/Id/ods-organization-code","value":"RX1"}}}],
            "name":[{"family":"Zebedee","given":["Ann"]}],"birthDate":"1970-03-30","telecom":[{"value":"01632 960000"}],
            "address":[{"postalCode":"LS1 4AP"}],"generalPractitioner":[{"reference":"Practitioner/g","identifier":{"system":"gmc","value":"1"}}],
            "managingOrganization":{"identifier":{"system":"ods","value":"RX1"}}}"#;
        assert_eq!(
            keys(patient),
            [
                "id|a%7Cb|c|d",
                "id|https://example.org/mrn|77",
                "id|https://fhir.nhs.uk/Id/nhs-number|9990000018",
                "local|pas|L1",
                "local|pas|L2",
                "ref|pas|Patient/p1",
            ]
        );
    }

    #[test]
    fn a_number_written_in_groups_is_the_same_number() {
        let patient = |number: &str| {
            let identifiers = format!(r#"[{{"system":"nhs","value":"{number}"}},{{"value":"{number}"}}]"#);
            keys(&format!(r#"{{"resourceType":"Patient","identifier":{identifiers}}}"#))
        };
        assert_eq!(patient("999 000 0018"), patient(" 9990000018"));
        assert_eq!(identifier_key("nhs", "999 000 0018"), "id|nhs|9990000018");
    }

    #[test]
    fn a_merge_carries_both_sides() {
        let merge = r#"{"resourceType":"Patient","id":"new","identifier":[{"system":"mrn","value":"1"}],"link":[
            {"other":{"reference":"Patient/old/_history/3","identifier":{"system":"mrn","value":"2"}},"type":"replaces"},
            {"other":{"identifier":{"system":"mrn","value":"3"}},"type":"seealso"},
            {"other":{"reference":"RelatedPerson/r","identifier":{"system":"mrn","value":"4"}},"type":"seealso"}]}"#;
        assert_eq!(keys(merge), ["id|mrn|1", "id|mrn|2", "id|mrn|3", "ref|pas|Patient/new", "ref|pas|Patient/old"]);
    }

    #[test]
    fn a_bundle_carries_all_its_patients() {
        let bundle = r#"{"resourceType":"Bundle","type":"transaction","entry":[
            {"fullUrl":"https://pas.example.org/fhir/Patient/1","resource":{"resourceType":"Patient","id":"1"},"request":{"method":"PUT","url":"Patient/1"}},
            {"fullUrl":"urn:uuid:0190c2a0-0000-7000-8000-000000000000","resource":{"resourceType":"Patient","identifier":[{"system":"mrn","value":"2"}]},
             "request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=mrn|2b"}},
            {"resource":{"resourceType":"Observation","subject":{"reference":"urn:uuid:0190c2a0-0000-7000-8000-000000000000"}}},
            {"resource":{"resourceType":"Observation","subject":{"reference":"Patient?identifier=mrn|3"},"performer":[{"reference":"Practitioner/9"}]}},
            {"request":{"method":"DELETE","url":"Patient/4"}},
            {"resource":{"resourceType":"Bundle","entry":[{"fullUrl":"https://x/Patient/5","resource":{"resourceType":"Parameters","parameter":[
              {"name":"p","resource":{"resourceType":"Patient","id":"6"}}]}}]}},
            {"fullUrl":"https://pas.example.org/fhir/Group/7","resource":{"resourceType":"Group","id":"7"},"request":{"method":"POST","url":"Group","ifNoneExist":"identifier=mrn|8"}}]}"#;
        assert_eq!(
            keys(bundle),
            [
                "id|mrn|2",
                "id|mrn|2b",
                "id|mrn|3",
                "ref|pas|Patient/1",
                "ref|pas|Patient/4",
                "ref|pas|Patient/5",
                "ref|pas|Patient/6",
                "url|https://pas.example.org/fhir/Patient/1",
                "url|https://x/Patient/5",
            ]
        );
    }

    #[test]
    fn a_contained_patient_counts_but_its_fragment_id_does_not() {
        let observation = r##"{"resourceType":"Observation","subject":{"reference":"#p"},"contained":[
            {"resourceType":"Patient","id":"p","identifier":[{"system":"mrn","value":"1"}]},
            {"resourceType":"Device","id":"d","identifier":[{"system":"udi","value":"2"}],"patient":{"reference":"Patient/3"}}]}"##;
        assert_eq!(keys(observation), ["id|mrn|1", "ref|pas|Patient/3"]);
    }

    #[test]
    fn references_to_patients_count_wherever_they_stand() {
        let cases: [(&str, &[&str]); 15] = [
            (r#"{"resourceType":"Encounter","subject":{"r\u0065ference":"Patient/1"}}"#, &["ref|pas|Patient/1"]),
            (r#"{"resourceType":"Encounter","subject":{"reference":"Patient/1"}}"#, &["ref|pas|Patient/1"]),
            (r#"{"resourceType":"Encounter","subject":{"identifier":{"system":"mrn","value":"1"}}}"#, &["id|mrn|1"]),
            (r#"{"resourceType":"Encounter","subject":{"type":"Group","identifier":{"system":"g","value":"1"}}}"#, &[]),
            (
                r#"{"resourceType":"Encounter","subject":{"reference":"Group/1","identifier":{"system":"g","value":"1"}}}"#,
                &[],
            ),
            (
                r#"{"resourceType":"Encounter","participant":[{"individual":{"identifier":{"system":"gmc","value":"1"}}}]}"#,
                &[],
            ),
            (r#"{"resourceType":"ResearchSubject","individual":{"identifier":{"value":"1"}}}"#, &["local|pas|1"]),
            (r#"{"resourceType":"Coverage","beneficiary":{"identifier":{"system":"mrn","value":"1"}}}"#, &["id|mrn|1"]),
            (
                r#"{"resourceType":"Task","for":{"identifier":{"system":"mrn","value":"1"}},"owner":{"identifier":{"value":"2"}}}"#,
                &["id|mrn|1"],
            ),
            (
                r#"{"resourceType":"Appointment","participant":[{"actor":{"reference":"https://x/fhir/Patient/1/_history/2"}},{"actor":{"reference":"Location/2"}}]}"#,
                &["url|https://x/fhir/Patient/1"],
            ),
            (
                r#"{"resourceType":"Appointment","participant":[{"actor":{"type":"Patient","identifier":{"system":"mrn","value":"1"}}}]}"#,
                &["id|mrn|1"],
            ),
            (
                r#"{"resourceType":"Provenance","target":[{"reference":"Patient/1","identifier":{"system":"mrn","value":"2"}}]}"#,
                &["id|mrn|2", "ref|pas|Patient/1"],
            ),
            (
                r#"{"resourceType":"Basic","extension":[{"url":"u","valueReference":{"reference":"Patient/1"}}]}"#,
                &["ref|pas|Patient/1"],
            ),
            (
                r#"{"resourceType":"RelatedPerson","identifier":[{"system":"nhs","value":"1"}],"patient":{"reference":"Patient/2"}}"#,
                &["ref|pas|Patient/2"],
            ),
            (r#"{"resourceType":"Organization","identifier":[{"system":"ods","value":"RX1"}]}"#, &[]),
        ];
        for (resource, expected) in cases {
            assert_eq!(keys(resource), expected, "{resource}");
        }
    }

    #[test]
    fn updates_of_one_resource_share_a_key_and_creates_do_not() {
        let key = |interaction, id| resource_key(interaction, "pas", "Patient", id);
        assert_eq!(key(Interaction::Update, Some("1")).as_deref(), Some("ref|pas|Patient/1"));
        assert_eq!(keys(r#"{"resourceType":"Patient","id":"1"}"#), ["ref|pas|Patient/1"], "the same key as its own");
        assert_eq!(key(Interaction::Create, Some("1")), None);
        assert_eq!(key(Interaction::Update, None), None);
    }

    #[test]
    fn shapes_that_are_not_fhir_give_no_keys_and_no_panic() {
        for odd in [
            "[]",
            "null",
            "\"Patient/1\"",
            r#"{"resourceType":["Patient"],"identifier":{"value":"1"}}"#,
            r#"{"resourceType":"Patient","id":{"a":1},"identifier":{"system":"s"}}"#,
            r#"{"resourceType":"Patient","identifier":[null,3,{"value":4},{"value":""}],"link":[{"other":"Patient/1"}]}"#,
            r#"{"resourceType":"Bundle","entry":[{"fullUrl":3,"request":"Patient/1"},null]}"#,
        ] {
            assert_eq!(keys(odd), Vec::<String>::new(), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn who_a_message_is_about_does_not_depend_on_the_order_of_its_parts(values in prop::collection::vec("[a-z0-9]{1,3}", 0..6), turn in 0_usize..6) {
            let entry = |value: &String| format!(r#"{{"resource":{{"resourceType":"Patient","identifier":[{{"system":"s","value":"{value}"}}]}}}}"#);
            let bundle = |values: &[String]| {
                let entries: Vec<String> = values.iter().map(entry).collect();
                keys(&format!(r#"{{"resourceType":"Bundle","entry":[{}]}}"#, entries.join(",")))
            };
            let mut turned = values.clone();
            turned.rotate_left(turn % values.len().max(1));
            let found = bundle(&values);
            prop_assert_eq!(&found, &bundle(&turned));
            let known = |value: &String| found.contains(&format!("id|s|{value}"));
            prop_assert!(values.iter().all(known));
            prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
