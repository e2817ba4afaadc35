//! One [ElementDefinition](https://hl7.org/fhir/R4/elementdefinition.html). What a differential leaves out is `None` or
//! empty: it stays as it is in the definition this one starts from.

use crate::definition::{Constant, items_of, strings, text};
use crate::json::{Kind, Value};

const EXTENSIONS: &str = "http://hl7.org/fhir/StructureDefinition/";
const ADDITIONAL: &str = "http://hl7.org/fhir/tools/StructureDefinition/additional-binding";

#[derive(Debug, Clone, Default)]
pub(crate) struct ElementDefinition {
    /// The path with the names of slices: `Patient.identifier:nhs.system`.
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) slice_name: Option<String>,
    pub(crate) slicing: Option<Slicing>,
    pub(crate) min: Option<u32>,
    pub(crate) max: Option<Max>,
    /// Path, minimum and maximum of the element where it was introduced; set when a snapshot is made.
    pub(crate) base: Option<(String, u32, Max)>,
    /// Not an object of its own: `id`, `Extension.url` and the value of a primitive.
    pub(crate) is_attribute: bool,
    pub(crate) types: Vec<ElementType>,
    pub(crate) fixed: Option<Typed>,
    pub(crate) pattern: Option<Typed>,
    pub(crate) min_value: Option<Typed>,
    pub(crate) max_value: Option<Typed>,
    pub(crate) max_length: Option<u32>,
    /// The path of the element whose content this one has.
    pub(crate) content_reference: Option<String>,
    pub(crate) binding: Option<Binding>,
    pub(crate) constraints: Vec<Invariant>,
    pub(crate) is_modifier: Option<bool>,
}

/// `ElementDefinition.max`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Max {
    Count(u32),
    Many,
}

/// A constant with the name of its type, which the key under which it stood ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) type_name: String,
    pub(crate) value: Constant,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ElementType {
    /// Name of a FHIR type.
    pub(crate) code: String,
    /// The value itself, which `FHIRPath` has a type for: it has no extensions.
    pub(crate) is_system: bool,
    pub(crate) profiles: Vec<String>,
    pub(crate) target_profiles: Vec<String>,
    pub(crate) aggregation: Vec<Aggregation>,
    pub(crate) versioning: Option<Versioning>,
}

/// How a reference may reach its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregation {
    Contained,
    Referenced,
    Bundled,
}

/// Whether a reference names a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Versioning {
    Either,
    Independent,
    Specific,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) strength: Strength,
    /// Canonical, perhaps with `|version`; a binding may name none.
    pub(crate) value_set: Option<String>,
    /// The extension maxValueSet: codes outside are errors whatever the strength.
    pub(crate) max_value_set: Option<String>,
    /// Additional bindings: purpose and value set.
    pub(crate) additional: Vec<(String, String)>,
}

/// [Strength](https://hl7.org/fhir/R4/terminologies.html#strength) of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    Example,
    Preferred,
    Extensible,
    Required,
}

/// A [constraint](https://hl7.org/fhir/R4/conformance-rules.html#constraints) on an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invariant {
    pub(crate) key: String,
    pub(crate) is_error: bool,
    /// `FHIRPath`; a constraint may be in words only.
    pub(crate) expression: Option<String>,
}

/// [Slicing](https://hl7.org/fhir/R4/profiling.html#slicing) of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slicing {
    pub(crate) discriminators: Vec<Discriminator>,
    pub(crate) ordered: bool,
    pub(crate) rules: SlicingRules,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Discriminator {
    pub(crate) kind: DiscriminatorKind,
    /// Restricted `FHIRPath`, such as `$this` or `coding.system`.
    pub(crate) path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiscriminatorKind {
    Value,
    Exists,
    Pattern,
    Type,
    Profile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlicingRules {
    Open,
    Closed,
    OpenAtEnd,
}

impl ElementDefinition {
    pub(crate) fn read(element: Value<'_>) -> Option<Self> {
        let number = |key| element.get(key).and_then(Value::as_number).and_then(|digits| digits.parse().ok());
        let path = text(element, "path")?;
        let reference = text(element, "contentReference");
        let max = text(element, "max");
        Some(Self {
            id: text(element, "id").unwrap_or_else(|| path.clone()),
            path,
            slice_name: text(element, "sliceName"),
            slicing: element.get("slicing").map(Slicing::read),
            min: number("min"),
            max: max.map(|max| max.parse().map_or(Max::Many, Max::Count)),
            base: None,
            is_attribute: strings(element, "representation").any(|item| item == "xmlAttr"),
            types: items_of(element, "type", ElementType::read).collect(),
            fixed: Typed::read(element, "fixed"),
            pattern: Typed::read(element, "pattern"),
            min_value: Typed::read(element, "minValue"),
            max_value: Typed::read(element, "maxValue"),
            max_length: number("maxLength"),
            // `#Questionnaire.item`, or with the canonical of the definition before the `#`.
            content_reference: reference.and_then(|uri| uri.split_once('#').map(|(_, path)| path.to_owned())),
            binding: element.get("binding").and_then(Binding::read),
            constraints: items_of(element, "constraint", Invariant::read).collect(),
            is_modifier: element.get("isModifier").and_then(Value::as_bool),
        })
    }

    /// The last part of the path, with `[x]` where the element has it.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }
}

impl Typed {
    fn read(element: Value<'_>, start: &str) -> Option<Self> {
        let ends = |key: &str| key.strip_prefix(start).is_some_and(|end| end.starts_with(|c: char| c.is_uppercase()));
        let member = element.children().find(|member| member.key().is_some_and(|key| ends(&key)))?;
        let type_name = member.key()?.strip_prefix(start)?.to_owned();
        Some(Self { type_name, value: Constant::read(member) })
    }
}

impl ElementType {
    fn read(element_type: Value<'_>) -> Option<Self> {
        let mut extensions = items_of(element_type, "extension", Some);
        // Where the code names a FHIRPath type, the extension names the FHIR type.
        let fhir_type = extensions
            .find(|extension| is_extension(*extension, "structuredefinition-fhir-type"))
            .and_then(|extension| text(extension, "valueUrl").or_else(|| text(extension, "valueUri")));
        let aggregation = |item: String| match item.as_str() {
            "contained" => Some(Aggregation::Contained),
            "referenced" => Some(Aggregation::Referenced),
            "bundled" => Some(Aggregation::Bundled),
            _ => None,
        };
        Some(Self {
            is_system: text(element_type, "code").is_some_and(|code| code.starts_with("http://hl7.org/fhirpath/")),
            code: fhir_type.or_else(|| text(element_type, "code"))?,
            profiles: strings(element_type, "profile").collect(),
            target_profiles: strings(element_type, "targetProfile").collect(),
            aggregation: strings(element_type, "aggregation").filter_map(aggregation).collect(),
            versioning: match text(element_type, "versioning").as_deref() {
                Some("either") => Some(Versioning::Either),
                Some("independent") => Some(Versioning::Independent),
                Some("specific") => Some(Versioning::Specific),
                _ => None,
            },
        })
    }
}

fn is_extension(extension: Value<'_>, name: &str) -> bool {
    extension.str_at(&["url"]).is_some_and(|url| url.strip_prefix(EXTENSIONS) == Some(name))
}

impl Binding {
    pub(crate) fn read(binding: Value<'_>) -> Option<Self> {
        let strength = match text(binding, "strength")?.as_str() {
            "required" => Strength::Required,
            "extensible" => Strength::Extensible,
            "preferred" => Strength::Preferred,
            _ => Strength::Example,
        };
        let extensions = || items_of(binding, "extension", Some);
        let canonical = |extension| text(extension, "valueCanonical").or_else(|| text(extension, "valueUri"));
        let extended = || {
            extensions().find(|extension| is_extension(*extension, "elementdefinition-maxValueSet")).and_then(canonical)
        };
        let part = |extension: Value<'_>, name: &str| {
            let found = items_of(extension, "extension", Some).find(|part| text(*part, "url").as_deref() == Some(name));
            found
                .and_then(|part| {
                    part.children().find(|member| member.key().is_some_and(|key| key.starts_with("value")))
                })
                .and_then(|value| value.as_str().map(String::from))
        };
        let in_extension = extensions()
            .filter(|extension| extension.str_at(&["url"]).as_deref() == Some(ADDITIONAL))
            .filter_map(|extension| Some((part(extension, "purpose")?, part(extension, "valueSet")?)));
        let listed = items_of(binding, "additional", |item| Some((text(item, "purpose")?, text(item, "valueSet")?)));
        Some(Self {
            strength,
            value_set: text(binding, "valueSet"),
            max_value_set: text(binding, "maxValueSet").or_else(extended),
            additional: listed.chain(in_extension).collect(),
        })
    }

    /// The canonical of the value set as it is written, perhaps with a version.
    pub(crate) fn value_set_url(&self) -> Option<&str> {
        self.value_set.as_deref()
    }
}

impl Strength {
    /// The code FHIR gives it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Example => "example",
            Self::Preferred => "preferred",
            Self::Extensible => "extensible",
            Self::Required => "required",
        }
    }
}

impl Invariant {
    fn read(constraint: Value<'_>) -> Option<Self> {
        Some(Self {
            key: text(constraint, "key")?,
            is_error: constraint.str_at(&["severity"]).as_deref() != Some("warning"),
            expression: text(constraint, "expression"),
        })
    }
}

impl Slicing {
    fn read(slicing: Value<'_>) -> Self {
        Self {
            discriminators: items_of(slicing, "discriminator", Discriminator::read).collect(),
            ordered: slicing.get("ordered").and_then(Value::as_bool) == Some(true),
            rules: match slicing.str_at(&["rules"]).as_deref() {
                Some("closed") => SlicingRules::Closed,
                Some("openAtEnd") => SlicingRules::OpenAtEnd,
                _ => SlicingRules::Open,
            },
        }
    }
}

impl Discriminator {
    fn read(discriminator: Value<'_>) -> Option<Self> {
        if discriminator.kind() != Kind::Object {
            return None;
        }
        let kind = match discriminator.str_at(&["type"]).as_deref() {
            Some("exists") => DiscriminatorKind::Exists,
            Some("pattern") => DiscriminatorKind::Pattern,
            Some("type") => DiscriminatorKind::Type,
            Some("profile") => DiscriminatorKind::Profile,
            _ => DiscriminatorKind::Value,
        };
        Some(Self { kind, path: text(discriminator, "path").unwrap_or_else(|| "$this".to_owned()) })
    }
}
