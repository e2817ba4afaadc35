//! From an element to its children, by name or all of them, each with its type. A choice type is found by the name it has
//! in the definitions: `value`, not `valueQuantity`.

use super::item::{Element, Inner, Item};
use crate::json::{Kind, Value};
use crate::node::{Node, Property, Role};
use crate::profile_set::ProfileSet;

impl<'d> Item<'d> {
    /// The children of this name.
    pub(super) fn children_named(&self, set: &'d ProfileSet, name: &str, found: &mut Vec<Self>) {
        match &self.0 {
            Inner::Element(element) => element.named(set, name, found),
            Inner::TypeInfo(namespace, own) => match name {
                "namespace" => found.push(Inner::String((*namespace).into()).into()),
                "name" => found.push(Inner::String(own.to_string().into()).into()),
                _ => {}
            },
            Inner::Quantity(quantity) => match name {
                "value" => found.push(Inner::Decimal(quantity.value).into()),
                "unit" | "code" => {
                    let text = quantity.to_string();
                    let unit = text.split_once(' ').map_or("", |(_, unit)| unit.trim_matches('\''));
                    found.push(Inner::String(unit.to_owned().into()).into());
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// All children, in the order of the document.
    pub(super) fn all_children(&self, set: &'d ProfileSet, found: &mut Vec<Self>) {
        let Some(element) = self.as_element() else { return };
        let Some((object, node)) = element.object() else { return };
        for member in object.children() {
            let key = member.key().unwrap_or_default();
            let Some(property) = node.properties.get(&*key) else { continue };
            match property.role {
                Role::Value => element.member(set, object, *property, Some(member), &key, found),
                // With a value beside it, it was found there.
                Role::Sibling if object.get(&key[1..]).is_none() => {
                    element.member(set, object, *property, None, &key[1..], found);
                }
                Role::Sibling => {}
            }
        }
    }
}

impl<'d> Element<'d> {
    /// The object whose members are this element's children.
    pub(super) fn object(&self) -> Option<(Value<'d>, &'d Node)> {
        let object = if self.of.primitive.is_some() { self.sibling } else { self.value };
        let object = object.filter(|object| object.kind() == Kind::Object)?;
        Some((object, self.of.node?))
    }

    fn named(&self, set: &'d ProfileSet, name: &str, found: &mut Vec<Item<'d>>) {
        let Some((object, node)) = self.object() else { return };
        if let Some(property) = node.properties.get(name) {
            // The key of a choice, such as `valueQuantity`, is not the name of an element.
            if !set.element(property.element).is_choice {
                self.member(set, object, *property, object.get(name), name, found);
            }
            return;
        }
        let is_choice = |property: &&Property| {
            let element = set.element(property.element);
            element.is_choice && &*element.name == name
        };
        for member in object.children() {
            let key = member.key().unwrap_or_default();
            let bare = key.strip_prefix('_').unwrap_or(&key);
            if !bare.starts_with(name) {
                continue;
            }
            let Some(property) = node.properties.get(bare).filter(is_choice) else { continue };
            if bare.len() == key.len() {
                self.member(set, object, *property, Some(member), bare, found);
            } else if object.get(bare).is_none() {
                self.member(set, object, *property, None, bare, found);
            }
        }
    }

    /// The elements that stand under one key, and beside it under `_key`.
    fn member(
        &self,
        set: &'d ProfileSet,
        object: Value<'d>,
        property: Property,
        value: Option<Value<'d>>,
        key: &str,
        found: &mut Vec<Item<'d>>,
    ) {
        let element = set.element(property.element);
        let Some(element_type) = element.types.get(usize::from(property.choice)) else { return };
        let resource = self.resource.unwrap_or(object);
        let mut push = |value: Option<Value<'d>>, sibling: Option<Value<'d>>| {
            let item = Item::of_type(set, value, sibling, element_type, resource);
            if item.as_element().is_some_and(|element| element.value.is_some() || element.sibling.is_some()) {
                found.push(item);
            }
        };
        let is_primitive = matches!(element_type.content, crate::node::Content::Primitive(..));
        let sibling = if is_primitive { object.get_sibling(key) } else { None };
        let is_list = |value: Option<Value<'d>>| value.is_some_and(|value| value.kind() == Kind::Array);
        if !is_list(value) && !is_list(sibling) {
            push(value, sibling);
            return;
        }
        let mut values = value.map(Value::children).into_iter().flatten();
        let mut siblings =
            sibling.filter(|sibling| sibling.kind() == Kind::Array).map(Value::children).into_iter().flatten();
        loop {
            let (value, sibling) = (values.next(), siblings.next());
            if value.is_none() && sibling.is_none() {
                return;
            }
            push(value, sibling);
        }
    }
}
