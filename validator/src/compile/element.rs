//! Compiles one [ElementDefinition](https://hl7.org/fhir/R4/elementdefinition.html): what it may contain, and under
//! which JSON keys it may stand (see [FHIR JSON](https://hl7.org/fhir/R4/json.html)).

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::Compiler;
use crate::definition::{ElementDefinition, ElementType, Kind, Max, Strength, StructureDefinition};
use crate::node::{Content, Element, ElementId, NodeId, Property, Role, Special, Type};
use crate::pack::PackError;
use crate::rules::format::Primitive;
use crate::rules::invariant;

impl<'d> Compiler<'d> {
    /// `path` is relative to the root of `definition`.
    pub(super) fn element(
        &self,
        definition: &'d StructureDefinition,
        path: &str,
        child: &'d ElementDefinition,
        slot: u8,
        scopes: &BTreeMap<&str, NodeId>,
    ) -> Result<Element, PackError> {
        let types = if let Some(reference) = &child.content_reference {
            let target = reference.split_once('.').and_then(|(_, path)| scopes.get(path));
            vec![content_of(*target.ok_or_else(|| unknown(definition, reference))?)]
        } else if let Some(&node) = scopes.get(path).filter(|_| !path.is_empty()) {
            vec![content_of(node)]
        } else {
            child
                .types
                .iter()
                .map(|element_type| self.element_type(definition, child, element_type))
                .collect::<Result<_, _>>()?
        };
        let name = child.name();
        let binding = child.binding.as_ref();
        // Of an element with children of its own, they are the node's.
        let is_scope = scopes.contains_key(path) && child.content_reference.is_none();
        let constraints = if is_scope { &[][..] } else { &child.constraints };
        Ok(Element {
            name: name.trim_end_matches("[x]").into(),
            slot,
            min: child.min.unwrap_or(0),
            max: child.max.unwrap_or(Max::Many),
            is_choice: name.ends_with("[x]"),
            invariants: invariant::compiled(constraints),
            types: types.into(),
            binding: binding
                .filter(|found| found.strength >= Strength::Extensible)
                .and_then(|found| Some((found.strength, *self.value_sets.get(found.value_set_url()?)?))),
        })
    }

    fn element_type(
        &self,
        definition: &StructureDefinition,
        child: &ElementDefinition,
        element_type: &ElementType,
    ) -> Result<Type, PackError> {
        let mut code = element_type.code.as_str();
        // R4 publishes `Resource.id` as a string, and says in its text that it is an id.
        if definition.kind == Kind::Resource && child.name() == "id" && !child.is_attribute {
            code = Primitive::ID;
        }
        let (target, node) = *self.types.get(code).ok_or_else(|| unknown(definition, code))?;
        let content = match target.kind {
            Kind::Resource => Content::Resource,
            Kind::Complex | Kind::Logical => Content::Object(node),
            Kind::Primitive => {
                let primitive = self.primitive(target).ok_or_else(|| unknown(definition, code))?;
                Content::Primitive(primitive, (!child.is_attribute).then_some(node))
            }
        };
        let targets = element_type.target_profiles.iter().filter_map(|canonical| self.all.get(canonical));
        // An abstract target, such as Resource, stands for any.
        let any = targets.clone().any(|target| target.is_abstract);
        let names = targets.filter(|_| !any).map(|target| target.type_name.as_str().into());
        let profiles = element_type.profiles.iter().map(|profile| profile.as_str().into());
        Ok(Type {
            name: code.into(),
            content,
            special: Special::of(code),
            profiles: profiles.collect(),
            targets: names.collect(),
        })
    }

    /// The primitive a type is, or specialises.
    fn primitive(&self, definition: &StructureDefinition) -> Option<Primitive> {
        let mut current = definition;
        // A chain longer than this would have been refused when its elements were collected.
        for _ in 0..self.all.len() {
            if let Some(primitive) = Primitive::named(&current.type_name) {
                return Some(primitive);
            }
            current = self.all.get(current.base.as_deref()?)?;
        }
        None
    }
}

fn content_of(node: NodeId) -> Type {
    Type {
        name: Box::default(),
        content: Content::Object(node),
        special: Special::None,
        profiles: Box::default(),
        targets: Box::default(),
    }
}

fn unknown(definition: &StructureDefinition, name: &str) -> PackError {
    PackError::UnknownType { definition: definition.url.clone(), name: name.to_owned() }
}

/// Adds every key under which an element may stand.
pub(super) fn add_properties(properties: &mut FxHashMap<Box<str>, Property>, element: &Element, id: ElementId) {
    for (choice, element_type) in (0..).zip(&element.types) {
        let key =
            if element.is_choice { choice_key(&element.name, &element_type.name) } else { element.name.to_string() };
        let property = Property { element: id, slot: element.slot, choice, role: Role::Value };
        if let Content::Primitive(_, Some(_)) = element_type.content {
            properties.insert(format!("_{key}").into(), Property { role: Role::Sibling, ..property });
        }
        properties.insert(key.into(), property);
    }
}

/// `value` and `dateTime` make `valueDateTime`.
fn choice_key(name: &str, type_name: &str) -> String {
    let mut letters = type_name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    name.chars().chain(first).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_choice_key_capitalises_the_type() {
        assert_eq!(super::choice_key("value", "dateTime"), "valueDateTime");
        assert_eq!(super::choice_key("value", "Quantity"), "valueQuantity");
    }
}
