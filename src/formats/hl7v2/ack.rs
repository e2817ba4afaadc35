//! The ACK reader, lenient as acknowledgements in the field demand: any delimiters, line feeds for carriage returns,
//! missing fields (HL7 v2.4 §2.13, v2.5 §2.15).
//!
//! Only codes are kept. MSA-3 and the texts of ERR are free text that may quote a patient's data back at us.

use super::escape::{Delimiters, unescape};

/// What the partner says of the message (table 0008).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Application accept.
    AA,
    /// Application error.
    AE,
    /// Application reject.
    AR,
    /// Commit accept.
    CA,
    /// Commit error.
    CE,
    /// Commit reject.
    CR,
}

impl Code {
    /// The two letters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AA => "AA",
            Self::AE => "AE",
            Self::AR => "AR",
            Self::CA => "CA",
            Self::CE => "CE",
            Self::CR => "CR",
        }
    }

    fn read(text: &str) -> Option<Self> {
        let all = [Self::AA, Self::AE, Self::AR, Self::CA, Self::CE, Self::CR];
        all.into_iter().find(|code| code.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

/// An acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// MSA-1.
    pub code: Code,
    /// MSA-2: MSH-10 of the message it answers.
    pub control_id: String,
    /// Error codes of table 0357, from MSA-6, ERR-1 (up to v2.4) and ERR-3 (from v2.5), without repeats.
    pub errors: Vec<u16>,
}

/// What came is not an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAck {
    /// No MSH at the beginning.
    #[error("the answer does not begin with MSH")]
    NoHeader,
    /// No MSA.
    #[error("the answer has no MSA segment")]
    NoMsa,
    /// MSA-1 is none of the six codes.
    #[error("MSA-1 of the answer is not one of AA, AE, AR, CA, CE, CR")]
    NoCode,
}

/// Reads an answer.
///
/// # Errors
/// Why it is not an acknowledgement.
pub fn read(bytes: &[u8]) -> Result<Ack, NotAnAck> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches(['\u{feff}', '\r', '\n', ' ']);
    let delimiters = delimiters(text).ok_or(NotAnAck::NoHeader)?;
    let segments: Vec<Vec<&str>> =
        text.split(['\r', '\n']).map(|segment| segment.trim().split(delimiters.field).collect()).collect();
    let of = |name: &'static str| segments.iter().filter(move |fields| fields.first() == Some(&name));
    let msa = of("MSA").next().ok_or(NotAnAck::NoMsa)?;
    let code = msa.get(1).and_then(|text| Code::read(text)).ok_or(NotAnAck::NoCode)?;
    let control_id = unescape(msa.get(2).unwrap_or(&"").trim(), delimiters);
    let mut errors = Vec::new();
    let reader = Errors { delimiters };
    reader.read(msa.get(6), 0, &mut errors);
    for err in of("ERR") {
        reader.read(err.get(1), 3, &mut errors);
        reader.read(err.get(3), 0, &mut errors);
    }
    Ok(Ack { code, control_id, errors })
}

fn delimiters(text: &str) -> Option<Delimiters> {
    let mut rest = text.strip_prefix("MSH")?.chars();
    let field = rest.next()?;
    let mut or =
        |standard: char| rest.next().filter(|&found| found != field && !found.is_control()).unwrap_or(standard);
    let standard = Delimiters::STANDARD;
    let (component, repetition) = (or(standard.component), or(standard.repetition));
    let (escape, subcomponent) = (or(standard.escape), or(standard.subcomponent));
    Some(Delimiters { field, component, repetition, escape, subcomponent })
}

struct Errors {
    delimiters: Delimiters,
}

impl Errors {
    /// Takes the code at component `index` of every repetition. Codes of table 0357 have three digits; anything else
    /// in their place is not known to be a code, so it is left behind.
    fn read(&self, field: Option<&&str>, index: usize, into: &mut Vec<u16>) {
        for repetition in field.map_or("", |field| field).split(self.delimiters.repetition) {
            let component = repetition.split(self.delimiters.component).nth(index).unwrap_or_default();
            let code = component.split(self.delimiters.subcomponent).next().unwrap_or_default().trim();
            let code = code.parse().ok().filter(|number| (100..=999).contains(number));
            into.extend(code.filter(|number| !into.contains(number)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(answer: &str) -> Vec<u16> {
        read(answer.as_bytes()).unwrap().errors
    }

    #[test]
    fn the_usual_answer_is_read() {
        let ack = read(b"MSH|^~\\&|TIE|RCB|SB|RXX|20260102||ACK^A28^ACK|9|P|2.4\rMSA|AA|01KE|all well\r").unwrap();
        assert_eq!(ack, Ack { code: Code::AA, control_id: "01KE".into(), errors: vec![] });
    }

    #[test]
    fn delimiters_come_from_the_header_and_line_ends_may_be_wrong() {
        let ack = read(b"\r\nMSH#*~!&#TIE\n MSA#ae#a!F!b\nERR#PID*1*3*101&required&HL70357~PID*1*5*102\n").unwrap();
        assert_eq!(ack, Ack { code: Code::AE, control_id: "a#b".into(), errors: vec![101, 102] });
        assert_eq!(read(b"MSH|\rMSA|CA|1").unwrap().code, Code::CA);
    }

    #[test]
    fn error_codes_of_every_version_are_found_once() {
        assert_eq!(errors("MSH|^~\\&|\rMSA|AE|1|text|||207^internal\rERR|PID^1^3^207"), [207]);
        assert_eq!(errors("MSH|^~\\&|\rMSA|AE|1\rERR||PID^1^5|101^required^HL70357|E\rERR||PID^1^7|102|E"), [101, 102]);
    }

    #[test]
    fn free_text_is_not_kept_even_where_a_code_belongs() {
        assert!(errors("MSH|^~\\&|\rMSA|AE|1|Smith, 9990000018\rERR|||9990000018|E|||Smith unknown").is_empty());
    }

    #[test]
    fn what_is_not_an_acknowledgement_says_why() {
        assert_eq!(read(b""), Err(NotAnAck::NoHeader));
        assert_eq!(read(b"HTTP/1.1 400 Bad Request"), Err(NotAnAck::NoHeader));
        assert_eq!(read(b"MSH|^~\\&|A"), Err(NotAnAck::NoMsa));
        assert_eq!(read(b"MSH|^~\\&|A\rMSA|OK|1"), Err(NotAnAck::NoCode));
    }
}
