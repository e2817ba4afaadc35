//! The ACK writer: MSH with the sender and the receiver changed over, MSA, and ERR in the form of the message's version
//! (HL7 v2.4 §2.13.1 and §2.16.5, v2.5 §2.15.5).
//!
//! What is echoed is copied as bytes, so delimiters and charset are the message's own. MSH-11 and MSH-12 are echoed: the
//! answer to a training message must never look like production.

use chrono::{DateTime, Utc};

use super::ack::Code;
use super::header::Header;
use super::ts;

/// What is to be said.
#[derive(Debug, Clone)]
pub struct Acknowledgement<'a> {
    /// MSA-1.
    pub code: Code,
    /// Our own MSH-10, at most 20 characters.
    pub control_id: &'a str,
    /// MSH-7.
    pub at: DateTime<Utc>,
    /// MSA-3: a sentence for people, ASCII, free of patient data. Empty: none.
    pub text: &'a str,
    /// MSA-4: the sequence number that comes next, where numbers are counted.
    pub expected: Option<i64>,
    /// What is wrong with the message.
    pub error: Option<Error<'a>>,
}

/// One error of table 0357.
#[derive(Debug, Clone, Copy)]
pub struct Error<'a> {
    /// Code of table 0357.
    pub code: u16,
    /// Where: `PID`, `PID-3` or `PID-3.1`; empty: not in one place.
    pub place: &'a str,
}

/// Writes the acknowledgement; without a header of the message, an answer to nobody in standard delimiters.
#[must_use]
pub fn write(header: Option<&Header<'_>>, ack: &Acknowledgement<'_>) -> Vec<u8> {
    let nothing = Header::read(b"MSH|^~\\&|||||||||P|2.4");
    let Some(header) = header.or(nothing.as_ref()) else { return Vec::new() };
    let mut out = Writer { out: Vec::with_capacity(256), header };
    out.msh(ack);
    let modern = header.version() >= (2, 5);
    out.segment(b"MSA");
    out.field(ack.code.as_str().as_bytes());
    out.field(header.field(10));
    out.text(ack.text);
    if let Some(expected) = ack.expected {
        out.field(expected.to_string().as_bytes());
    }
    if let (Some(error), false) = (&ack.error, modern) {
        out.skip(if ack.expected.is_some() { 1 } else { 2 });
        out.components(&[&error.code.to_string(), meaning(error.code), "HL70357"]);
    }
    if let Some(error) = &ack.error {
        out.segment(b"ERR");
        let (segment, field, component) = place(error.place);
        let code = error.code.to_string();
        if modern {
            out.skip(1);
            let first = |part: &str| if part.is_empty() { "" } else { "1" };
            out.components(&[segment, first(segment), field, first(field), component]);
            out.components(&[&code, meaning(error.code), "HL70357"]);
            out.field(b"E");
            out.skip(3);
            out.text(ack.text);
        } else {
            let sequence = if segment.is_empty() { "" } else { "1" };
            out.eld([segment, sequence, field], &code, meaning(error.code));
        }
    }
    out.end();
    out.out
}

/// `PID-3.1` in its parts.
fn place(place: &str) -> (&str, &str, &str) {
    let (segment, rest) = place.split_once('-').unwrap_or((place, ""));
    let (field, component) = rest.split_once('.').unwrap_or((rest, ""));
    (segment, field, component)
}

/// Table 0357.
fn meaning(code: u16) -> &'static str {
    match code {
        0 => "Message accepted",
        100 => "Segment sequence error",
        101 => "Required field missing",
        102 => "Data type error",
        103 => "Table value not found",
        200 => "Unsupported message type",
        201 => "Unsupported event code",
        202 => "Unsupported processing id",
        203 => "Unsupported version id",
        204 => "Unknown key identifier",
        205 => "Duplicate key identifier",
        206 => "Application record locked",
        _ => "Application internal error",
    }
}

struct Writer<'h, 'm> {
    out: Vec<u8>,
    header: &'h Header<'m>,
}

impl Writer<'_, '_> {
    fn msh(&mut self, ack: &Acknowledgement<'_>) {
        let header = self.header;
        self.out.extend_from_slice(b"MSH");
        self.field(header.encoding);
        for number in [5, 6, 3, 4] {
            self.field(header.field(number));
        }
        self.field(ts::local(ack.at).as_bytes());
        self.skip(1);
        // The structure is named since v2.3.1.
        let event = String::from_utf8_lossy(header.component(9, 2)).into_owned();
        match (event.as_str(), header.version() >= (2, 3)) {
            ("", _) | (_, false) => self.field(b"ACK"),
            (event, true) => self.components(&["ACK", event, "ACK"]),
        }
        self.field(ack.control_id.as_bytes());
        self.field(header.field(11));
        self.field(header.field(12));
        self.skip(5);
        self.field(header.field(18));
    }

    fn segment(&mut self, name: &[u8]) {
        self.end();
        self.out.extend_from_slice(name);
    }

    /// Ends the segment: separators that nothing follows are not written.
    fn end(&mut self) {
        while self.out.last() == Some(&self.header.separator) {
            self.out.pop();
        }
        self.out.push(b'\r');
    }

    fn field(&mut self, bytes: &[u8]) {
        self.out.push(self.header.separator);
        self.out.extend_from_slice(bytes);
    }

    fn skip(&mut self, fields: usize) {
        self.out.extend(std::iter::repeat_n(self.header.separator, fields));
    }

    /// Our own words, with the delimiters of the message escaped.
    fn text(&mut self, text: &str) {
        self.out.push(self.header.separator);
        let encoding = self.header.encoding;
        for byte in text.bytes() {
            let letter = match encoding.iter().position(|delimiter| *delimiter == byte) {
                _ if byte == self.header.separator => Some(b'F'),
                Some(at) => b"SRET".get(at).copied(),
                None => None,
            };
            match (letter, encoding.get(2)) {
                (Some(letter), Some(escape)) => self.out.extend_from_slice(&[*escape, letter, *escape]),
                (None, _) if (b' '..=b'~').contains(&byte) => self.out.push(byte),
                _ => self.out.push(b' '),
            }
        }
    }

    fn components(&mut self, components: &[&str]) {
        let last = components.iter().rposition(|component| !component.is_empty()).map_or(0, |at| at + 1);
        let separator = [self.header.component_separator()];
        let parts: Vec<&[u8]> = components[..last].iter().map(|component| component.as_bytes()).collect();
        self.field(&parts.join(&separator[..]));
    }

    /// ERR-1 up to v2.4: segment, sequence, field, and the code as subcomponents.
    fn eld(&mut self, place: [&str; 3], code: &str, meaning: &str) {
        let (component, sub) =
            (self.header.component_separator(), self.header.encoding.get(3).copied().unwrap_or(b'&'));
        let code = [code.as_bytes(), meaning.as_bytes(), b"HL70357"].join(&[sub][..]);
        let parts = [place[0].as_bytes(), place[1].as_bytes(), place[2].as_bytes(), &code];
        self.field(&parts.join(&[component][..]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(message: &str, code: Code, error: Option<Error<'_>>) -> String {
        let at = DateTime::from_timestamp(1_782_900_000, 0).unwrap();
        let text = "The date of birth is no date.";
        let header = Header::read(message.as_bytes());
        let ack = Acknowledgement { code, control_id: "01KE0000000000000000", at, text, expected: None, error };
        String::from_utf8(write(header.as_ref(), &ack)).unwrap().replace('\r', "\n")
    }

    #[test]
    fn acknowledgements_of_every_version_and_delimiter() {
        let message = |version: &str| {
            format!("MSH|^~\\&|PAS|RXX|SB|RYY|20260701||ADT^A31^ADT_A05|C0001|T|{version}|||AL|NE|GBR|8859/1\rPID|1")
        };
        let error = Some(Error { code: 102, place: "PID-7.1" });
        let told = [
            written(&message("2.4"), Code::AA, None),
            written(&message("2.2"), Code::AE, error),
            written(&message("2.4"), Code::AE, error),
            written(&message("2.5.1"), Code::AE, error),
            written(&message("2.5"), Code::AR, Some(Error { code: 207, place: "" })),
            written("MSH#*~!%#PAS#RXX#SB#RYY#2026##ADT*A31#C0.1#P#2.4", Code::AE, error),
            written("nonsense", Code::AR, Some(Error { code: 102, place: "MSH" })),
        ];
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn what_is_written_is_read_as_what_it_says() {
        for version in ["2.1", "2.3.1", "2.4", "2.5.1", "2.8"] {
            let message = format!("MSH|^~\\&|PAS|RXX|SB|RYY|20260701||ADT^A31|C0001|P|{version}\rPID|1");
            let header = Header::read(message.as_bytes());
            let error = Some(Error { code: 205, place: "MSH-10" });
            let ack = Acknowledgement {
                code: Code::AE,
                control_id: "1",
                at: DateTime::default(),
                text: "a|b^c",
                expected: None,
                error,
            };
            let read = super::super::ack::read(&write(header.as_ref(), &ack)).unwrap();
            assert_eq!((read.code, read.control_id.as_str(), read.errors), (Code::AE, "C0001", vec![205]), "{version}");
        }
    }
}
