//! A text that has been read: one flat array of nodes in document order, and the line and column of any of them.
//!
//! Offsets are 32 bits: [RFC 8259 §9](https://www.rfc-editor.org/rfc/rfc8259#section-9) lets a reader set its limits.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::value::unescape;
use super::{Kind, Position, ReadError, ReadErrorKind, Value, reader};

pub(super) const NONE: u32 = u32::MAX;

/// One value: where it stands, where its key stands, and where the next sibling is in the array.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Content of the key without quotes; `NONE` for items and the root.
    pub(super) key_start: u32,
    pub(super) key_end: u32,
    /// Index just past this value's subtree.
    pub(super) next: u32,
    /// Members or items.
    pub(super) count: u32,
    pub(super) kind: Kind,
    pub(super) escaped: bool,
    pub(super) key_escaped: bool,
}

/// What the reader refuses whatever it means.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Deepest nesting of arrays and objects; never more than [`Limits::DEEPEST`].
    pub depth: u32,
}

impl Limits {
    /// What follows a document's nesting by recursion may rely on this.
    pub const DEEPEST: u32 = 256;
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 128 }
    }
}

/// A JSON text that has been read.
pub struct Document<'s> {
    text: &'s str,
    nodes: Vec<Node>,
    lines: OnceLock<Lines>,
}

/// What it takes to turn an offset into a line and a column; made when first asked for.
struct Lines {
    starts: Vec<u32>,
    /// Characters are bytes: nobody has to count along a document of one line.
    ascii: bool,
}

impl Lines {
    fn of(text: &str) -> Self {
        let newlines = memchr::memchr_iter(b'\n', text.as_bytes()).filter_map(|at| u32::try_from(at + 1).ok());
        Self { starts: std::iter::once(0).chain(newlines).collect(), ascii: text.is_ascii() }
    }
}

/// Without content, for the reason given at [`Value`].
impl std::fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({} bytes, {} values)", self.text.len(), self.nodes.len())
    }
}

impl<'s> Document<'s> {
    /// Reads a text with the default [`Limits`].
    ///
    /// # Errors
    /// The first place where the text is not JSON, or breaks a limit, or repeats a key.
    pub fn read(bytes: &'s [u8]) -> Result<Self, ReadError> {
        Self::read_within(bytes, Limits::default())
    }

    /// Reads a text within `limits`. A leading byte order mark is skipped, as RFC 8259 §8.1 allows.
    ///
    /// # Errors
    /// As [`Document::read`].
    pub fn read_within(bytes: &'s [u8], limits: Limits) -> Result<Self, ReadError> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let valid = &bytes[..error.valid_up_to()];
                let text = std::str::from_utf8(valid).unwrap_or_default();
                return Err(error_at(text, valid.len(), ReadErrorKind::InvalidUtf8));
            }
        };
        if u32::try_from(text.len()).is_err() {
            return Err(error_at("", 0, ReadErrorKind::TooLarge));
        }
        let limits = Limits { depth: limits.depth.min(Limits::DEEPEST) };
        match reader::read(text, limits) {
            Ok(nodes) => Ok(Self { text, nodes, lines: OnceLock::new() }),
            Err((offset, kind)) => Err(error_at(text, offset, kind)),
        }
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        Value { document: self, index: 0 }
    }

    /// Number of values in the document; [`Value::index`] is below it.
    #[must_use]
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// The text that was read.
    #[must_use]
    pub fn text(&self) -> &'s str {
        self.text
    }

    /// Line and column of a byte offset.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let Lines { starts, ascii } = self.lines.get_or_init(|| Lines::of(self.text));
        let line = starts.partition_point(|&start| start as usize <= offset);
        let start = line.checked_sub(1).and_then(|index| starts.get(index)).map_or(0, |&start| start as usize);
        if *ascii {
            return place(line, offset.min(self.text.len()) - start);
        }
        position_in_line(self.text, line, start, offset)
    }

    pub(super) fn node(&self, index: u32) -> &Node {
        &self.nodes[index as usize]
    }

    pub(super) fn key_of(&self, index: u32) -> Option<Cow<'_, str>> {
        let node = self.node(index);
        (node.key_start != NONE).then(|| key_text(self.text, node))
    }

    pub(super) fn key_length(&self, index: u32) -> Option<usize> {
        let node = self.node(index);
        let written = || (node.key_end - node.key_start) as usize;
        let length = || if node.key_escaped { key_text(self.text, node).len() } else { written() };
        (node.key_start != NONE).then(length)
    }

    /// Whether the key is this one with an underscore before it.
    pub(super) fn key_is_sibling(&self, index: u32, key: &str) -> bool {
        let node = self.node(index);
        if node.key_start == NONE {
            return false;
        }
        if node.key_escaped {
            return key_text(self.text, node).strip_prefix('_') == Some(key);
        }
        let own = &self.text.as_bytes()[node.key_start as usize..node.key_end as usize];
        own.len() == key.len() + 1 && own[0] == b'_' && &own[1..] == key.as_bytes()
    }

    pub(super) fn key_is(&self, index: u32, key: &str) -> bool {
        let node = self.node(index);
        if node.key_start == NONE {
            return false;
        }
        if node.key_escaped {
            return key_text(self.text, node) == key;
        }
        &self.text.as_bytes()[node.key_start as usize..node.key_end as usize] == key.as_bytes()
    }
}

pub(super) fn key_text<'t>(text: &'t str, node: &Node) -> Cow<'t, str> {
    let inner = &text[node.key_start as usize..node.key_end as usize];
    if node.key_escaped { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) }
}

fn position_in_line(text: &str, line: usize, start: usize, offset: usize) -> Position {
    let end = offset.min(text.len());
    let column = text.get(start..end).map_or(end - start, |part| part.chars().count());
    place(line, column)
}

/// A line counted from 1 and a column counted from 0.
fn place(line: usize, column: usize) -> Position {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: count(line.max(1)), column: count(column + 1) }
}

fn error_at(text: &str, offset: usize, kind: ReadErrorKind) -> ReadError {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    ReadError { kind, offset, position: position_in_line(text, line, start, offset) }
}
