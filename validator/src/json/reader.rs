//! The reader: one pass over the bytes, no recursion, every value pushed onto one array as it begins. The grammar is
//! that of [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259), and no object may have a key twice.

use std::collections::HashSet;

use super::document::{Limits, NONE, Node, key_text};
use super::{Kind, ReadErrorKind, scan};

/// Where the text is wrong, and how.
pub(super) type Failure = (usize, ReadErrorKind);

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
    limits: Limits,
}

/// The nodes of a text, in the order in which they begin.
pub(super) fn read(text: &str, limits: Limits) -> Result<Vec<Node>, Failure> {
    let nodes = Vec::with_capacity(text.len() / 16 + 8);
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, nodes, limits };
    reader.read()?;
    Ok(reader.nodes)
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
        let members = || {
            std::iter::successors(Some(container + 1), |&at| Some(self.nodes[at as usize].next))
                .take(count)
                .map(|at| &self.nodes[at as usize])
        };
        // A key whose bit is not set yet is new; only the others are compared.
        let mut filter = 0_u64;
        let mut seen = HashSet::new();
        for (position, member) in members().enumerate() {
            let bit = self.key_bit(member);
            let repeated = if count > 24 {
                !seen.insert(key_text(self.text, member))
            } else {
                filter & bit != 0 && members().take(position).any(|earlier| self.same_key(earlier, member))
            };
            if repeated {
                let key = key_text(self.text, member).chars().take(64).collect();
                return Err((member.key_start as usize - 1, ReadErrorKind::DuplicateKey(key)));
            }
            filter |= bit;
        }
        Ok(())
    }

    /// One bit for a key, the same for equal keys; every bit for a key that has to be unescaped to be compared.
    fn key_bit(&self, member: &Node) -> u64 {
        let key = &self.bytes[member.key_start as usize..member.key_end as usize];
        match (key, member.key_escaped) {
            (_, true) => u64::MAX,
            ([], false) => 1,
            ([first, .., last], false) => 1 << ((key.len() + usize::from(*first) * 5 + usize::from(*last) * 3) % 64),
            ([only], false) => 1 << (only % 64),
        }
    }

    fn same_key(&self, a: &Node, b: &Node) -> bool {
        if a.key_escaped || b.key_escaped {
            return key_text(self.text, a) == key_text(self.text, b);
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
            let Some(run) = scan::string_run(&self.bytes[self.at..]) else {
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
        // Most often there is none.
        if self.bytes.get(self.at).is_some_and(|&byte| byte <= b' ') {
            self.at += scan::space_run(&self.bytes[self.at..]);
        }
    }
}

/// Offsets fit: texts over four gigabytes are refused before reading.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NONE)
}
