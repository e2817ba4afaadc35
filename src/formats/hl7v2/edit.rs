//! The editor: other values at places of a message, and every other byte as it came. It writes strictly (HL7 v2.4 §2.7 to
//! §2.10): values are escaped with the message's own delimiters, every character must exist in the charset, and MSH-10
//! has the length that the version allows.

use super::charset::Charset;
use super::escape::escape;
use super::fields::Fields;
use super::path::Path;

/// Most characters of MSH-10 up to v2.6, and from v2.7.
const CONTROL_ID: (usize, usize) = (20, 199);

/// Why a value cannot be written. Names the place, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no MSH to take the delimiters from.
    #[error("the message does not begin with MSH")]
    NoMessage,
    /// The message has no such segment; the editor adds none.
    #[error("{0}: the message has no such segment")]
    NoSegment(Path),
    /// MSH-1 and MSH-2 are what the message is written with.
    #[error("{0}: the delimiters of a message cannot be changed")]
    Delimiters(Path),
    /// MSH-10 is missing or too long.
    #[error("MSH-10 must be 1 to {0} characters")]
    ControlId(usize),
    /// The charset lacks a character.
    #[error("{0} holds a character that the charset ({1}) does not have")]
    Character(Path, &'static str),
}

/// The message with this value at a place. Fields, repetitions and components that are missing before it are written
/// empty.
///
/// # Errors
/// Why it cannot be written; nothing is changed then.
pub fn set(message: &[u8], path: &Path, value: &str, charset: Charset) -> Result<Vec<u8>, EditError> {
    let fields = Fields::read(message).ok_or(EditError::NoMessage)?;
    let is_header = path.segment == *b"MSH";
    if is_header && path.field <= 2 {
        return Err(EditError::Delimiters(*path));
    }
    if is_header && path.field == 10 {
        let most = if fields.header().version() < (2, 7) { CONTROL_ID.0 } else { CONTROL_ID.1 };
        if !(1..=most).contains(&value.chars().count()) {
            return Err(EditError::ControlId(most));
        }
    }
    let mut named = fields.segments().filter(|segment| segment.name() == path.segment);
    let segment = named.nth(path.occurrence - 1).ok_or(EditError::NoSegment(*path))?;
    let delimiters = fields.delimiters();
    let escaped = if value == "\"\"" { value.to_owned() } else { escape(value, delimiters) };
    let bytes = charset.encode(&escaped).ok_or(EditError::Character(*path, charset.name()))?;

    let [component, repetition, subcomponent] =
        [delimiters.component, delimiters.repetition, delimiters.subcomponent].map(|delimiter| delimiter as u8);
    let within = |old: &[u8]| match (path.component, path.subcomponent) {
        (None, _) => bytes.to_vec(),
        (Some(number), None) => replaced(old, component, number, &|_| bytes.to_vec()),
        (Some(number), Some(sub)) => {
            replaced(old, component, number, &|old| replaced(old, subcomponent, sub, &|_| bytes.to_vec()))
        }
    };
    let field = |old: &[u8]| replaced(old, repetition, path.repetition.unwrap_or(1), &within);
    // The name of a segment is its first part; MSH-1 is the separator behind it.
    let number = if is_header { path.field } else { path.field + 1 };
    let line = replaced(segment.bytes(), fields.header().separator, number, &field);

    let whole = message.len() - fields.bytes().len();
    let start = whole + segment.start();
    let mut out = Vec::with_capacity(message.len() + line.len());
    out.extend_from_slice(&message[..start]);
    out.extend_from_slice(&line);
    out.extend_from_slice(&message[start + segment.bytes().len()..]);
    Ok(out)
}

/// The bytes with another part at this number (from 1), and empty parts before it where there are none.
fn replaced(bytes: &[u8], delimiter: u8, number: usize, part: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let parts: Vec<&[u8]> = bytes.split(|byte| *byte == delimiter).collect();
    let mut out = Vec::with_capacity(bytes.len() + 32);
    for index in 0..parts.len().max(number) {
        if index > 0 {
            out.push(delimiter);
        }
        let old = parts.get(index).copied().unwrap_or_default();
        if index + 1 == number { out.extend(part(old)) } else { out.extend_from_slice(old) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MESSAGE: &str = "MSH|^~\\&|A|B|||||ADT^A31|1|P|2.4\r\nPID|1||1^^^NHS~2^^^RXX&x|\nOBX|1\rOBX|2|NM";

    fn edited(path: &str, value: &str) -> Result<String, EditError> {
        let bytes = set(MESSAGE.as_bytes(), &path.parse().unwrap(), value, Charset::Utf8)?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_value_is_changed_and_nothing_else() {
        for (path, value, old, new) in [
            ("MSH-10", "77", "|1|P|", "|77|P|"),
            ("PID-3[2].4.1", "RYY", "RXX&x", "RYY&x"),
            ("PID-3[2].4", "R&Y", "RXX&x", "R\\T\\Y"),
            ("PID-3", "9", "1^^^NHS~", "9~"),
            ("PID-3[4].2", "n", "RXX&x|", "RXX&x~~^n|"),
            ("PID-5.2", "Zoë", "RXX&x|\n", "RXX&x||^Zoë\n"),
            ("PID-2", "\"\"", "PID|1||1", "PID|1|\"\"|1"),
            ("OBX[2]-5.1.2", "<|>", "OBX|2|NM", "OBX|2|NM|||&<\\F\\>"),
            ("MSH-15", "AL", "P|2.4\r", "P|2.4|||AL\r"),
        ] {
            assert_eq!(edited(path, value).unwrap(), MESSAGE.replacen(old, new, 1), "{path}");
        }
    }

    #[test]
    fn what_may_not_be_written_is_told_without_its_value() {
        let told = |path: &str, value: &str| edited(path, value).unwrap_err().to_string();
        assert_eq!(told("MSH-10", "123456789012345678901"), "MSH-10 must be 1 to 20 characters");
        assert_eq!(told("MSH-10", ""), "MSH-10 must be 1 to 20 characters");
        assert_eq!(told("MSH-2", "^"), "MSH-2: the delimiters of a message cannot be changed");
        assert_eq!(told("OBX[3]-5", "1"), "OBX[3]-5: the message has no such segment");
        let latin = set(MESSAGE.as_bytes(), &"PID-5".parse().unwrap(), "Łucja", Charset::Windows1252).unwrap_err();
        assert_eq!(latin.to_string(), "PID-5 holds a character that the charset (windows-1252) does not have");
        assert_eq!(set(b"PID|1", &"PID-5".parse().unwrap(), "x", Charset::Utf8), Err(EditError::NoMessage));
        let modern = MESSAGE.replace("2.4", "2.7.1");
        assert!(set(modern.as_bytes(), &"MSH-10".parse().unwrap(), &"x".repeat(199), Charset::Utf8).is_ok());
    }

    proptest! {
        #[test]
        fn what_was_put_in_is_read_out_again(
            value in "([|^~\\\\&#]|[^\\pC]){0,12}",
            path in prop::sample::select(vec!["PID-5", "PID-3[3].2", "PID-3[2].4.2", "OBX[2]-5.1.3", "MSH-3.1"]),
            delimiters in prop::sample::select(vec!["|^~\\&", "#*!?%"]),
        ) {
            let own: Vec<char> = delimiters.chars().collect();
            let standard = ['|', '^', '~', '\\', '&'];
            let change = |letter: char| standard.iter().position(|known| *known == letter).map_or(letter, |at| own[at]);
            let message: String = MESSAGE.chars().map(change).collect();
            let path = path.parse().unwrap();
            let edited = set(message.as_bytes(), &path, &value, Charset::Utf8).unwrap();
            let fields = Fields::read(&edited).unwrap();
            let read = String::from_utf8(fields.get(&path).unwrap().to_vec()).unwrap();
            prop_assert_eq!(super::super::escape::unescape(&read, fields.delimiters()), value);
        }
    }
}
