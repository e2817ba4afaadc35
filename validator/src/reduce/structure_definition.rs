//! The facts of a [StructureDefinition](https://hl7.org/fhir/R4/structuredefinition.html): a type, a profile or the
//! definition of an extension.
//!
//! Kept is what it introduces or changes, as its differential says it; the rest is read from the definition it starts
//! from. Words for people are left out, and so are displays inside fixed values and patterns.

use std::collections::BTreeSet;

use super::writer::ObjectWriter;
use crate::definition::{Binding, Derivation, Strength};
use crate::definition::{compact, derivation, own_elements};
use crate::json::{Kind, Value};
use crate::pack::PackError;

const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";

/// The value sets that definitions name.
#[derive(Default)]
pub(super) struct Bound {
    /// By bindings that are checked.
    pub(super) checked: BTreeSet<String>,
    /// By bindings that only advise: codes are still those of their systems.
    pub(super) advised: BTreeSet<String>,
}

/// One line of a pack. The value sets of its bindings are added to `bound`.
pub(super) fn facts(definition: Value<'_>, bound: &mut Bound) -> Result<String, PackError> {
    let url = definition.str_at(&["url"]).unwrap_or_default();
    let incomplete = |what| PackError::Incomplete { definition: url.clone().into_owned(), what };
    let mut own = own_elements(definition);
    if own.is_empty() {
        // A profile may be published with its snapshot only.
        own = definition.at(&["snapshot", "element"]).into_iter().flat_map(Value::items).collect();
    }
    if own.is_empty() && derivation(definition) == Derivation::Specialization {
        return Err(incomplete("snapshot"));
    }
    let mut line = String::new();
    let mut object = ObjectWriter::begin(&mut line);
    let plain = ["resourceType", "url", "version", "kind", "abstract", "type", "baseDefinition", "derivation"];
    object.copy(definition, &plain);
    object.array("context", items(definition, "context"), |context, out| {
        let mut object = ObjectWriter::begin(out);
        object.copy(context, &["type", "expression"]);
        object.end();
    });
    object.copy(definition, &["contextInvariant"]);
    object.array("element", own.iter().copied(), element_facts);
    object.end();
    for binding in own.iter().filter_map(|element| element.get("binding").and_then(Binding::read)) {
        if binding.strength >= Strength::Extensible {
            bound.checked.extend(binding.value_set);
        } else {
            bound.advised.extend(binding.value_set);
        }
        bound.checked.extend(binding.max_value_set);
        bound.checked.extend(binding.additional.into_iter().map(|(_, value_set)| value_set));
    }
    Ok(line)
}

fn items<'v>(object: Value<'v>, key: &str) -> impl Iterator<Item = Value<'v>> + use<'v> {
    object.get(key).into_iter().flat_map(Value::items)
}

fn element_facts(element: Value<'_>, out: &mut String) {
    let mut object = ObjectWriter::begin(out);
    // An id is a fact only where it says more than the path does.
    if element.str_at(&["id"]) != element.str_at(&["path"]) {
        object.copy(element, &["id"]);
    }
    object.copy(element, &["path", "sliceName", "min", "max", "representation", "contentReference", "maxLength"]);
    if let Some(slicing) = element.get("slicing") {
        let mut facts = ObjectWriter::begin(object.key("slicing"));
        facts.array("discriminator", items(slicing, "discriminator"), |discriminator, out| {
            let mut object = ObjectWriter::begin(out);
            object.copy(discriminator, &["type", "path"]);
            object.end();
        });
        facts.copy(slicing, &["ordered", "rules"]);
        facts.end();
    }
    for member in element.children() {
        let key = member.key().unwrap_or_default();
        if ["minValue", "maxValue", "fixed", "pattern"].iter().any(|start| key.starts_with(start)) {
            compact_without_display(member, object.key(&key));
        }
    }
    object.array("type", items(element, "type"), type_facts);
    object.array("constraint", items(element, "constraint"), |constraint, out| {
        let mut object = ObjectWriter::begin(out);
        object.copy(constraint, &["key", "severity", "expression"]);
        object.end();
    });
    if let Some(found) = element.get("binding") {
        binding_facts(found, object.key("binding"));
    }
    if element.get("isModifier").and_then(Value::as_bool) == Some(true) {
        object.copy(element, &["isModifier"]);
    }
    object.end();
}

fn binding_facts(found: Value<'_>, out: &mut String) {
    let mut facts = ObjectWriter::begin(out);
    facts.copy(found, &["strength", "valueSet"]);
    if let Some(binding) = Binding::read(found) {
        if let Some(most) = &binding.max_value_set {
            super::push_string(facts.key("maxValueSet"), most);
        }
        facts.array("additional", binding.additional.iter(), |(purpose, value_set), out| {
            let mut object = ObjectWriter::begin(out);
            super::push_string(object.key("purpose"), purpose);
            super::push_string(object.key("valueSet"), value_set);
            object.end();
        });
    }
    facts.end();
}

/// A value without the displays of codes: another body's words.
fn compact_without_display(value: Value<'_>, out: &mut String) {
    match value.kind() {
        Kind::Array => {
            out.push('[');
            for (index, item) in value.children().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                compact_without_display(item, out);
            }
            out.push(']');
        }
        Kind::Object => {
            let mut object = ObjectWriter::begin(out);
            for member in value.children() {
                let key = member.key().unwrap_or_default();
                if key != "display" {
                    compact_without_display(member, object.key(&key));
                }
            }
            object.end();
        }
        _ => compact(value, out),
    }
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
    object.copy(element_type, &["code", "profile", "targetProfile", "aggregation", "versioning"]);
    object.end();
}
