//! Prints a snapshot as a [StructureDefinition](https://hl7.org/fhir/R4/structuredefinition.html) in one line of JSON:
//! facts only, no words.

use super::Snapshot;
use crate::definition::{
    Aggregation, Binding, Derivation, DiscriminatorKind, ElementDefinition, ElementType, Kind, Max, SlicingRules,
    StructureDefinition, Typed, Versioning,
};
use crate::reduce::{ObjectWriter, push_string};

const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";
const MAX_VALUE_SET: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet";

/// The definition with its snapshot.
pub(crate) fn write(definition: &StructureDefinition, snapshot: &Snapshot) -> String {
    let mut text = String::new();
    let mut object = ObjectWriter::begin(&mut text);
    string(&mut object, "resourceType", "StructureDefinition");
    string(&mut object, "url", &definition.url);
    if let Some(version) = &definition.version {
        string(&mut object, "version", version);
    }
    let kind = match definition.kind {
        Kind::Primitive => "primitive-type",
        Kind::Complex => "complex-type",
        Kind::Resource => "resource",
        Kind::Logical => "logical",
    };
    string(&mut object, "kind", kind);
    object.key("abstract").push_str(if definition.is_abstract { "true" } else { "false" });
    string(&mut object, "type", &definition.type_name);
    if let Some(base) = &definition.base {
        string(&mut object, "baseDefinition", base);
    }
    let constrains = definition.derivation == Derivation::Constraint;
    string(&mut object, "derivation", if constrains { "constraint" } else { "specialization" });
    let mut list = ObjectWriter::begin(object.key("snapshot"));
    list.array("element", snapshot.root.list().iter(), element);
    list.end();
    object.end();
    text
}

fn string(object: &mut ObjectWriter<'_>, key: &str, text: &str) {
    push_string(object.key(key), text);
}

fn element(element: &ElementDefinition, out: &mut String) {
    let mut object = ObjectWriter::begin(out);
    string(&mut object, "id", &element.id);
    string(&mut object, "path", &element.path);
    if element.is_attribute {
        object.key("representation").push_str("[\"xmlAttr\"]");
    }
    if let Some(name) = &element.slice_name {
        string(&mut object, "sliceName", name);
    }
    if let Some(slicing) = &element.slicing {
        let mut facts = ObjectWriter::begin(object.key("slicing"));
        facts.array("discriminator", slicing.discriminators.iter(), |found, out| {
            let mut object = ObjectWriter::begin(out);
            string(&mut object, "type", kind(found.kind));
            string(&mut object, "path", &found.path);
            object.end();
        });
        facts.key("ordered").push_str(if slicing.ordered { "true" } else { "false" });
        let rules = match slicing.rules {
            SlicingRules::Open => "open",
            SlicingRules::Closed => "closed",
            SlicingRules::OpenAtEnd => "openAtEnd",
        };
        string(&mut facts, "rules", rules);
        facts.end();
    }
    cardinality(&mut object, element.min, element.max);
    if let Some((path, min, max)) = &element.base {
        let mut base = ObjectWriter::begin(object.key("base"));
        string(&mut base, "path", path);
        cardinality(&mut base, Some(*min), Some(*max));
        base.end();
    }
    if let Some(reference) = &element.content_reference {
        string(&mut object, "contentReference", &format!("#{reference}"));
    }
    object.array("type", element.types.iter(), element_type);
    for (start, value) in [("fixed", &element.fixed), ("pattern", &element.pattern)] {
        typed(&mut object, start, value.as_ref());
    }
    typed(&mut object, "minValue", element.min_value.as_ref());
    typed(&mut object, "maxValue", element.max_value.as_ref());
    if let Some(most) = element.max_length {
        object.key("maxLength").push_str(&most.to_string());
    }
    object.array("constraint", element.constraints.iter(), |constraint, out| {
        let mut object = ObjectWriter::begin(out);
        string(&mut object, "key", &constraint.key);
        string(&mut object, "severity", if constraint.is_error { "error" } else { "warning" });
        if let Some(expression) = &constraint.expression {
            string(&mut object, "expression", expression);
        }
        object.end();
    });
    if element.is_modifier == Some(true) {
        object.key("isModifier").push_str("true");
    }
    if let Some(found) = &element.binding {
        binding(found, object.key("binding"));
    }
    object.end();
}

fn kind(kind: DiscriminatorKind) -> &'static str {
    match kind {
        DiscriminatorKind::Value => "value",
        DiscriminatorKind::Exists => "exists",
        DiscriminatorKind::Pattern => "pattern",
        DiscriminatorKind::Type => "type",
        DiscriminatorKind::Profile => "profile",
    }
}

fn cardinality(object: &mut ObjectWriter<'_>, min: Option<u32>, max: Option<Max>) {
    if let Some(min) = min {
        object.key("min").push_str(&min.to_string());
    }
    match max {
        Some(Max::Many) => string(object, "max", "*"),
        Some(Max::Count(most)) => string(object, "max", &most.to_string()),
        None => {}
    }
}

fn typed(object: &mut ObjectWriter<'_>, start: &str, value: Option<&Typed>) {
    if let Some(Typed { type_name, value }) = value {
        value.write(object.key(&format!("{start}{type_name}")));
    }
}

fn element_type(found: &ElementType, out: &mut String) {
    let mut object = ObjectWriter::begin(out);
    if found.is_system {
        object.array("extension", std::iter::once(found), |found, out| {
            let mut object = ObjectWriter::begin(out);
            string(&mut object, "url", FHIR_TYPE);
            string(&mut object, "valueUrl", &found.code);
            object.end();
        });
        string(&mut object, "code", "http://hl7.org/fhirpath/System.String");
    } else {
        string(&mut object, "code", &found.code);
    }
    let text = |text: &String, out: &mut String| push_string(out, text);
    object.array("profile", found.profiles.iter(), text);
    object.array("targetProfile", found.target_profiles.iter(), text);
    object.array("aggregation", found.aggregation.iter(), |aggregation, out| {
        let name = match aggregation {
            Aggregation::Contained => "contained",
            Aggregation::Referenced => "referenced",
            Aggregation::Bundled => "bundled",
        };
        push_string(out, name);
    });
    if let Some(versioning) = found.versioning {
        let name = match versioning {
            Versioning::Either => "either",
            Versioning::Independent => "independent",
            Versioning::Specific => "specific",
        };
        string(&mut object, "versioning", name);
    }
    object.end();
}

fn binding(binding: &Binding, out: &mut String) {
    let mut object = ObjectWriter::begin(out);
    object.array("extension", binding.max_value_set.iter(), |most, out| {
        let mut object = ObjectWriter::begin(out);
        string(&mut object, "url", MAX_VALUE_SET);
        string(&mut object, "valueCanonical", most);
        object.end();
    });
    string(&mut object, "strength", binding.strength.as_str());
    if let Some(value_set) = &binding.value_set {
        string(&mut object, "valueSet", value_set);
    }
    object.end();
}
