//! A value inside a [`Document`]: a copyable handle, two words wide.

use std::borrow::Cow;

use super::document::{Document, NONE};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number, its digits kept as written
    Number,
    /// A string
    String,
    /// An array
    Array,
    /// An object
    Object,
}

/// A place in the text, both counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A value of a document.
#[derive(Clone, Copy)]
pub struct Value<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) index: u32,
}

/// Without content: a value may hold a patient's data and must not reach a log by `{:?}`.
impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Value({:?} at byte {})", self.kind(), self.span().start)
    }
}

impl<'d> Value<'d> {
    /// The outermost value of the document that this one stands in.
    pub(crate) fn root(self) -> Self {
        Self { index: 0, ..self }
    }

    /// What this value is.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.document.node(self.index).kind
    }

    /// Index of this value in the document, stable and unique: the key for side tables.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// The text of this value exactly as written (strings with their quotes).
    #[must_use]
    pub fn raw(self) -> &'d str {
        &self.document.text()[self.span()]
    }

    /// Byte range of this value in the text.
    #[must_use]
    pub fn span(self) -> std::ops::Range<usize> {
        let node = self.document.node(self.index);
        node.start as usize..node.end as usize
    }

    /// Byte range of this member's key, with its quotes; `None` for array items and the root.
    #[must_use]
    pub fn key_span(self) -> Option<std::ops::Range<usize>> {
        let node = self.document.node(self.index);
        (node.key_start != NONE).then(|| node.key_start as usize - 1..node.key_end as usize + 1)
    }

    /// Line and column where the value begins; for a member of an object, where its key begins.
    #[must_use]
    pub fn position(self) -> Position {
        let start = self.key_span().unwrap_or_else(|| self.span()).start;
        self.document.position(start)
    }

    /// The key of this member of an object; `None` for array items and the root.
    #[must_use]
    pub fn key(self) -> Option<Cow<'d, str>> {
        self.document.key_of(self.index)
    }

    /// Bytes of the key of this member of an object, its escapes resolved; `None` for array items and the root.
    #[must_use]
    pub fn key_length(self) -> Option<usize> {
        self.document.key_length(self.index)
    }

    /// Whether this is the member of an object with this key.
    #[must_use]
    pub fn is_member(self, key: &str) -> bool {
        self.document.key_is(self.index, key)
    }

    /// The string's content, unescaped only when it has to be; `None` when this is not a string.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'d, str>> {
        let node = self.document.node(self.index);
        if node.kind != Kind::String {
            return None;
        }
        let inner = &self.document.text()[node.start as usize + 1..node.end as usize - 1];
        Some(if node.escaped { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) })
    }

    /// True or false; `None` when this is not a boolean.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
    }

    /// The digits of a number as written; `None` when this is not a number.
    #[must_use]
    pub fn as_number(self) -> Option<&'d str> {
        (self.kind() == Kind::Number).then(|| self.raw())
    }

    /// Number of items or members; 0 for anything that is not an array or object.
    #[must_use]
    pub fn len(self) -> usize {
        self.document.node(self.index).count as usize
    }

    /// Whether there are no items or members.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The items of an array or the members of an object (each knows its [`Value::key`]), in the order written.
    #[must_use]
    pub fn children(self) -> Children<'d> {
        Children { document: self.document, next: self.index + 1, left: self.len() }
    }

    /// The items of an array; nothing for other kinds.
    pub fn items(self) -> impl Iterator<Item = Value<'d>> {
        let children = self.children();
        let wanted = self.kind() == Kind::Array;
        children.filter(move |_| wanted)
    }

    /// The member of an object with this key.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Value<'d>> {
        if self.kind() != Kind::Object {
            return None;
        }
        self.children().find(|member| self.document.key_is(member.index, key))
    }

    /// The member of an object whose key is this one with an underscore before it: id and extensions of a primitive.
    #[must_use]
    pub fn get_sibling(self, key: &str) -> Option<Value<'d>> {
        if self.kind() != Kind::Object {
            return None;
        }
        self.children().find(|member| self.document.key_is_sibling(member.index, key))
    }

    /// `get` for each key in turn; the first item is taken from an array on the way.
    #[must_use]
    pub fn at(self, path: &[&str]) -> Option<Value<'d>> {
        path.iter().try_fold(self, |value, key| {
            let value = if value.kind() == Kind::Array { value.children().next()? } else { value };
            value.get(key)
        })
    }

    /// The string at `path` (see [`Value::at`]).
    #[must_use]
    pub fn str_at(self, path: &[&str]) -> Option<Cow<'d, str>> {
        self.at(path)?.as_str()
    }
}

/// The children of an array or object.
#[derive(Clone)]
pub struct Children<'d> {
    document: &'d Document<'d>,
    next: u32,
    left: usize,
}

impl<'d> Iterator for Children<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Value<'d>> {
        self.left = self.left.checked_sub(1)?;
        let value = Value { document: self.document, index: self.next };
        self.next = self.document.node(self.next).next;
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Children<'_> {}

/// Resolves the escapes of a string the reader has accepted.
pub(super) fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (decoded, used) = decode_escape(&rest[at..]);
        out.push(decoded);
        rest = &rest[at + used..];
    }
    out.push_str(rest);
    out
}

/// One escape at the start of `text`: the character and the bytes it took.
fn decode_escape(text: &str) -> (char, usize) {
    let simple = match text.as_bytes().get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return decode_unicode(text),
        Some(&other) => char::from(other),
        None => '\\',
    };
    (simple, 2)
}

fn decode_unicode(text: &str) -> (char, usize) {
    let unit = |from: usize| text.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let first = unit(2).unwrap_or(0xFFFD);
    if (0xD800..0xDC00).contains(&first) {
        let second = unit(8).unwrap_or(0xDC00);
        let code = 0x1_0000 + ((first - 0xD800) << 10) + second.wrapping_sub(0xDC00);
        return (char::from_u32(code).unwrap_or('\u{FFFD}'), 12);
    }
    (char::from_u32(first).unwrap_or('\u{FFFD}'), 6)
}
