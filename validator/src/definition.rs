//! The parts of [StructureDefinition](https://hl7.org/fhir/R4/structuredefinition.html) and
//! [ElementDefinition](https://hl7.org/fhir/R4/elementdefinition.html) that are compiled, as a pack holds them.

use crate::json::Value;
use crate::pack::PackError;

/// What a definition introduces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Primitive,
    Complex,
    Resource,
}

/// A definition that introduces a type.
#[derive(Debug, Clone)]
pub(crate) struct StructureDefinition {
    pub(crate) url: String,
    pub(crate) kind: Kind,
    pub(crate) is_abstract: bool,
    pub(crate) type_name: String,
    /// Canonical of the type this one specialises.
    pub(crate) base: Option<String>,
    /// The root element, then those this type introduces or changes.
    pub(crate) elements: Vec<ElementDefinition>,
}

#[derive(Debug, Clone)]
pub(crate) struct ElementDefinition {
    pub(crate) path: String,
    pub(crate) min: u32,
    pub(crate) max: Max,
    /// Not an object of its own: `id`, `Extension.url` and the value of a primitive.
    pub(crate) is_attribute: bool,
    pub(crate) types: Vec<ElementType>,
    /// The path of the element whose content this one has.
    pub(crate) content_reference: Option<String>,
    pub(crate) binding: Option<Binding>,
    /// Keys of the invariants that this element introduces.
    pub(crate) invariants: Vec<String>,
}

/// `ElementDefinition.max`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Max {
    Count(u32),
    Many,
}

#[derive(Debug, Clone)]
pub(crate) struct ElementType {
    /// Name of a FHIR type.
    pub(crate) code: String,
    pub(crate) target_profiles: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Binding {
    pub(crate) strength: Strength,
    /// Canonical, without its version.
    pub(crate) value_set: String,
}

/// The strengths that say something about validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strength {
    Required,
    Extensible,
}

impl StructureDefinition {
    pub(crate) fn read(definition: Value<'_>) -> Result<Self, PackError> {
        let url = text(definition, "url").unwrap_or_default();
        let need = |key| text(definition, key).ok_or(PackError::Incomplete { definition: url.clone(), what: key });
        let kind = match need("kind")?.as_str() {
            "primitive-type" => Kind::Primitive,
            "resource" => Kind::Resource,
            _ => Kind::Complex,
        };
        let elements = items_of(definition, "element", ElementDefinition::read);
        Ok(Self {
            kind,
            is_abstract: definition.get("abstract").and_then(Value::as_bool) == Some(true),
            type_name: need("type")?,
            base: text(definition, "baseDefinition"),
            elements: elements.collect(),
            url,
        })
    }
}

impl ElementDefinition {
    fn read(element: Value<'_>) -> Option<Self> {
        let number = |key| element.get(key).and_then(Value::as_number).and_then(|digits| digits.parse().ok());
        let max = text(element, "max")?;
        let reference = text(element, "contentReference");
        Some(Self {
            path: text(element, "path")?,
            min: number("min").unwrap_or(0),
            max: max.parse().map_or(Max::Many, Max::Count),
            is_attribute: element
                .get("representation")
                .is_some_and(|list| list.items().any(|item| item.as_str().as_deref() == Some("xmlAttr"))),
            types: items_of(element, "type", ElementType::read).collect(),
            // `#Questionnaire.item`, or with the canonical of the definition before the `#`.
            content_reference: reference.and_then(|uri| uri.split_once('#').map(|(_, path)| path.to_owned())),
            binding: element.get("binding").and_then(Binding::read),
            invariants: items_of(element, "constraint", |constraint| text(constraint, "key")).collect(),
        })
    }

    /// The last part of the path, with `[x]` where the element has it.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }
}

impl ElementType {
    fn read(element_type: Value<'_>) -> Option<Self> {
        let extension = element_type.get("extension").and_then(|list| list.children().next());
        // Where the code names a FHIRPath type, the extension names the FHIR type.
        let fhir_type = extension.and_then(|extension| text(extension, "valueUrl"));
        Some(Self {
            code: fhir_type.or_else(|| text(element_type, "code"))?,
            target_profiles: items_of(element_type, "targetProfile", |target| {
                target.as_str().map(std::borrow::Cow::into_owned)
            })
            .collect(),
        })
    }
}

impl Binding {
    fn read(binding: Value<'_>) -> Option<Self> {
        let strength = match text(binding, "strength")?.as_str() {
            "required" => Strength::Required,
            "extensible" => Strength::Extensible,
            _ => return None,
        };
        let canonical = text(binding, "valueSet")?;
        let value_set = canonical.split('|').next().unwrap_or_default().to_owned();
        Some(Self { strength, value_set })
    }
}

fn text(object: Value<'_>, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(std::borrow::Cow::into_owned)
}

/// What `read` makes of each item of the array under `key`.
fn items_of<'v, T>(object: Value<'v>, key: &str, read: impl Fn(Value<'v>) -> Option<T>) -> impl Iterator<Item = T> {
    object.get(key).into_iter().flat_map(Value::items).filter_map(read)
}
