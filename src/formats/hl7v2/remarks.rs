//! What is odd in a message and can be passed on all the same: what is wrong with those it is about, backslashes that
//! escape nothing (HL7 v2.4 §2.10), EVN where another segment belongs (chapter 3), Windows characters under the name of
//! ISO 8859-1 (§2.16.9.18). It is kept as it came, and somebody should know.

use super::escape;
use super::fields::Fields;
use super::subject;

/// Something odd, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Such as `PID-11`.
    pub place: String,
    /// Error code of table 0357, where the source is held to it.
    pub code: u16,
    /// A sentence for people, free of patient data.
    pub sentence: &'static str,
}

/// Most remarks about one message.
const MOST: usize = 10;

/// What is odd in a message.
#[must_use]
pub fn of(message: &Fields<'_>) -> Vec<Remark> {
    let mut remarks = subject::remarks(message);
    let late = message.segments().position(|segment| segment.name() == b"EVN").is_some_and(|at| at != 1);
    if late {
        let sentence = "EVN belongs directly behind MSH; the segments are read in the order in which they came.";
        remarks.push(Remark { place: "EVN".to_owned(), code: 100, sentence });
    }
    let declared = message.header().component(18, 1);
    let is_latin = declared.starts_with(b"8859/1") && declared.len() == 6;
    if is_latin && has_windows_characters(message.bytes()) {
        let sentence = "MSH-18 says 8859/1, and characters of Windows-1252 came; they are read as such.";
        remarks.push(Remark { place: "MSH-18".to_owned(), code: 100, sentence });
    }
    remarks.extend(escapes(message));
    remarks.truncate(MOST);
    remarks
}

/// ISO 8859-1 has control characters there, which nobody sends.
fn has_windows_characters(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| (0x80..0xA0).contains(byte)) && std::str::from_utf8(bytes).is_err()
}

/// Fields with an escape character that begins nothing.
fn escapes(message: &Fields<'_>) -> Vec<Remark> {
    let delimiters = message.delimiters();
    let Ok(escape_byte) = u8::try_from(delimiters.escape) else { return Vec::new() };
    let mut remarks = Vec::new();
    for segment in message.segments().filter(|segment| memchr::memchr(escape_byte, segment.bytes()).is_some()) {
        // MSH-2 is where it is named.
        let first = if segment.name() == b"MSH" { 3 } else { 1 };
        for number in first..=segment.last_field() {
            let field = segment.field(number);
            if memchr::memchr(escape_byte, field).is_some()
                && escape::plain(&String::from_utf8_lossy(field), delimiters).1 > 0
            {
                let place = format!("{}-{number}", String::from_utf8_lossy(segment.name()));
                let sentence = "An escape sequence that is none, or is not known here; it is kept as it stands.";
                remarks.push(Remark { place, code: 100, sentence });
                if remarks.len() == MOST {
                    return remarks;
                }
            }
        }
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(message: &[u8]) -> Vec<String> {
        of(&Fields::read(message).unwrap()).into_iter().map(|remark| remark.place).collect()
    }

    #[test]
    fn what_is_odd_is_told_by_its_place() {
        let nothing = b"MSH|^~\\&|A\\T\\B\rEVN|A31\rPID|1||1||A\\F\\B^\\.br\\\r";
        assert_eq!(places(nothing), Vec::<String>::new());
        assert_eq!(places(b"MSH|^~\\&|A\rPID|1||1||C:\\DIR|\\Z9\\\rEVN|A31\r"), ["EVN", "PID-5", "PID-6"]);
        let latin = b"MSH|^~\\&|A|||||||||||||||8859/1\rPID|1||1||St John\x92s\r";
        assert_eq!(places(latin), ["MSH-18"]);
        assert_eq!(places(b"MSH|^~\\&|A|||||||||||||||8859/1\rPID|1||1||Zo\xEB\r"), Vec::<String>::new());
        let many = format!("MSH|^~\\&|A\r{}", "NTE|1||\\\r".repeat(20));
        assert_eq!(places(many.as_bytes()).len(), 10);
    }
}
