//! What two snapshots are compared by, element by element.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";

/// What the comparison looks at: everything that decides validity. Left out are texts, mappings, the order of
/// constraints, and the slicing of extensions by url, which is implied.
fn facts(element: &Json) -> BTreeMap<String, Json> {
    let mut facts = BTreeMap::new();
    for key in ["id", "path", "sliceName", "min", "max", "maxLength", "contentReference"] {
        if !element[key].is_null() {
            facts.insert(key.to_owned(), element[key].clone());
        }
    }
    let path = element["path"].as_str().unwrap_or_default();
    if !element["slicing"].is_null() && !path.ends_with("xtension") {
        let slicing = &element["slicing"];
        facts.insert("slicing".to_owned(), json!([slicing["discriminator"], slicing["rules"]]));
    }
    for (key, value) in element.as_object().into_iter().flatten() {
        if ["fixed", "pattern", "minValue", "maxValue"].iter().any(|start| key.starts_with(start)) {
            facts.insert(key.clone(), without_display(value));
        }
    }
    let types = element["type"].as_array().into_iter().flatten().map(type_facts).collect::<Vec<_>>();
    facts.insert("type".to_owned(), json!(types));
    if let Some(binding) = element["binding"].as_object() {
        facts.insert("binding".to_owned(), json!([binding["strength"], binding.get("valueSet")]));
    }
    let mut keys: Vec<&Json> = element["constraint"].as_array().into_iter().flatten().map(|c| &c["key"]).collect();
    keys.sort_by_key(std::string::ToString::to_string);
    facts.insert("constraint".to_owned(), json!(keys));
    facts
}

fn type_facts(found: &Json) -> Json {
    let extension = found["extension"].as_array().into_iter().flatten().find(|found| found["url"] == FHIR_TYPE);
    let code = extension.map_or(&found["code"], |extension| &extension["valueUrl"]);
    json!([code, found["profile"], found["targetProfile"], found["aggregation"]])
}

/// Displays are no facts that a pack holds.
fn without_display(value: &Json) -> Json {
    match value {
        Json::Object(members) => {
            members.iter().filter(|(key, _)| *key != "display").map(|(k, v)| (k.clone(), without_display(v))).collect()
        }
        Json::Array(items) => items.iter().map(without_display).collect(),
        other => other.clone(),
    }
}

pub(crate) fn elements(definition: &Json) -> BTreeMap<String, BTreeMap<String, Json>> {
    let list = definition["snapshot"]["element"].as_array();
    list.into_iter()
        .flatten()
        .map(|element| (element["id"].as_str().unwrap_or_default().to_owned(), facts(element)))
        .collect()
}

/// How many elements of a published snapshot ours has as they are, of how many, and what is different: one line a facet.
pub(crate) fn compare(url: &str, ours: &Json, theirs: &Json, different: &mut Vec<String>) -> (usize, usize) {
    let (ours, theirs) = (elements(ours), elements(theirs));
    let mut equal = 0;
    for (id, theirs) in &theirs {
        match ours.get(id) {
            Some(ours) if ours == theirs => equal += 1,
            Some(ours) => {
                let keys = theirs.keys().chain(ours.keys());
                let mut keys: Vec<&String> = keys.filter(|key| ours.get(*key) != theirs.get(*key)).collect();
                keys.dedup();
                for key in keys {
                    let value = |facts: &BTreeMap<String, Json>| facts.get(key).map_or("-".to_owned(), Json::to_string);
                    different.push(format!("{url} {id} {key}: {} not {}", value(ours), value(theirs)));
                }
            }
            None => different.push(format!("{url} {id}: missing")),
        }
    }
    different.extend(ours.keys().filter(|id| !theirs.contains_key(*id)).map(|id| format!("{url} {id}: too many")));
    (equal, theirs.len())
}
