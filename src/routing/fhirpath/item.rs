//! What a path finds: values of the document, borrowed, and values a condition makes itself; and when two of them are
//! equal or ordered ([equality](https://hl7.org/fhirpath/N1/#equality), [comparison](https://hl7.org/fhirpath/N1/#comparison)).

use std::borrow::Cow;
use std::cmp::Ordering;

use signalbox_validator::json::{Kind, Value};

use super::decimal::Decimal;
use super::temporal::Temporal;

/// A member of a collection.
#[derive(Clone)]
pub(super) enum Item<'d> {
    /// A value of the document.
    Node(Value<'d>),
    Boolean(bool),
    Number(Decimal),
    /// A text of the condition.
    Text(&'d str),
    /// A date or time of the condition.
    Time(&'d str),
}

/// Items of such kinds have no order.
pub(super) struct NoOrder;

/// An item seen as a single value.
enum Scalar<'d> {
    Boolean(bool),
    Number(Decimal),
    Text(Cow<'d, str>),
    Time(&'d str),
    /// An object.
    Complex(Value<'d>),
}

impl<'d> Item<'d> {
    fn scalar(&self) -> Scalar<'d> {
        match self {
            Self::Boolean(value) => Scalar::Boolean(*value),
            Self::Number(number) => Scalar::Number(number.clone()),
            Self::Text(text) => Scalar::Text(Cow::Borrowed(text)),
            Self::Time(time) => Scalar::Time(time),
            Self::Node(node) => node
                .as_str()
                .map(Scalar::Text)
                .or_else(|| node.as_bool().map(Scalar::Boolean))
                .or_else(|| node.as_number().and_then(Decimal::parse).map(Scalar::Number))
                .unwrap_or(Scalar::Complex(*node)),
        }
    }

    /// The value of the document.
    pub(super) fn node(&self) -> Option<Value<'d>> {
        if let Self::Node(node) = self { Some(*node) } else { None }
    }

    /// The value of a boolean.
    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Node(node) => node.as_bool(),
            _ => None,
        }
    }

    /// The content of a text.
    pub(super) fn as_text(&self) -> Option<Cow<'d, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Node(node) => node.as_str(),
            _ => None,
        }
    }

    /// Whether two items are equal; `None`: it cannot be told (dates of different precision).
    pub(super) fn equals(&self, other: &Self) -> Option<bool> {
        match (self.scalar(), other.scalar()) {
            (Scalar::Boolean(one), Scalar::Boolean(another)) => Some(one == another),
            (Scalar::Number(one), Scalar::Number(another)) => Some(one == another),
            (Scalar::Text(one), Scalar::Text(another)) => Some(one == another),
            (Scalar::Complex(one), Scalar::Complex(another)) => Some(same(one, another)),
            (Scalar::Time(time), Scalar::Text(text)) | (Scalar::Text(text), Scalar::Time(time)) => {
                compare_times(&text, time).map(Ordering::is_eq)
            }
            (Scalar::Time(one), Scalar::Time(another)) => compare_times(one, another).map(Ordering::is_eq),
            _ => Some(false),
        }
    }

    /// The order of two items; `None`: it cannot be told.
    pub(super) fn compare(&self, other: &Self) -> Result<Option<Ordering>, NoOrder> {
        let both_of_document = matches!((self, other), (Self::Node(_), Self::Node(_)));
        match (self.scalar(), other.scalar()) {
            (Scalar::Number(one), Scalar::Number(another)) => Ok(Some(one.cmp(&another))),
            (Scalar::Time(one), Scalar::Time(another)) => Ok(compare_times(one, another)),
            (Scalar::Time(one), Scalar::Text(another)) => Ok(compare_times(one, &another)),
            (Scalar::Text(one), Scalar::Time(another)) => Ok(compare_times(&one, another)),
            (Scalar::Text(one), Scalar::Text(another)) => match (Temporal::parse(&one), Temporal::parse(&another)) {
                // The document does not say that a text is a date; two that look like dates are.
                (Some(one), Some(another)) if both_of_document => Ok(one.compare(&another)),
                _ => Ok(Some(one.cmp(&another))),
            },
            _ => Err(NoOrder),
        }
    }
}

fn compare_times(one: &str, another: &str) -> Option<Ordering> {
    Temporal::parse(one)?.compare(&Temporal::parse(another)?)
}

/// Equal values of a document: keys in any order, items in theirs, numbers by what they mean.
fn same(one: Value<'_>, another: Value<'_>) -> bool {
    if one.kind() != another.kind() || one.len() != another.len() {
        return false;
    }
    match one.kind() {
        Kind::Object => one.children().all(|member| {
            member.key().and_then(|key| another.get(&key)).is_some_and(|opposite| same(member, opposite))
        }),
        Kind::Array => one.children().zip(another.children()).all(|(item, opposite)| same(item, opposite)),
        Kind::Number => one.as_number().and_then(Decimal::parse) == another.as_number().and_then(Decimal::parse),
        Kind::String => one.as_str() == another.as_str(),
        Kind::Bool | Kind::Null => one.raw() == another.raw(),
    }
}
