//! The facts of a [ValueSet](https://hl7.org/fhir/R4/valueset.html): which systems, codes and filters it is made of.

use std::collections::{BTreeMap, BTreeSet};

use super::writer::ObjectWriter;
use super::{Resources, code_system};
use crate::json::{Document, Value};

/// Resources of a package by canonical.
type ByCanonical<'d> = BTreeMap<String, &'d Document<'d>>;

/// The value sets that `bound` leads to, and the code systems we may carry that these are made of.
pub(super) fn reached<'d>(resources: &Resources<'d>, bound: BTreeSet<String>) -> (ByCanonical<'d>, ByCanonical<'d>) {
    let mut value_sets = BTreeMap::new();
    let mut systems = BTreeMap::new();
    let mut pending: Vec<String> = bound.into_iter().collect();
    while let Some(canonical) = pending.pop() {
        let url = canonical.split('|').next().unwrap_or_default();
        let Some(value_set) = resources.get("ValueSet", url) else { continue };
        if value_sets.insert(url.to_owned(), value_set).is_some() {
            continue;
        }
        for part in ["include", "exclude"].into_iter().flat_map(|key| parts(value_set.root(), key)) {
            let imports = part.get("valueSet").into_iter().flat_map(Value::items);
            pending.extend(imports.filter_map(Value::as_str).map(std::borrow::Cow::into_owned));
            let Some(system) = part.str_at(&["system"]) else { continue };
            let held = resources.get("CodeSystem", &system);
            if let Some(found) = held.filter(|found| code_system::is_carried(resources, found.root())) {
                systems.insert(system.into_owned(), found);
            }
        }
    }
    (value_sets, systems)
}

/// One line of a pack.
pub(super) fn facts(resources: &Resources<'_>, value_set: Value<'_>) -> String {
    let mut line = String::new();
    let mut object = ObjectWriter::begin(&mut line);
    object.copy(value_set, &["resourceType", "url", "version"]);
    let mut compose = ObjectWriter::begin(object.key("compose"));
    for key in ["include", "exclude"] {
        compose.array(key, parts(value_set, key), |part, out| part_facts(resources, part, out));
    }
    compose.end();
    object.end();
    line
}

fn parts<'v>(value_set: Value<'v>, key: &str) -> impl Iterator<Item = Value<'v>> + use<'v> {
    value_set.at(&["compose", key]).into_iter().flat_map(Value::items)
}

/// Codes of systems that are not HL7's are not copied, which leaves "some codes of that system".
fn part_facts(resources: &Resources<'_>, part: Value<'_>, out: &mut String) {
    let mut object = ObjectWriter::begin(out);
    object.copy(part, &["system", "version", "valueSet"]);
    let items = |key| part.get(key).into_iter().flat_map(Value::items);
    let ours = part.str_at(&["system"]).is_some_and(|system| resources.may_copy(&system));
    object.array("concept", items("concept").filter(|_| ours), |concept, out| {
        let mut object = ObjectWriter::begin(out);
        object.copy(concept, &["code"]);
        object.end();
    });
    object.array("filter", items("filter"), |filter, out| {
        let mut object = ObjectWriter::begin(out);
        object.copy(filter, &["property", "op", "value"]);
        object.end();
    });
    object.end();
}
