//! Settings that are texts of a certain form, read so that a wrong one is told the form.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// Reads a text as `T`; `expected` says what that looks like.
pub(super) fn parsed<'de, T: FromStr, D: Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(Form { expected, target: PhantomData })
}

struct Form<T> {
    expected: &'static str,
    target: PhantomData<T>,
}

impl<T: FromStr> Visitor<'_> for Form<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// Gives the schema of a text of a certain form: its pattern, and what it looks like in words.
macro_rules! form {
    ($name:ident, $pattern:literal, $expected:expr $(, $extra:literal)?) => {
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "x-expected": $expected $(, $extra: true)? })
            }
        }
    };
}
pub(super) use form;

/// An address to listen on.
pub(super) struct Address;

/// What an address looks like.
pub(super) const ADDRESS: &str = "an address and a port, such as \"127.0.0.1:8080\"";

/// An ODS code.
pub(super) struct Ods;

/// What an ODS code looks like.
pub(super) const ODS: &str = "an ODS code, such as \"RX1\"";

/// The hash of a token. Somebody may have written the token itself.
pub(super) struct Sha256;

/// The name of a resource type.
pub(super) struct TypeName;

/// The type of an HL7 v2 message.
pub(super) struct MessageName;

form!(Address, "^.+:[0-9]{1,5}$", ADDRESS);
form!(Ods, "^[A-Z0-9]{1,12}$", ODS);
form!(Sha256, "^[0-9a-f]{64}$", "64 characters of 0-9 and a-f, as signalbox source token prints them", "x-secret");
form!(
    MessageName,
    "^[A-Z][A-Z0-9]{2}(\\^[A-Z0-9]{3})?$",
    "a message type such as \"ADT\", or one with its event, such as \"ADT^A31\""
);
form!(TypeName, "^[A-Z]", "a resource type such as Patient");
