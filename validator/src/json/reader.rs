//! The reader: one pass over the bytes, no recursion, one flat array of nodes in document order.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::OnceLock;

use super::value::unescape;
use super::{Kind, Position, ReadError, ReadErrorKind, Value};

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
    key_escaped: bool,
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
    line_starts: OnceLock<Vec<u32>>,
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
        let mut reader =
            Reader { bytes: text.as_bytes(), at: 0, nodes: Vec::with_capacity(text.len() / 16 + 8), limits };
        match reader.read() {
            Ok(()) => Ok(Self { text, nodes: reader.nodes, line_starts: OnceLock::new() }),
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
        let starts = self.line_starts.get_or_init(|| {
            let newlines = memchr::memchr_iter(b'\n', self.text.as_bytes());
            std::iter::once(0).chain(newlines.filter_map(|at| u32::try_from(at + 1).ok())).collect()
        });
        let line = starts.partition_point(|&start| start as usize <= offset);
        let start = line.checked_sub(1).and_then(|index| starts.get(index)).map_or(0, |&start| start as usize);
        position_in_line(self.text, line, start, offset)
    }

    pub(super) fn node(&self, index: u32) -> &Node {
        &self.nodes[index as usize]
    }

    pub(super) fn key_of(&self, index: u32) -> Option<Cow<'_, str>> {
        let node = self.node(index);
        (node.key_start != NONE).then(|| key_text(self.text, node))
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

fn key_text<'t>(text: &'t str, node: &Node) -> Cow<'t, str> {
    let inner = &text[node.key_start as usize..node.key_end as usize];
    if node.key_escaped { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) }
}

fn position_in_line(text: &str, line: usize, start: usize, offset: usize) -> Position {
    let end = offset.min(text.len());
    let column = text.get(start..end).map_or(end - start, |part| part.chars().count());
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: count(line.max(1)), column: count(column + 1) }
}

fn error_at(text: &str, offset: usize, kind: ReadErrorKind) -> ReadError {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    ReadError { kind, offset, position: position_in_line(text, line, start, offset) }
}

type Failure = (usize, ReadErrorKind);

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    nodes: Vec<Node>,
    limits: Limits,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), Failure> {
        if self.bytes.starts_with(b"\xEF\xBB\xBF") {
            self.at = 3;
        }
        self.skip_space();
        if self.at == self.bytes.len() {
            return Err((self.at, ReadErrorKind::Empty));
        }
        self.value_tree()?;
        self.skip_space();
        if self.at < self.bytes.len() {
            return Err((self.at, ReadErrorKind::TrailingText));
        }
        Ok(())
    }

    /// Reads one value with all that is inside it. `open` holds the containers we are in.
    fn value_tree(&mut self) -> Result<(), Failure> {
        let mut open: Vec<u32> = Vec::new();
        let mut key = None;
        loop {
            let index = self.begin_value(key.take())?;
            if matches!(self.nodes[index as usize].kind, Kind::Array | Kind::Object) {
                if open.len() >= self.limits.depth as usize {
                    return Err((self.at - 1, ReadErrorKind::TooDeep(self.limits.depth)));
                }
                open.push(index);
                self.skip_space();
                if !self.closes(index) {
                    key = self.key_if_object(index)?;
                    continue;
                }
            }
            // A value has just ended, or an empty container is about to: close what closes here.
            loop {
                let Some(&parent) = open.last() else { return Ok(()) };
                self.skip_space();
                if self.closes(parent) {
                    self.at += 1;
                    self.finish(parent)?;
                    open.pop();
                } else {
                    self.separator(parent)?;
                    key = self.key_if_object(parent)?;
                    break;
                }
            }
        }
    }

    fn closes(&self, container: u32) -> bool {
        let close = if self.nodes[container as usize].kind == Kind::Array { b']' } else { b'}' };
        self.bytes.get(self.at) == Some(&close)
    }

    fn separator(&mut self, container: u32) -> Result<(), Failure> {
        let array = self.nodes[container as usize].kind == Kind::Array;
        self.expect(b',', if array { "',' or ']'" } else { "',' or '}'" })?;
        self.skip_space();
        Ok(())
    }

    fn key_if_object(&mut self, container: u32) -> Result<Option<(usize, usize, bool)>, Failure> {
        self.nodes[container as usize].count += 1;
        if self.nodes[container as usize].kind == Kind::Array {
            return Ok(None);
        }
        if self.bytes.get(self.at) != Some(&b'"') {
            return Err(self.unexpected("a property name in double quotes"));
        }
        let start = self.at + 1;
        let escaped = self.string()?;
        let end = self.at - 1;
        self.skip_space();
        self.expect(b':', "':' after the property name")?;
        Ok(Some((start, end, escaped)))
    }

    fn begin_value(&mut self, key: Option<(usize, usize, bool)>) -> Result<u32, Failure> {
        self.skip_space();
        let start = self.at;
        let mut escaped = false;
        let kind = match self.bytes.get(self.at) {
            Some(b'{') => self.one(Kind::Object),
            Some(b'[') => self.one(Kind::Array),
            Some(b'"') => {
                escaped = self.string()?;
                Kind::String
            }
            Some(b't') => self.word(b"true", Kind::Bool)?,
            Some(b'f') => self.word(b"false", Kind::Bool)?,
            Some(b'n') => self.word(b"null", Kind::Null)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => return Err(self.unexpected("a value")),
        };
        let index = offset(self.nodes.len());
        let (key_start, key_end, key_escaped) =
            key.map_or((NONE, NONE, false), |(from, to, escaped)| (offset(from), offset(to), escaped));
        let (start, end) = (offset(start), offset(self.at));
        self.nodes.push(Node { start, end, key_start, key_end, next: index + 1, count: 0, kind, escaped, key_escaped });
        Ok(index)
    }

    /// Closes a container: its end, its size in nodes, and no key twice.
    fn finish(&mut self, container: u32) -> Result<(), Failure> {
        let next = offset(self.nodes.len());
        let end = offset(self.at);
        let node = &mut self.nodes[container as usize];
        node.next = next;
        node.end = end;
        if node.kind == Kind::Object { self.unique_keys(container) } else { Ok(()) }
    }

    fn unique_keys(&self, container: u32) -> Result<(), Failure> {
        let count = self.nodes[container as usize].count as usize;
        // The reader only ever holds valid UTF-8.
        let text = std::str::from_utf8(self.bytes).unwrap_or_default();
        let members = || {
            std::iter::successors(Some(container + 1), |&at| Some(self.nodes[at as usize].next))
                .take(count)
                .map(|at| &self.nodes[at as usize])
        };
        let mut seen = HashSet::new();
        for (position, member) in members().enumerate() {
            let repeated = if count <= 24 {
                members().take(position).any(|earlier| self.same_key(text, earlier, member))
            } else {
                !seen.insert(key_text(text, member))
            };
            if repeated {
                let key = key_text(text, member).chars().take(64).collect();
                return Err((member.key_start as usize - 1, ReadErrorKind::DuplicateKey(key)));
            }
        }
        Ok(())
    }

    fn same_key(&self, text: &str, a: &Node, b: &Node) -> bool {
        if a.key_escaped || b.key_escaped {
            return key_text(text, a) == key_text(text, b);
        }
        self.bytes[a.key_start as usize..a.key_end as usize] == self.bytes[b.key_start as usize..b.key_end as usize]
    }

    fn one(&mut self, kind: Kind) -> Kind {
        self.at += 1;
        kind
    }

    fn word(&mut self, word: &'static [u8], kind: Kind) -> Result<Kind, Failure> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(word) {
            self.at += word.len();
            return Ok(kind);
        }
        if word.starts_with(rest) {
            return Err((self.bytes.len(), ReadErrorKind::Truncated));
        }
        Err((self.at, ReadErrorKind::Expected("true, false or null")))
    }

    fn number(&mut self) -> Result<Kind, Failure> {
        let start = self.at;
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        let whole = self.digits();
        let mut good = whole == 1 || (whole > 1 && self.bytes[self.at - whole] != b'0');
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            good &= self.digits() > 0;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            good &= self.digits() > 0;
        }
        if good { Ok(Kind::Number) } else { Err((start, ReadErrorKind::BadNumber)) }
    }

    fn digits(&mut self) -> usize {
        let count = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    /// Reads a string from its opening quote to past its closing one; says whether it holds escapes.
    fn string(&mut self) -> Result<bool, Failure> {
        self.at += 1;
        let mut escaped = false;
        loop {
            let rest = &self.bytes[self.at..];
            let Some(run) = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20) else {
                return Err((self.bytes.len(), ReadErrorKind::Truncated));
            };
            self.at += run;
            match self.bytes[self.at] {
                b'"' => {
                    self.at += 1;
                    return Ok(escaped);
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => {
                    return Err((self.at, ReadErrorKind::BadString("a control character in a string must be escaped")));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<(), Failure> {
        let bad = (self.at, ReadErrorKind::BadString("a string holds an escape that JSON does not have"));
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let lone = (self.at, ReadErrorKind::BadString("a string holds half of a surrogate pair"));
                let first = self.unit(self.at).ok_or_else(|| bad.clone())?;
                self.at += 6;
                if (0xDC00..0xE000).contains(&first) {
                    return Err(lone);
                }
                if (0xD800..0xDC00).contains(&first) {
                    let second = self.unit(self.at).filter(|unit| (0xDC00..0xE000).contains(unit));
                    second.ok_or(lone)?;
                    self.at += 6;
                }
            }
            Some(_) => return Err(bad),
            None => return Err((self.bytes.len(), ReadErrorKind::Truncated)),
        }
        Ok(())
    }

    /// The code unit of a `\uXXXX` escape at `at`.
    fn unit(&self, at: usize) -> Option<u32> {
        let escape = self.bytes.get(at..at + 6)?;
        let hex = escape.strip_prefix(b"\\u")?;
        hex.iter().try_fold(0, |unit, &digit| Some(unit * 16 + char::from(digit).to_digit(16)?))
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Failure> {
        if self.bytes.get(self.at) == Some(&byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.unexpected(what))
    }

    fn unexpected(&self, what: &'static str) -> Failure {
        let kind = if self.at >= self.bytes.len() { ReadErrorKind::Truncated } else { ReadErrorKind::Expected(what) };
        (self.at, kind)
    }

    fn skip_space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }
}

/// Offsets fit: texts over four gigabytes are refused before reading.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NONE)
}
