//! Character sets (MSH-18, HL7 table 0211). A character the partner's set does not have is an error, never a `?`.

use std::borrow::Cow;

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
}
