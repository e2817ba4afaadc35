//! What a collection holds: elements of a document, each with its FHIR type, and values that were computed.

use std::borrow::Cow;
use std::str::FromStr;

use rust_decimal::Decimal;

use super::quantity::{Quantity, Unit};
use super::temporal::{Shape, Temporal};
use crate::json::{Kind, Value};
use crate::node::{Content, Node, Type};
use crate::profile_set::ProfileSet;
use crate::rules::format::Primitive;

/// One thing of a collection.
#[derive(Debug, Clone)]
pub struct Item<'d>(pub(super) Inner<'d>);

#[derive(Debug, Clone)]
pub(super) enum Inner<'d> {
    Element(Element<'d>),
    Boolean(bool),
    Integer(i64),
    Decimal(Decimal),
    String(Cow<'d, str>),
    Temporal(Temporal),
    Quantity(Quantity),
    /// What `type()` gives: namespace and name.
    TypeInfo(&'static str, Box<str>),
}

/// An element of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'d> {
    /// The value; a primitive may have none.
    pub(super) value: Option<Value<'d>>,
    /// Id and extensions of a primitive.
    pub(super) sibling: Option<Value<'d>>,
    pub(super) of: TypeOf<'d>,
    /// The resource that it stands in, not counting one that contains that.
    pub(super) resource: Option<Value<'d>>,
}

/// The type of an element.
#[derive(Debug, Clone, Copy)]
pub(super) struct TypeOf<'d> {
    pub(super) name: &'d str,
    /// What stands in it; for a primitive, in its sibling.
    pub(super) node: Option<&'d Node>,
    pub(super) primitive: Option<Primitive>,
}

impl<'d> From<Inner<'d>> for Item<'d> {
    fn from(inner: Inner<'d>) -> Self {
        Self(inner)
    }
}

impl<'d> Item<'d> {
    /// A resource by the type it names.
    pub(crate) fn resource(set: &'d ProfileSet, value: Value<'d>) -> Self {
        let name = value.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        let node = set.resource(&name).map(|node| set.node(node));
        let name = node.map_or("Resource", |node| &*node.name);
        Self::element(Some(value), None, TypeOf { name, node, primitive: None }, Some(value))
    }

    /// An element that stands in `resource`: a value, and for a primitive its sibling.
    pub(crate) fn of_type(
        set: &'d ProfileSet,
        value: Option<Value<'d>>,
        sibling: Option<Value<'d>>,
        element_type: &'d Type,
        resource: Value<'d>,
    ) -> Self {
        match element_type.content {
            Content::Resource => value.map_or_else(
                || Self::element(None, None, TypeOf { name: "Resource", node: None, primitive: None }, Some(resource)),
                |value| Self::resource(set, value),
            ),
            Content::Object(node) => {
                let node = set.node(node);
                let name = if element_type.name.is_empty() { &*node.name } else { &*element_type.name };
                Self::element(value, None, TypeOf { name, node: Some(node), primitive: None }, Some(resource))
            }
            Content::Primitive(primitive, node) => {
                let node = node.map(|node| set.node(node));
                let of = TypeOf { name: &element_type.name, node, primitive: Some(primitive) };
                Self::element(value, sibling, of, Some(resource))
            }
        }
    }

    /// An object that is known by its node, such as what the walk is at.
    pub(crate) fn of_node(value: Value<'d>, node: &'d Node, resource: Value<'d>) -> Self {
        Self::element(Some(value), None, TypeOf { name: &node.name, node: Some(node), primitive: None }, Some(resource))
    }

    fn element(
        value: Option<Value<'d>>,
        sibling: Option<Value<'d>>,
        of: TypeOf<'d>,
        resource: Option<Value<'d>>,
    ) -> Self {
        // JSON writes a null where a primitive has only a sibling.
        let value = value.filter(|value| value.kind() != Kind::Null);
        let sibling = sibling.filter(|sibling| sibling.kind() == Kind::Object);
        Self(Inner::Element(Element { value, sibling, of, resource }))
    }

    /// Whether this is an element with this value.
    pub(crate) fn is_value(&self, value: Value<'_>) -> bool {
        matches!(&self.0, Inner::Element(element) if element.value.is_some_and(|own| own.index() == value.index()))
    }

    /// The name of its type: of FHIR for an element, of `FHIRPath` in lower case for a value.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match &self.0 {
            Inner::Element(element) => element.of.name,
            Inner::Boolean(_) => "boolean",
            Inner::Integer(_) => "integer",
            Inner::Decimal(_) => "decimal",
            Inner::String(_) => "string",
            Inner::Temporal(value) => match value.shape {
                Shape::Date => "date",
                Shape::DateTime => "dateTime",
                Shape::Time => "time",
            },
            Inner::Quantity(_) => "Quantity",
            Inner::TypeInfo(..) => "TypeInfo",
        }
    }

    /// The value as text: a primitive as it is written, dates and times with `@`, an object as its JSON.
    #[must_use]
    pub fn text(&self) -> String {
        let system = self.system();
        match system.as_ref().unwrap_or(&self.0) {
            Inner::Element(element) => element.value.map(|value| value.raw().to_owned()).unwrap_or_default(),
            Inner::Boolean(value) => value.to_string(),
            Inner::Integer(value) => value.to_string(),
            Inner::Decimal(value) => value.to_string(),
            Inner::String(value) => value.clone().into_owned(),
            Inner::Temporal(value) if value.shape == Shape::Time => format!("@T{value}"),
            Inner::Temporal(value) => format!("@{value}"),
            Inner::Quantity(value) => value.to_string(),
            Inner::TypeInfo(namespace, name) => format!("{namespace}.{name}"),
        }
    }

    /// Whether this is `true`; `None` when it is no boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.system()? {
            Inner::Boolean(value) => Some(value),
            _ => None,
        }
    }

    /// Where the element stands in its document; `None` for what was computed.
    #[must_use]
    pub fn position(&self) -> Option<Value<'d>> {
        self.as_element().and_then(|element| element.value.or(element.sibling))
    }

    pub(super) fn as_element(&self) -> Option<&Element<'d>> {
        match &self.0 {
            Inner::Element(element) => Some(element),
            _ => None,
        }
    }

    /// The value that an operator sees: a primitive or a Quantity of FHIR as the type of `FHIRPath`.
    pub(super) fn system(&self) -> Option<Inner<'d>> {
        match &self.0 {
            Inner::Element(element) => element.system(),
            other => Some(other.clone()),
        }
    }

    pub(super) fn as_text(&self) -> Option<Cow<'d, str>> {
        match self.system()? {
            Inner::String(text) => Some(text),
            _ => None,
        }
    }
}

impl<'d> Element<'d> {
    fn system(&self) -> Option<Inner<'d>> {
        let value = self.value?;
        let Some(primitive) = self.of.primitive else { return self.quantity().map(Inner::Quantity) };
        let text = || value.as_str();
        Some(match primitive {
            Primitive::Boolean => Inner::Boolean(value.as_bool()?),
            Primitive::Integer | Primitive::UnsignedInt | Primitive::PositiveInt => {
                Inner::Integer(value.as_number()?.parse().ok()?)
            }
            Primitive::Decimal => Inner::Decimal(decimal(value.as_number()?)?),
            Primitive::Date => Inner::Temporal(Temporal::date_text(&text()?)?),
            Primitive::DateTime | Primitive::Instant => Inner::Temporal(Temporal::date_time(&text()?)?),
            Primitive::Time => Inner::Temporal(Temporal::time(&text()?)?),
            _ => Inner::String(text()?),
        })
    }

    /// A Quantity with a number and no comparator; of UCUM by its code, of anything else by its unit.
    fn quantity(&self) -> Option<Quantity> {
        const UCUM: &str = "http://unitsofmeasure.org";
        let value = self.value.filter(|_| QUANTITIES.contains(&self.of.name))?;
        if value.get("comparator").is_some() {
            return None;
        }
        let number = decimal(value.get("value")?.as_number()?)?;
        let is_ucum = value.str_at(&["system"]).as_deref() == Some(UCUM);
        let unit = value.str_at(&["code"]).filter(|_| is_ucum).or_else(|| value.str_at(&["unit"]));
        let unit = unit.map_or_else(|| "1".into(), |unit| Box::from(&*unit));
        Some(Quantity { value: number, unit: Unit::Ucum(unit) })
    }
}

/// Types that are quantities of `FHIRPath` too.
const QUANTITIES: [&str; 6] = ["Quantity", "Age", "Distance", "Duration", "Count", "SimpleQuantity"];

/// A number as FHIR writes it; one with an exponent keeps no more digits than it needs.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text.is_empty() || text.starts_with('.') || text.ends_with('.') || text.contains('_') {
        return None;
    }
    Decimal::from_str(text).or_else(|_| Decimal::from_scientific(text)).ok()
}
