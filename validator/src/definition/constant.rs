//! A JSON value of a definition (`fixed[x]`, `pattern[x]`, `minValue[x]` …), owned because it outlives the text it was
//! read from, and JSON written without white space.

use std::fmt;

use crate::json::{Kind, Value};
use crate::reduce::push_string;

/// A value that a definition gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Constant {
    Null,
    Bool(bool),
    /// Digits as written.
    Number(Box<str>),
    String(Box<str>),
    Array(Box<[Constant]>),
    Object(Box<[(Box<str>, Constant)]>),
}

impl Constant {
    pub(crate) fn read(value: Value<'_>) -> Self {
        match value.kind() {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Bool(value.as_bool() == Some(true)),
            Kind::Number => Self::Number(value.raw().into()),
            Kind::String => Self::String(value.as_str().unwrap_or_default().into()),
            Kind::Array => Self::Array(value.children().map(Self::read).collect()),
            Kind::Object => {
                let member = |value: Value<'_>| (value.key().unwrap_or_default().into(), Self::read(value));
                Self::Object(value.children().map(member).collect())
            }
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(name, _)| &**name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a string or number.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Number(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// Appends the value as JSON.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(digits) => out.push_str(digits),
            Self::String(text) => push_string(out, text),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    push_string(out, key);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// As JSON.
impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.write_str(&text)
    }
}

/// Appends a value as JSON without the white space it may be written with.
pub(crate) fn compact(value: Value<'_>, out: &mut String) {
    Constant::read(value).write(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn a_constant_is_written_as_it_was_read() {
        let text = r#"{"a":[1.50,true,null],"b":{"c":"é \"x\""}}"#;
        let spaced = text.replace(',', " ,\n ");
        let document = Document::read(spaced.as_bytes()).unwrap();
        let constant = Constant::read(document.root());
        assert_eq!(constant.to_string(), text);
        assert_eq!(constant.get("b").and_then(|b| b.get("c")).and_then(Constant::as_text), Some("é \"x\""));
    }
}
