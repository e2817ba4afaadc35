//! What is done to a resource to make a mutant of it.

use serde_json::{Value as Json, json};

use super::random::Random;
use super::sites::Site;

/// Makes one change; nothing where there is nothing of the kind to change.
type Change = fn(&mut Random, &[Site], &mut Json) -> Option<()>;

/// The kinds of changes with their names.
pub(crate) const CLASSES: [(&str, Change); 24] = [
    ("drop required", |random, sites, root| drop(random, sites, root, |site| site.is_required && site.is_member)),
    ("drop any", |random, sites, root| drop(random, sites, root, |site| site.is_member)),
    ("drop item", |random, sites, root| drop(random, sites, root, |site| !site.is_member)),
    ("unknown property", unknown_property),
    ("array or not", array_or_not),
    ("wrong JSON type", wrong_type),
    ("wrong text", wrong_text),
    ("wrong date", |random, sites, root| text(random, sites, root, is_temporal, &DATES)),
    ("wrong id", |random, sites, root| text(random, sites, root, |site| site.type_name == "id", &IDS)),
    ("wrong uri", |random, sites, root| text(random, sites, root, is_uri, &URIS)),
    ("wrong choice", wrong_choice),
    ("two choices", two_choices),
    ("empty", empty),
    ("twice", twice),
    ("unknown code", |random, sites, root| text(random, sites, root, |site| site.is_bound, &CODES)),
    ("other code", |random, sites, root| text(random, sites, root, |site| site.type_name == "code", &CODES)),
    ("other system", |random, sites, root| text(random, sites, root, |site| site.key == "system", &SYSTEMS)),
    ("other display", |random, sites, root| text(random, sites, root, |site| site.key == "display", &TEXTS)),
    ("reference", |random, sites, root| text(random, sites, root, |site| site.key == "reference", &REFERENCES)),
    ("extension", extension),
    ("modifier extension", modifier_extension),
    ("narrative", narrative),
    ("moved", moved),
    ("harmless", harmless),
];

const DATES: [&str; 10] = [
    "2020-13-01",
    "2020-02-30",
    "20200101",
    "01/02/2020",
    "2020",
    "2020-01",
    "2020-01-01",
    "2020-01-01T10:00:00",
    "2020-01-01T25:00:00Z",
    "yesterday",
];
const IDS: [&str; 5] =
    ["a b", "x_y", "", "0123456789012345678901234567890123456789012345678901234567890123456789", "ok-1"];
const URIS: [&str; 7] = [
    "not a uri",
    "urn:uuid:123",
    "urn:oid:1.2.x",
    "http://example.org/ok",
    "relative/path",
    "",
    "urn:uuid:C757873D-EC9A-4326-A141-556F43239520",
];
const CODES: [&str; 6] = ["no-such-code", "final", "active", "official", " final", "FINAL"];
const SYSTEMS: [&str; 6] = [
    "http://example.org/system",
    "not-absolute",
    "http://snomed.info/sct",
    "http://hl7.org/fhir/ValueSet/languages",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "urn:oid:2.16.840.1.113883.6.96",
];
const TEXTS: [&str; 5] = ["Other", "", " spaces ", "<b>bold</b>", "two  words"];
const REFERENCES: [&str; 10] = [
    "Patient/1",
    "Observation/1",
    "Nothing/1",
    "#nobody",
    "Patient",
    "http://example.org/fhir/Patient/1",
    "urn:uuid:c757873d-ec9a-4326-a141-556f43239529",
    "Patient/a b",
    "Organization/x/_history/1",
    "http://example.org/x?y=z",
];

fn drop(random: &mut Random, sites: &[Site], root: &mut Json, wanted: impl Fn(&Site) -> bool) -> Option<()> {
    let found: Vec<&Site> = sites.iter().filter(|site| wanted(site)).collect();
    let pointer = &random.one(&found)?.pointer;
    let (parent, last) = pointer.rsplit_once('/')?;
    match root.pointer_mut(parent)? {
        Json::Object(members) => members.remove(last).map(|_| ()),
        Json::Array(items) => {
            items.remove(last.parse().ok()?);
            Some(())
        }
        _ => None,
    }
}

fn unknown_property(random: &mut Random, sites: &[Site], root: &mut Json) -> Option<()> {
    let object = object(random, sites, root)?;
    let name = random.one(&["signalbox", "valueThing", "Extension", "fhir_comments", "status2"])?;
    object.insert((*name).to_owned(), json!("x"));
    Some(())
}

/// An object of the resource, or the resource.
fn object<'r>(
    random: &mut Random,
    sites: &[Site],
    root: &'r mut Json,
) -> Option<&'r mut serde_json::Map<String, Json>> {
    let mut pointers: Vec<&str> = vec![""];
    pointers.extend(sites.iter().map(|site| site.pointer.as_str()));
    pointers.retain(|pointer| root.pointer(pointer).is_some_and(Json::is_object));
    let pointer = random.one(&pointers)?.to_string();
    root.pointer_mut(&pointer)?.as_object_mut()
}

fn array_or_not(random: &mut Random, sites: &[Site], root: &mut Json) -> Option<()> {
    let members: Vec<&Site> = sites.iter().filter(|site| site.is_member).collect();
    let value = root.pointer_mut(&random.one(&members)?.pointer)?;
    *value = match value.take() {
        Json::Array(items) => items.into_iter().next().unwrap_or(Json::Null),
        single => json!([single]),
    };
    Some(())
}

fn wrong_type(random: &mut Random, sites: &[Site], root: &mut Json) -> Option<()> {
    let value = root.pointer_mut(&random.one(sites)?.pointer)?;
    let others = [json!(7), json!("text"), json!(true), json!({"id": "x"}), json!(1.5), json!(-1), json!("7")];
    *value = random.one(&others)?.clone();
    Some(())
}

fn text(
    random: &mut Random,
    sites: &[Site],
    root: &mut Json,
    wanted: impl Fn(&Site) -> bool,
    texts: &[&str],
) -> Option<()> {
    let is_text = |site: &&Site| wanted(site) && root.pointer(&site.pointer).is_some_and(Json::is_string);
    let found: Vec<&Site> = sites.iter().filter(is_text).collect();
    *root.pointer_mut(&random.one(&found)?.pointer)? = json!(random.one(texts)?);
    Some(())
}

fn wrong_text(random: &mut Random, sites: &[Site], root: &mut Json) -> Option<()> {
    text(random, sites, root, |site| site.type_name != "xhtml", &TEXTS)
}

fn is_temporal(site: &Site) -> bool {
    matches!(site.type_name.as_str(), "date" | "dateTime" | "instant" | "time")
}

fn is_uri(site: &Site) -> bool {
    matches!(site.type_name.as_str(), "uri" | "url" | "canonical" | "oid" | "uuid")
}

fn choice<'s>(random: &mut Random, sites: &'s [Site]) -> Option<(&'s Site, String)> {
    let choices: Vec<&Site> = sites.iter().filter(|site| site.is_member && site.choice.is_some()).collect();
    let site = *random.one(&choices)?;
    let other = if random.below(4) == 0 { "Money" } else { random.one(&site.types)? };
    let (first, rest) = other.split_at_checked(1)?;
    Some((site, format!("{}{}{rest}", site.choice.as_deref()?, first.to_uppercase())))
}

fn wrong_choice(random: &mut Random, sites: &[Site], root: &mut Json) -> Option<()> {
    let (site, key) = choice(random, sites)?;
    let (parent, last) = site.pointer.rsplit_once('/')?;
    let object = root.pointer_mut(parent)?.as_object_mut()?;
    let value = object.remove(last)?;
    object.insert(key, value);
    Some(())
}

fn two_choices(random: &mut Random, sites: &[Site], root: &mut Json) -> Option<()> {
    let (site, key) = choice(random, sites)?;
    let (parent, last) = site.pointer.rsplit_once('/')?;
    let object = root.pointer_mut(parent)?.as_object_mut()?;
    let value = object.get(last)?.clone();
    object.insert(key, value);
    Some(())
}

fn empty(random: &mut Random, sites: &[Site], root: &mut Json) -> Option<()> {
    let value = root.pointer_mut(&random.one(sites)?.pointer)?;
    *value = random.one(&[json!(null), json!(""), json!({}), json!([]), json!([null]), json!([{}])])?.clone();
    Some(())
}

fn twice(random: &mut Random, sites: &[Site], root: &mut Json) -> Option<()> {
    let lists: Vec<&Site> =
        sites.iter().filter(|site| root.pointer(&site.pointer).is_some_and(Json::is_array)).collect();
    let items = root.pointer_mut(&random.one(&lists)?.pointer)?.as_array_mut()?;
    let again = random.one(items)?.clone();
    items.push(again);
    Some(())
}

fn extension(random: &mut Random, sites: &[Site], root: &mut Json) -> Option<()> {
    let extensions = [
        json!({"url": "http://fhir.nowhere.nhs.uk/unknown", "valueString": "x"}),
        json!({"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace", "valueAddress": {"city": "x"}}),
        json!({"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}),
        json!({"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueString": "unknown"}),
        json!({"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": "x"}),
        json!({"valueString": "without url"}),
        json!({"url": "relative", "valueString": "x"}),
        json!({"url": "http://hl7.org/fhir/StructureDefinition/originalText"}),
    ];
    let chosen = random.one(&extensions)?.clone();
    add(object(random, sites, root)?, "extension", chosen)
}

fn modifier_extension(random: &mut Random, sites: &[Site], root: &mut Json) -> Option<()> {
    let extensions = [
        json!({"url": "http://fhir.nowhere.nhs.uk/unknown", "valueBoolean": true}),
        json!({"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}),
    ];
    let chosen = random.one(&extensions)?.clone();
    add(object(random, sites, root)?, "modifierExtension", chosen)
}

fn add(object: &mut serde_json::Map<String, Json>, key: &str, item: Json) -> Option<()> {
    let list = object.entry(key).or_insert_with(|| json!([]));
    list.as_array_mut()?.push(item);
    Some(())
}

fn narrative(random: &mut Random, _: &[Site], root: &mut Json) -> Option<()> {
    let inner = [
        "<script>x()</script>",
        "<p onclick=\"x()\">x</p>",
        "<a href=\"javascript:x()\">x</a>",
        "",
        " ",
        "<p>unclosed",
        "<p class=\"x\">fine</p>",
        "<iframe src=\"http://example.org\"/>",
        "<p style=\"color:red\">x</p>",
        "&nbsp;x&copy;",
        "<img src=\"#x\" alt=\"x\"/>",
        "<form><input/></form>",
        "<table><tr><td>x</td></tr></table>",
        "<b>x</b>&unknown;",
    ];
    let chosen = random.one(&inner)?;
    let div = match random.below(8) {
        0 => format!("<div>{chosen}</div>"),
        1 => format!("<p xmlns=\"http://www.w3.org/1999/xhtml\">{chosen}</p>"),
        _ => format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{chosen}</div>"),
    };
    let status = random.one(&["generated", "additional", "extensions", "empty"])?;
    root.as_object_mut()?.insert("text".to_owned(), json!({"status": status, "div": div}));
    Some(())
}

/// A member of one object is put into another.
fn moved(random: &mut Random, sites: &[Site], root: &mut Json) -> Option<()> {
    let members: Vec<&Site> = sites.iter().filter(|site| site.is_member).collect();
    let site = *random.one(&members)?;
    let value = root.pointer(&site.pointer)?.clone();
    object(random, sites, root)?.insert(site.key.clone(), value);
    Some(())
}

fn harmless(random: &mut Random, sites: &[Site], root: &mut Json) -> Option<()> {
    match random.below(4) {
        0 => {
            let known =
                json!({"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"});
            let root = root.as_object_mut()?;
            root.insert("_language".to_owned(), json!({"extension": [known]}));
        }
        1 => {
            let root = root.as_object_mut()?;
            let meta = root.entry("meta").or_insert_with(|| json!({}));
            meta.as_object_mut()?.insert("tag".to_owned(), json!([{"system": "http://example.org/tags", "code": "x"}]));
        }
        2 => {
            let number = random.below(1_000_000);
            object(random, &sites[..sites.len().min(30)], root)?
                .entry("id")
                .or_insert_with(|| json!(format!("m{number}")));
        }
        _ => {
            root.as_object_mut()?.insert("implicitRules".to_owned(), json!("http://example.org/rules"));
        }
    }
    Some(())
}
