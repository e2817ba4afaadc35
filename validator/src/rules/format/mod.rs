//! The formats of FHIR's [primitive types](https://hl7.org/fhir/R4/datatypes.html#primitive), each a scanner over the
//! bytes, and the JSON type each is written as.

mod number;
mod temporal;
mod text;
mod uri;

use super::{Finding, Rule, type_};
use crate::issue::IssueCode;
use crate::json::{Kind, Value};

/// What a scanner says: nothing, or what the value should have been.
type Verdict = Result<(), &'static str>;

/// A primitive type whose format this validator knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Primitive {
    Boolean,
    Integer,
    UnsignedInt,
    PositiveInt,
    Decimal,
    String,
    Code,
    Id,
    Uri,
    Canonical,
    Oid,
    Uuid,
    Date,
    DateTime,
    Instant,
    Time,
    Base64Binary,
    Xhtml,
}

impl Primitive {
    /// The name of the type of logical ids.
    pub(crate) const ID: &'static str = "id";

    /// The primitive with this name; a type that only narrows the use of another, as `url` does, is found as that.
    pub(crate) fn named(type_name: &str) -> Option<Self> {
        Some(match type_name {
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "unsignedInt" => Self::UnsignedInt,
            "positiveInt" => Self::PositiveInt,
            "decimal" => Self::Decimal,
            "string" => Self::String,
            "code" => Self::Code,
            Self::ID => Self::Id,
            "uri" => Self::Uri,
            "canonical" => Self::Canonical,
            "oid" => Self::Oid,
            "uuid" => Self::Uuid,
            "date" => Self::Date,
            "dateTime" => Self::DateTime,
            "instant" => Self::Instant,
            "time" => Self::Time,
            "base64Binary" => Self::Base64Binary,
            "xhtml" => Self::Xhtml,
            _ => return None,
        })
    }

    pub(crate) fn is_xhtml(self) -> bool {
        self == Self::Xhtml
    }

    /// Whether people read it: a string or markdown.
    pub(crate) fn is_text(self) -> bool {
        self == Self::String
    }

    /// How JSON writes it.
    fn json_kind(self) -> Kind {
        match self {
            Self::Boolean => Kind::Bool,
            Self::Integer | Self::UnsignedInt | Self::PositiveInt | Self::Decimal => Kind::Number,
            _ => Kind::String,
        }
    }

    fn scan(self, text: &str) -> Verdict {
        match self {
            Self::Boolean | Self::Decimal => Ok(()),
            Self::Integer => number::integer(text),
            Self::UnsignedInt => number::unsigned_int(text),
            Self::PositiveInt => number::positive_int(text),
            Self::String => text::string(text),
            Self::Code => text::code(text),
            Self::Id => text::id(text),
            Self::Uri => uri::uri(text),
            Self::Canonical => uri::canonical(text),
            Self::Oid => uri::oid(text),
            Self::Uuid => uri::uuid(text),
            Self::Date => temporal::date(text),
            Self::DateTime => temporal::date_time(text),
            Self::Instant => temporal::instant(text),
            Self::Time => temporal::time(text),
            Self::Base64Binary => text::base64_binary(text),
            Self::Xhtml => text::xhtml(text),
        }
    }
}

/// Checks a value that should be `primitive`; `type_name` is what the definition calls it.
pub(crate) fn check(primitive: Primitive, type_name: &str, value: Value<'_>) -> Option<Finding> {
    let expected = primitive.json_kind();
    if value.kind() != expected {
        return Some(type_::wrong_json(type_name, expected, value.kind()));
    }
    let verdict = match expected {
        Kind::String => value.as_str().map_or(Ok(()), |text| primitive.scan(&text)),
        _ => primitive.scan(value.raw()),
    };
    verdict.err().map(|reason| {
        Finding::error(Rule::PrimitiveFormat, IssueCode::Invalid, format!("This is not a valid {type_name}: {reason}."))
    })
}

/// Whether a text has the form of a primitive.
pub(crate) fn is_valid(primitive: Primitive, text: &str) -> bool {
    primitive.scan(text).is_ok()
}

/// Whether this has the form of a logical id.
pub(crate) fn is_id(text: &str) -> bool {
    text::id(text).is_ok()
}

/// Whether this begins with a scheme, as an absolute URI does.
pub(crate) fn is_absolute(text: &str) -> bool {
    uri::scheme(text).is_some()
}

/// Whether this has the form its scheme prescribes, where FHIR prescribes one.
pub(crate) fn uri(text: &str) -> Verdict {
    uri::uri(text)
}
