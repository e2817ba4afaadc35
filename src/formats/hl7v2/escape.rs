//! Escape sequences: how a delimiter stands inside a value (HL7 v2.4 §2.10), with the delimiters of the message. `\.br\`
//! and the other formatting commands are read, and never written.

/// The five delimiters of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiters {
    /// Between fields: `|`.
    pub field: char,
    /// Between components: `^`.
    pub component: char,
    /// Between repetitions: `~`.
    pub repetition: char,
    /// Around an escape: `\`.
    pub escape: char,
    /// Between subcomponents: `&`.
    pub subcomponent: char,
}

impl Delimiters {
    /// The ones the standard suggests and we write.
    pub const STANDARD: Self = Self { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' };

    /// What MSH-2 says.
    #[must_use]
    pub fn encoding_characters(&self) -> String {
        [self.component, self.repetition, self.escape, self.subcomponent].iter().collect()
    }

    fn letter_of(&self, delimiter: char) -> Option<char> {
        self.pairs().into_iter().find(|(_, with)| *with == delimiter).map(|(letter, _)| letter)
    }

    fn delimiter_of(&self, letter: &str) -> Option<char> {
        let mut letters = letter.chars();
        let (letter, rest) = (letters.next()?, letters.next());
        self.pairs().into_iter().find(|(name, _)| *name == letter && rest.is_none()).map(|(_, with)| with)
    }

    fn pairs(&self) -> [(char, char); 5] {
        [('F', self.field), ('S', self.component), ('T', self.subcomponent), ('R', self.repetition), ('E', self.escape)]
    }
}

/// The text with the delimiters escaped. A run of control characters (a line break above all) becomes one space:
/// it would end the segment, or the frame.
#[must_use]
pub fn escape(text: &str, delimiters: Delimiters) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_controls = false;
    for character in text.chars() {
        if character.is_control() {
            if !in_controls {
                out.push(' ');
            }
        } else if let Some(letter) = delimiters.letter_of(character) {
            out.extend([delimiters.escape, letter, delimiters.escape]);
        } else {
            out.push(character);
        }
        in_controls = character.is_control();
    }
    out
}

/// The text with escaped delimiters resolved, once. Any other sequence is kept as it stands.
#[must_use]
pub fn unescape(text: &str, delimiters: Delimiters) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(delimiters.escape) {
        out.push_str(before);
        let sequence = after.split_once(delimiters.escape);
        if let Some((delimiter, following)) =
            sequence.and_then(|(name, following)| Some((delimiters.delimiter_of(name)?, following)))
        {
            out.push(delimiter);
            rest = following;
        } else {
            out.push(delimiters.escape);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The text as a person reads it: delimiters resolved, `\X41\` as the characters of those bytes, `\.br\` and its kin as
/// line breaks, highlighting gone. What is not understood is kept as it stands; the number of such sequences comes with it.
#[must_use]
pub fn plain(text: &str, delimiters: Delimiters) -> (String, usize) {
    let (mut out, mut unknown) = (String::with_capacity(text.len()), 0);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(delimiters.escape) {
        out.push_str(before);
        let sequence = after.split_once(delimiters.escape);
        let meaning = sequence.and_then(|(name, following)| Some((meaning(name, delimiters)?, following)));
        if let Some((meaning, following)) = meaning {
            out.push_str(&meaning);
            rest = following;
        } else {
            unknown += 1;
            out.push(delimiters.escape);
            rest = after;
        }
    }
    out.push_str(rest);
    (out, unknown)
}

fn meaning(name: &str, delimiters: Delimiters) -> Option<String> {
    if let Some(delimiter) = delimiters.delimiter_of(name) {
        return Some(delimiter.to_string());
    }
    let count = |digits: &str| digits.trim_start_matches('+').trim().parse::<usize>().map_or(1, |count| count.min(100));
    match name {
        // Highlighting, and text that is or is not to be wrapped.
        "H" | "N" | ".fi" | ".nf" => Some(String::new()),
        ".br" | ".ce" => Some("\n".to_owned()),
        _ if name.starts_with(".sp") => Some("\n".repeat(count(&name[3..]))),
        _ if name.starts_with(".sk") => Some(" ".repeat(count(&name[3..]))),
        _ if name.starts_with(".in") || name.starts_with(".ti") => Some(String::new()),
        _ => hexadecimal(name.strip_prefix('X')?),
    }
}

/// The characters of bytes: UTF-8 where they are that, else Windows-1252.
fn hexadecimal(digits: &str) -> Option<String> {
    let bytes = hex::decode(digits).ok().filter(|bytes| !bytes.is_empty())?;
    Some(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(other) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(other.as_bytes()).0.into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_survives_escaping(text in "([|^~\\\\&FSTRE]|[^\\pC]){0,40}") {
            let escaped = escape(&text, Delimiters::STANDARD);
            let bare = escaped.replace("\\F\\", "").replace("\\S\\", "").replace("\\T\\", "").replace("\\R\\", "");
            prop_assert!(!bare.contains(['|', '^', '~', '&']));
            prop_assert_eq!(unescape(&escaped, Delimiters::STANDARD), text);
        }

        #[test]
        fn no_control_character_gets_out(text in any::<String>()) {
            prop_assert!(!escape(&text, Delimiters::STANDARD).contains(char::is_control));
        }
    }

    #[test]
    fn line_breaks_become_one_space() {
        let escape = |text| escape(text, Delimiters::STANDARD);
        assert_eq!(escape("Flat 2\r\n1 The Street\u{1c}\u{b}"), "Flat 2 1 The Street ");
    }

    #[test]
    fn what_is_no_escape_stays() {
        let read = |text| unescape(text, Delimiters::STANDARD);
        assert_eq!(read(r"C:\DIR\F\x"), r"C:\DIR|x");
        assert_eq!(read(r"a\.br\b\"), r"a\.br\b\");
        let own = Delimiters { escape: '!', field: '#', ..Delimiters::STANDARD };
        assert_eq!(unescape("a!F!b", own), "a#b");
    }

    #[test]
    fn a_person_reads_line_breaks_and_characters() {
        let read = |text| plain(text, Delimiters::STANDARD);
        assert_eq!(read(r"One\.br\Two \X41\ \H\bold\N\ \F\"), ("One\nTwo A bold |".to_owned(), 0));
        assert_eq!(read(r"\XC3AB\\XEB\\.sp2\x\.sk3\y"), ("ëë\n\nx   y".to_owned(), 0));
        assert_eq!(read(r"\Z99\ \C2842\ \X4\"), (r"\Z99\ \C2842\ \X4\".to_owned(), 6));
        assert_eq!(read(r"C:\DIR\NAME"), (r"C:\DIR\NAME".to_owned(), 2));
    }
}
