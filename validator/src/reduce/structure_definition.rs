//! The facts of a [StructureDefinition](https://hl7.org/fhir/R4/structuredefinition.html) that introduces a type.
//!
//! Elements inherited unchanged are left out: they are read from the base type when definitions are compiled.

use std::collections::BTreeSet;

use super::writer::ObjectWriter;
use crate::json::Value;
use crate::pack::PackError;

const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";

/// Whether this introduces a type that can stand in a resource, rather than constraining one.
pub(super) fn is_type(definition: Value<'_>) -> bool {
    let text = |key| definition.str_at(&[key]);
    text("derivation").as_deref() != Some("constraint") && text("kind").as_deref() != Some("logical")
}

/// One line of a pack. The value sets of checked bindings are added to `bound`.
pub(super) fn facts(definition: Value<'_>, bound: &mut BTreeSet<String>) -> Result<String, PackError> {
    let url = definition.str_at(&["url"]).unwrap_or_default();
    let incomplete = |what| PackError::Incomplete { definition: url.clone().into_owned(), what };
    let snapshot = definition.at(&["snapshot", "element"]).ok_or_else(|| incomplete("snapshot"))?;
    let changed: BTreeSet<_> = definition
        .at(&["differential", "element"])
        .into_iter()
        .flat_map(Value::items)
        .filter_map(|element| element.str_at(&["path"]))
        .collect();
    let introduced = |element: &Value<'_>| {
        let path = element.str_at(&["path"]);
        path == element.str_at(&["base", "path"]) || path.is_some_and(|path| changed.contains(&path))
    };

    let mut line = String::new();
    let mut object = ObjectWriter::begin(&mut line);
    object.copy(definition, &["resourceType", "url", "version", "kind", "abstract", "type", "baseDefinition"]);
    let own = || snapshot.items().filter(introduced);
    object.array("element", own(), |element, out| element_facts(&url, element, out));
    object.end();
    for element in own() {
        let strength = element.str_at(&["binding", "strength"]);
        if matches!(strength.as_deref(), Some("required" | "extensible")) {
            bound.extend(element.str_at(&["binding", "valueSet"]).map(std::borrow::Cow::into_owned));
        }
    }
    Ok(line)
}

fn element_facts(url: &str, element: Value<'_>, out: &mut String) {
    let mut object = ObjectWriter::begin(out);
    object.copy(element, &["path", "min", "max", "representation", "contentReference", "maxLength"]);
    for member in element.children() {
        let key = member.key().unwrap_or_default();
        if ["minValue", "maxValue", "fixed", "pattern"].iter().any(|start| key.starts_with(start)) {
            object.copy(element, &[&key]);
        }
    }
    let items = |key| element.get(key).into_iter().flat_map(Value::items);
    object.array("type", items("type"), type_facts);
    let own = items("constraint").filter(|constraint| {
        let source = constraint.str_at(&["source"]);
        source.is_none_or(|source| source == url)
    });
    object.array("constraint", own, |constraint, out| {
        let mut object = ObjectWriter::begin(out);
        object.copy(constraint, &["key", "severity", "expression"]);
        object.end();
    });
    if let Some(binding) = element.get("binding") {
        let mut facts = ObjectWriter::begin(object.key("binding"));
        facts.copy(binding, &["strength", "valueSet"]);
        facts.end();
    }
    if element.get("isModifier").and_then(Value::as_bool) == Some(true) {
        object.copy(element, &["isModifier"]);
    }
    object.end();
}

/// A type with its profiles. The FHIR type that stands behind a FHIRPath type is an extension of it.
fn type_facts(element_type: Value<'_>, out: &mut String) {
    let mut object = ObjectWriter::begin(out);
    let extensions = element_type.get("extension").into_iter().flat_map(Value::items);
    let fhir_type = extensions.filter(|extension| extension.str_at(&["url"]).as_deref() == Some(FHIR_TYPE));
    object.array("extension", fhir_type, |extension, out| {
        let mut object = ObjectWriter::begin(out);
        object.copy(extension, &["url", "valueUrl"]);
        object.end();
    });
    object.copy(element_type, &["code", "profile", "targetProfile"]);
    object.end();
}
