//! Reads the tree into the configuration's structs, keeping of a failure what a person needs: the path to the setting,
//! what was found and what would be right ([serde data format](https://serde.rs/data-format.html)).

use std::collections::btree_map::Iter;
use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, Expected, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::tree::{Content, Node, Step};

/// Why reading stopped.
#[derive(Debug)]
pub(super) struct Fault {
    /// From the setting up to the root.
    trail: Vec<Step>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// The last step of the path is no setting.
    Unknown,
    /// The table at the path lacks this setting.
    Missing(&'static str),
    /// The value at the path is not right.
    Other(String),
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self { trail: Vec::new(), kind }
    }

    fn under(mut self, step: Step) -> Self {
        self.trail.push(step);
        self
    }

    /// From the root down to the setting.
    pub(super) fn path(&self) -> Vec<Step> {
        self.trail.iter().rev().cloned().collect()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Kind::Other(message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("expected {expected}"))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::custom(format!("expected one of {}", known.join(", ")))
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::new(Kind::Unknown)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::Missing(field))
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.content {
            Content::Text(text) => visitor.visit_borrowed_str(text),
            Content::Integer(number) => visitor.visit_i64(*number),
            Content::Float(number) => visitor.visit_f64(*number),
            Content::Boolean(value) => visitor.visit_bool(*value),
            Content::List(items) => visitor.visit_seq(Items { items, next: 0 }),
            Content::Table(members) => visitor.visit_map(Members { members: members.iter(), value: None }),
            Content::StandIn(text) => visitor.visit_borrowed_str(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.content {
            Content::StandIn(_) => visitor.visit_seq(Items { items: &[], next: 0 }),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.content {
            Content::StandIn(_) => visitor.visit_map(Members { members: Iter::default(), value: None }),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.content {
            // A list would be read as the fields in their order.
            Content::List(_) => Err(Fault::custom("expected a table")),
            _ => self.deserialize_map(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.content {
            Content::Text(text) => visitor.visit_enum(StrDeserializer::new(text)),
            _ => Err(Fault::custom("expected a text in quotes")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct identifier ignored_any
    }
}

struct Items<'n> {
    items: &'n [Node],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(item) = self.items.get(self.next) else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(item).map(Some).map_err(|fault| fault.under(Step::Index(index)))
    }
}

struct Members<'n> {
    members: Iter<'n, String, Node>,
    value: Option<(&'n String, &'n Node)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.value = self.members.next();
        let Some((key, _)) = self.value else { return Ok(None) };
        let name = BorrowedStrDeserializer::new(key);
        seed.deserialize(name).map(Some).map_err(|fault: Fault| fault.under(Step::Key(key.clone())))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some((key, node)) = self.value.take() else { return Err(Fault::custom("a value was read twice")) };
        seed.deserialize(node).map_err(|fault| fault.under(Step::Key(key.clone())))
    }
}
