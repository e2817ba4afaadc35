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

/// Reads a message as text: by its byte order mark, as UTF-8 when it is that, as MSH-18 declares, else as `otherwise`.
/// `None` when a byte has no character: nothing is ever replaced.
#[must_use]
pub fn read<'m>(message: &'m [u8], declared: &[u8], otherwise: Option<&'static Encoding>) -> Option<Cow<'m, str>> {
    let message = message.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(message);
    if let Ok(text) = std::str::from_utf8(message) {
        return Some(Cow::Borrowed(text));
    }
    let encoding = declared_encoding(declared).or(otherwise)?;
    encoding.decode_without_bom_handling_and_without_replacement(message)
}

/// The character set that MSH-18 names (table 0211), if it is one of a byte a character. ISO 8859-1 is read as
/// Windows-1252, as the WHATWG does: what senders write there are curly quotes, not control characters.
fn declared_encoding(declared: &[u8]) -> Option<&'static Encoding> {
    let name = String::from_utf8_lossy(declared).trim().to_ascii_uppercase();
    let part = name.strip_prefix("8859/").or_else(|| name.strip_prefix("ISO-8859-"))?;
    Encoding::for_label(format!("iso-8859-{part}").as_bytes())
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
        assert_eq!(read(b"Zo\xEB", ""), None);
        assert_eq!(read(b"Zo\xEB", "UNICODE UTF-8"), None, "never a replacement");
        assert_eq!(super::read(b"Zo\xEB", b"20260102", Some(encoding_rs::WINDOWS_1252)).unwrap(), "Zoë");
        assert_eq!(super::read(b"\x81", b"", Some(encoding_rs::WINDOWS_1252)).unwrap(), "\u{81}");
    }
}
