//! Character sets (MSH-18, HL7 table 0211). A character the partner's set does not have is an error, never a `?`.

use std::borrow::Cow;

use encoding_rs::Encoding;
use schemars::JsonSchema;
use serde::Deserialize;

/// How the partner reads the bytes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Charset {
    /// 7-bit; MSH-18 stays empty, which means the same.
    Ascii,
    /// Western European as Windows has it, a superset of the printable ISO 8859-1 that MSH-18 names.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// UTF-8.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
}

impl Charset {
    /// What MSH-18 says.
    #[must_use]
    pub fn msh_18(self) -> &'static str {
        match self {
            Self::Ascii => "",
            Self::Windows1252 => "8859/1",
            Self::Utf8 => "UNICODE UTF-8",
        }
    }

    /// The set that MSH-18 names, when it is one of these.
    #[must_use]
    pub fn of_msh_18(declared: &[u8]) -> Option<Self> {
        match String::from_utf8_lossy(declared).trim().to_ascii_uppercase().as_str() {
            "" | "ASCII" => Some(Self::Ascii),
            "8859/1" => Some(Self::Windows1252),
            "UNICODE UTF-8" | "UNICODE" | "UTF-8" => Some(Self::Utf8),
            _ => None,
        }
    }

    /// The name in the settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ascii => "ascii",
            Self::Windows1252 => "windows-1252",
            Self::Utf8 => "utf-8",
        }
    }

    /// The bytes of a text; `None` when it holds a character this set does not have.
    #[must_use]
    pub fn encode(self, text: &str) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Ascii => text.is_ascii().then_some(Cow::Borrowed(text.as_bytes())),
            Self::Utf8 => Some(Cow::Borrowed(text.as_bytes())),
            Self::Windows1252 => {
                let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(text);
                (!unmappable).then_some(bytes)
            }
        }
    }
}

/// Why bytes are not read as text; each says where the first byte is (offset in the message, from 0) that is no UTF-8, or
/// that has no character in the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// MSH-18 names UTF-8, and it is none.
    #[error("MSH-18 says that the message is UTF-8, and it is not")]
    NotUtf8(usize),
    /// MSH-18 names a set that is not known here.
    #[error("MSH-18 names a character set that is not known here, and the message is not UTF-8")]
    Unknown(usize),
    /// The set that MSH-18 names has no such character.
    #[error("MSH-18 names a character set that has no such character")]
    NoCharacter(usize),
    /// MSH-18 names none, and none is agreed.
    #[error("MSH-18 names no character set, and the message is not UTF-8")]
    Undeclared(usize),
}

impl Unreadable {
    /// Offset of the first byte that could not be read.
    #[must_use]
    pub fn offset(self) -> usize {
        let (Self::NotUtf8(at) | Self::Unknown(at) | Self::NoCharacter(at) | Self::Undeclared(at)) = self;
        at
    }
}

/// Reads a message as text: by its byte order mark, as UTF-8 when it is that, as MSH-18 declares; where MSH-18 names no
/// set, as `otherwise`.
///
/// # Errors
/// When a byte has no character: nothing is ever replaced, and nothing read as what it says it is not.
pub fn read<'m>(
    message: &'m [u8],
    declared: &[u8],
    otherwise: Option<&'static Encoding>,
) -> Result<Cow<'m, str>, Unreadable> {
    let text = message.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(message);
    let mark = message.len() - text.len();
    let at = match std::str::from_utf8(text) {
        Ok(text) => return Ok(Cow::Borrowed(text)),
        Err(error) => mark + error.valid_up_to(),
    };
    let encoding = match Declared::of(declared) {
        Declared::Nothing => otherwise.ok_or(Unreadable::Undeclared(at))?,
        Declared::Utf8 => return Err(Unreadable::NotUtf8(at)),
        Declared::Set(encoding) => encoding,
        Declared::Unknown => return Err(Unreadable::Unknown(at)),
    };
    let decode = |bytes: &'m [u8]| encoding.decode_without_bom_handling_and_without_replacement(bytes);
    decode(text).ok_or_else(|| {
        let lacking = text.chunks(1).position(|byte| decode(byte).is_none());
        Unreadable::NoCharacter(mark + lacking.unwrap_or_default())
    })
}

/// What MSH-18 says of the bytes.
#[derive(Debug, PartialEq, Eq)]
enum Declared {
    /// Nothing: it is empty, says ASCII, which bytes beyond it contradict, or holds what is no charset at all, as in a
    /// message whose fields are shifted.
    Nothing,
    Utf8,
    /// A set of one byte a character. ISO 8859-1 is read as Windows-1252, as the WHATWG does: what senders write there
    /// are curly quotes, not control characters.
    Set(&'static Encoding),
    /// A set of several bytes a character, in which a delimiter may be half of one, or one that nobody knows.
    Unknown,
}

/// How names in table 0211 begin whose sets are not known here.
const FOREIGN: [&str; 9] = ["8859/", "ISO IR", "JAS2020", "GB 18030", "KS X", "CNS ", "BIG-5", "UNICODE", "UTF-"];

impl Declared {
    /// By the names of table 0211, then by those of the [WHATWG](https://encoding.spec.whatwg.org/#names-and-labels).
    fn of(declared: &[u8]) -> Self {
        let name = String::from_utf8_lossy(declared).trim().to_ascii_uppercase();
        match Charset::of_msh_18(declared) {
            Some(Charset::Ascii) => return Self::Nothing,
            Some(Charset::Utf8) => return Self::Utf8,
            Some(Charset::Windows1252) | None => {}
        }
        let label = name.strip_prefix("8859/").map_or_else(|| name.clone(), |part| format!("iso-8859-{part}"));
        // Languages (GREEK), numbers (866) and the like are labels too; in MSH-18 they have strayed from another field.
        let is_label = label.len() > 3
            && label.starts_with(|first: char| first.is_ascii_alphabetic())
            && label.contains(|letter: char| !letter.is_ascii_alphabetic());
        match Encoding::for_label(label.as_bytes()).filter(|_| is_label && label != "US-ASCII") {
            Some(encoding) if encoding == encoding_rs::UTF_8 => Self::Utf8,
            Some(encoding) if encoding.is_single_byte() => Self::Set(encoding),
            Some(_) => Self::Unknown,
            None if FOREIGN.iter().any(|foreign| name.starts_with(foreign)) => Self::Unknown,
            None => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_outside_the_set_is_never_replaced() {
        assert_eq!(Charset::Windows1252.encode("Zoë’s").unwrap(), &b"Zo\xEB\x92s"[..]);
        assert_eq!(Charset::Windows1252.encode("Łucja"), None);
        assert_eq!(Charset::Ascii.encode("Zoë"), None);
        assert_eq!(Charset::Utf8.encode("Łucja").unwrap(), "Łucja".as_bytes());
    }

    #[test]
    fn a_message_is_read_by_what_it_is_then_by_what_it_says() {
        let read = |bytes: &'static [u8], declared: &'static str| super::read(bytes, declared.as_bytes(), None);
        assert_eq!(read(b"\xEF\xBB\xBFZo\xC3\xAB", "").unwrap(), "Zoë", "the mark is dropped");
        assert_eq!(read(b"Zo\xC3\xAB", "8859/1").unwrap(), "Zoë", "it is UTF-8 whatever it says");
        assert_eq!(read(b"Zo\xEB\x92s", "8859/1").unwrap(), "Zoë’s");
        assert_eq!(read(b"\xA3ucja", "8859/2").unwrap(), "Łucja");
        assert_eq!(read(b"Zo\xEB\x92s", "windows-1252").unwrap(), "Zoë’s");
        assert_eq!(read(b"Zo\xEB", ""), Err(Unreadable::Undeclared(2)));
        assert_eq!(read(b"Zo\xEB", "UNICODE UTF-8"), Err(Unreadable::NotUtf8(2)), "never a replacement");
        assert_eq!(read(b"Z\xEBo\xA5", "8859/7"), Ok("Zλo₯".into()));
        assert_eq!(read(b"Z\xEBo\xAE", "8859/7"), Err(Unreadable::NoCharacter(3)));
        assert_eq!(super::read(b"Zo\xEB", b"20260102", Some(encoding_rs::WINDOWS_1252)).unwrap(), "Zoë");
        assert_eq!(super::read(b"\x81", b"", Some(encoding_rs::WINDOWS_1252)).unwrap(), "\u{81}");
    }

    #[test]
    fn the_set_of_last_resort_is_for_what_names_none() {
        let read = |bytes: &'static [u8], declared: &str| {
            super::read(bytes, declared.as_bytes(), Some(encoding_rs::WINDOWS_1252))
        };
        for nothing in ["", "ASCII", "us-ascii", "\"\"", "20260102", "GBR", "Greek", "866", "L2", "EN^English"] {
            assert_eq!(read(b"62.5 \xB5g", nothing).unwrap(), "62.5 µg", "{nothing}");
        }
        // One byte too few must not turn the others into something else.
        let cut = "62.5 µg, INR ≤ 3 \u{141}".as_bytes().strip_suffix(b"\x81").unwrap();
        for utf8 in ["UNICODE UTF-8", "UNICODE", "utf-8", "UTF8"] {
            assert_eq!(read(cut, utf8), Err(Unreadable::NotUtf8(cut.len() - 1)), "{utf8}");
        }
        let marked = b"\xEF\xBB\xBFZo\xEB";
        assert_eq!(read(marked, "UNICODE UTF-8"), Err(Unreadable::NotUtf8(5)), "counted with the mark");
        for lacking in ["BIG-5", "big5", "UNICODE UTF-16", "GB 18030-2000", "ISO IR87", "8859/99", "Shift_JIS"] {
            assert_eq!(read(b"Zo\xEB", lacking), Err(Unreadable::Unknown(2)), "{lacking}");
        }
    }
}
