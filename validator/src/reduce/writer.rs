//! Writes the reduced JSON: members are copied from the source as they stand, never re-encoded.

use crate::json::{Kind, Value};

/// An object being written at the end of a text.
pub(crate) struct ObjectWriter<'o> {
    out: &'o mut String,
    empty: bool,
}

impl<'o> ObjectWriter<'o> {
    pub(crate) fn begin(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, empty: true }
    }

    /// Copies these members where they are strings, numbers, booleans or arrays of them.
    pub(crate) fn copy(&mut self, from: Value<'_>, keys: &[&str]) {
        for &key in keys {
            let Some(value) = from.get(key) else { continue };
            match value.kind() {
                Kind::Object | Kind::Null => {}
                Kind::Array => self.array(key, value.items(), |item, out| out.push_str(item.raw())),
                Kind::Bool | Kind::Number | Kind::String => self.key(key).push_str(value.raw()),
            }
        }
    }

    /// Writes an array of what `write` makes of each item; nothing when there are none.
    pub(crate) fn array<T>(&mut self, key: &str, items: impl Iterator<Item = T>, write: impl Fn(T, &mut String)) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return;
        }
        let out = self.key(key);
        let mut separator = '[';
        for item in items {
            out.push(separator);
            write(item, out);
            separator = ',';
        }
        out.push(']');
    }

    /// Writes a key and hands out the text for its value.
    pub(crate) fn key(&mut self, key: &str) -> &mut String {
        if !self.empty {
            self.out.push(',');
        }
        self.empty = false;
        push_string(self.out, key);
        self.out.push(':');
        self.out
    }

    pub(crate) fn end(self) {
        self.out.push('}');
    }
}

/// Appends a JSON string.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => {
                out.push_str("\\u00");
                out.extend(char::from_digit(u32::from(control) >> 4, 16));
                out.extend(char::from_digit(u32::from(control) & 15, 16));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn strings_come_back_as_they_were() {
        let text = "a \"quoted\" back\\slash\nnew line \u{1} and £";
        let mut out = String::new();
        push_string(&mut out, text);
        let document = Document::read(out.as_bytes()).unwrap();
        assert_eq!(document.root().as_str().unwrap(), text);
    }
}
