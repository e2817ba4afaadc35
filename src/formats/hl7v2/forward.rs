//! A message passed on as it came (HL7 v2.4 §2.16.9): only what is agreed between two neighbours is ours to change, the
//! character set (MSH-18) and the acknowledgements that are asked for (MSH-15, MSH-16).

use std::borrow::Cow;

use super::Unmapped;
use super::charset::{self, Charset};
use super::edit;
use super::fields::Fields;
use super::path::Path;

/// A message to be sent on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    /// What is sent.
    pub bytes: Vec<u8>,
    /// MSH-10, as the acknowledgement will name it.
    pub control_id: String,
}

/// Puts a message into the partner's charset. One that asks for enhanced mode asks the partner for `asks` (MSH-15,
/// MSH-16) instead: what the sender wanted, it has got from us.
///
/// # Errors
/// When it is no message, or a character is not in the partner's charset; the text names the field, never a value.
pub fn forward(message: &[u8], charset: Charset, asks: [&str; 2]) -> Result<Forwarded, Unmapped> {
    let message = message.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(message).trim_ascii_start();
    let fields = Fields::read(message).ok_or_else(|| Unmapped::new("the message does not begin with MSH"))?;
    let header = fields.header();
    if message.contains(&0x0B) || message.contains(&0x1C) {
        return Err(Unmapped::new("the message holds a byte that begins or ends a frame (0B or 1C)"));
    }
    let control_id = String::from_utf8_lossy(header.field(10)).trim().to_owned();
    if control_id.is_empty() {
        return Err(Unmapped::new("MSH-10 is empty: the partner's acknowledgement could not be told from another's"));
    }
    let (mut bytes, recoded) = encode(message, &fields, charset)?;
    let mut changes: Vec<(usize, &str)> = Vec::new();
    if !header.field(15).is_empty() || !header.field(16).is_empty() {
        changes.extend([(15, asks[0]), (16, asks[1])]);
    }
    if recoded {
        changes.push((18, charset.msh_18()));
    }
    for (field, value) in changes {
        let path =
            Path { segment: *b"MSH", occurrence: 1, field, repetition: None, component: None, subcomponent: None };
        let edited = edit::set(&bytes, &path, value, charset).map_err(|error| Unmapped(error.to_string()))?;
        bytes = Cow::Owned(edited);
    }
    Ok(Forwarded { bytes: bytes.into_owned(), control_id })
}

/// The bytes in the partner's charset, and whether MSH-18 must say so. Plain ASCII is the same in every one.
fn encode<'m>(message: &'m [u8], fields: &Fields<'_>, charset: Charset) -> Result<(Cow<'m, [u8]>, bool), Unmapped> {
    if message.is_ascii() {
        return Ok((Cow::Borrowed(message), false));
    }
    let declared = fields.header().component(18, 1);
    // What MSH-18 does not say was decided at the door: read so, or never taken.
    let otherwise = Some(encoding_rs::WINDOWS_1252);
    let text = charset::read(message, declared, otherwise).map_err(|unreadable| Unmapped(unreadable.to_string()))?;
    let Some(encoded) = charset.encode(&text).map(Cow::into_owned) else {
        let lacking = |field: &[u8]| {
            charset::read(field, declared, otherwise).map_or(true, |text| charset.encode(&text).is_none())
        };
        let place = fields.first_field(lacking).unwrap_or_else(|| "a field".to_owned());
        let name = charset.name();
        return Err(Unmapped(format!("{place} holds a character that the partner's charset ({name}) does not have")));
    };
    let says = Charset::of_msh_18(declared) == Some(charset);
    let same = encoded == message;
    Ok((if same { Cow::Borrowed(message) } else { Cow::Owned(encoded) }, !(same && says)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn forwarded(message: &[u8], charset: Charset) -> Result<Vec<u8>, String> {
        forward(message, charset, ["AL", "NE"]).map(|it| it.bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn a_message_is_put_into_the_partners_charset_and_says_so() {
        let latin = b"MSH|^~\\&|A|B|C|D|2026||ADT^A31|7|P|2.4|||||GBR|8859/1\rPID|||||Zo\xEB\r";
        let utf8 = "MSH|^~\\&|A|B|C|D|2026||ADT^A31|7|P|2.4|||||GBR|UNICODE UTF-8\rPID|||||Zoë\r".as_bytes();
        assert_eq!(forwarded(latin, Charset::Utf8).unwrap(), utf8);
        assert_eq!(forwarded(utf8, Charset::Windows1252).unwrap(), latin);
        assert_eq!(forwarded(latin, Charset::Windows1252).unwrap(), latin);
        assert_eq!(forwarded(utf8, Charset::Utf8).unwrap(), utf8);
        let silent = b"MSH|^~\\&|A|B|C|D|2026||ADT^A31|7|P|2.4\rPID|||||Zo\xEB\r";
        let told = "MSH|^~\\&|A|B|C|D|2026||ADT^A31|7|P|2.4||||||UNICODE UTF-8\rPID|||||Zoë\r";
        assert_eq!(forwarded(silent, Charset::Utf8).unwrap(), told.as_bytes());
        assert_eq!(
            forwarded("MSH|^~\\&|A|B|C|D|2026||ADT^A31|7|P|2.4\rPID|1||||Ł\r".as_bytes(), Charset::Windows1252),
            Err("PID-5 holds a character that the partner's charset (windows-1252) does not have".to_owned())
        );
        assert!(forwarded(latin, Charset::Ascii).unwrap_err().starts_with("PID-5 holds"));
    }

    #[test]
    fn what_is_not_what_it_says_it_is_goes_to_nobody() {
        let message = |declared: &str| {
            let head = format!("MSH|^~\\&|A|B|C|D|2026||ORU^R01|7|P|2.4||||||{declared}\rOBX|1|ST|||62.5 µg\rNTE|1||");
            [head.as_bytes(), b"\xC5"].concat()
        };
        for (declared, told) in [("UNICODE UTF-8", "it is not"), ("BIG-5", "not known here")] {
            for charset in [Charset::Utf8, Charset::Windows1252] {
                assert!(forwarded(&message(declared), charset).unwrap_err().contains(told), "{declared}");
            }
        }
    }

    #[test]
    fn the_acknowledgements_asked_for_are_ours_to_ask() {
        let enhanced = b"MSH|^~\\&|A|B|C|D|2026||ADT^A31|7|P|2.4|||NE|NE\rPID|1";
        let asked = b"MSH|^~\\&|A|B|C|D|2026||ADT^A31|7|P|2.4|||AL|NE\rPID|1";
        assert_eq!(forwarded(enhanced, Charset::Utf8).unwrap(), asked);
    }

    #[test]
    fn what_could_not_be_answered_or_framed_is_refused() {
        assert!(forwarded(b"MSH|^~\\&|A|B|C|D|2026||ADT^A31||P|2.4\r", Charset::Utf8).unwrap_err().contains("MSH-10"));
        assert!(forwarded(b"MSH|^~\\&|A|B|C|D|2026||ADT^A31|7|P\rX\x1C\r", Charset::Utf8).unwrap_err().contains("1C"));
        assert!(forwarded(b"nonsense", Charset::Utf8).is_err());
    }

    proptest! {
        #[test]
        fn plain_messages_go_as_they_came(rest in "([ -{}~\\r]|\\n){0,80}") {
            let message = format!("MSH|^~\\&|A|B|C|D|2026||ADT^A31|7|P|2.4\r{rest}");
            for charset in [Charset::Ascii, Charset::Windows1252, Charset::Utf8] {
                prop_assert_eq!(forwarded(message.as_bytes(), charset).unwrap(), message.as_bytes());
            }
        }
    }
}
