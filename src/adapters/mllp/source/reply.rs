//! Which acknowledgements a message gets, and what they say (HL7 v2.4 §2.9): one in original mode; in enhanced mode those
//! that MSH-15 and MSH-16 ask for.

use chrono::{DateTime, Utc};

use crate::config::mllp::{Acknowledge, ContentFault};
use crate::exchange::ids::Id;
use crate::formats::hl7v2::ack::Code;
use crate::formats::hl7v2::acknowledge::{self, Acknowledgement, Error};
use crate::formats::hl7v2::header::Header;
use crate::rejection::Rejection;

/// How a message is to be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Original,
    Enhanced { accept: When, application: When },
}

/// Table 0155.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Always,
    Never,
    OnError,
    OnSuccess,
}

impl Mode {
    pub(super) fn of(header: &Header<'_>, agreed: Acknowledge) -> Self {
        // `""` says that there is nothing, as an empty field does.
        let asked = |number| Some(header.component(number, 1)).filter(|field| !matches!(*field, b"" | b"\"\""));
        match (asked(15), asked(16)) {
            (None, None) => Self::Original,
            _ if agreed == Acknowledge::Original => Self::Original,
            (accept, application) => Self::Enhanced { accept: When::of(accept), application: When::of(application) },
        }
    }
}

impl When {
    fn of(asked: Option<&[u8]>) -> Self {
        match asked {
            None | Some(b"NE") => Self::Never,
            Some(b"ER") => Self::OnError,
            Some(b"SU") => Self::OnSuccess,
            Some(_) => Self::Always,
        }
    }

    fn holds(self, success: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::OnError => !success,
            Self::OnSuccess => success,
        }
    }
}

/// What became of a message.
pub(super) struct Said<'r> {
    /// Becomes our MSH-10.
    pub(super) id: Id,
    pub(super) at: DateTime<Utc>,
    pub(super) rejection: Option<&'r Rejection>,
    /// MSA-4: the sequence number that comes next.
    pub(super) expected: Option<i64>,
}

/// Whether the message acknowledges one of ours.
pub(super) fn is_acknowledgement(header: &Header<'_>) -> bool {
    matches!(header.component(9, 1), b"ACK" | b"MCF")
}

/// The acknowledgements of one message. `second`: the id of another one, when two are asked for.
pub(super) fn messages(
    header: Option<&Header<'_>>,
    mode: Mode,
    said: &Said<'_>,
    content_fault: ContentFault,
    second: impl FnOnce() -> Id,
) -> Vec<Vec<u8>> {
    let code = code(said.rejection, content_fault);
    let write = |code, id: Id| write(header, said, code, id);
    match mode {
        Mode::Original => vec![write(code, said.id)],
        Mode::Enhanced { accept, application } => {
            let success = said.rejection.is_none();
            let mut written = Vec::new();
            if accept.holds(success) {
                written.push(write(commit(code), said.id));
            }
            if application.holds(success) {
                let id = if written.is_empty() { said.id } else { second() };
                written.push(write(code, id));
            }
            written
        }
    }
}

fn write(header: Option<&Header<'_>>, said: &Said<'_>, code: Code, id: Id) -> Vec<u8> {
    let (text, place) = said.rejection.map(|rejection| (sentence(rejection), place(rejection))).unwrap_or_default();
    let error = said.rejection.map(|rejection| Error { code: rejection.rendering().error_code, place: &place });
    let control_id = id.to_string();
    acknowledge::write(
        header,
        &Acknowledgement { code, control_id: &control_id, at: said.at, text: &text, expected: said.expected, error },
    )
}

fn code(rejection: Option<&Rejection>, content_fault: ContentFault) -> Code {
    let Some(rejection) = rejection else { return Code::AA };
    match (rejection, rejection.rendering().ack) {
        (Rejection::Message(_), "AE") if content_fault == ContentFault::AR => Code::AR,
        (_, "AE") => Code::AE,
        _ => Code::AR,
    }
}

fn commit(code: Code) -> Code {
    match code {
        Code::AA | Code::CA => Code::CA,
        Code::AE | Code::CE => Code::CE,
        Code::AR | Code::CR => Code::CR,
    }
}

/// MSA-3: what a person at the sender's screen needs.
fn sentence(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Message(fault) => fault.sentence.clone(),
        Rejection::TooLarge { limit } => format!("The message is longer than the limit of {limit} bytes."),
        Rejection::Unavailable { .. } => {
            "The gateway cannot store messages now; nothing was stored. Send it again later.".to_owned()
        }
        Rejection::Unanswered { .. } => {
            "The gateway cannot say whether the message was stored. Send it again with the \
                                         same control id (MSH-10)."
                .to_owned()
        }
        Rejection::Fault => "The gateway failed. Tell its operators the control id (MSH-10) of your message, and send \
                             it again with the same."
            .to_owned(),
        other => {
            let text = other.to_string();
            let mut letters = text.chars();
            letters.next().map_or(String::new(), |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
        }
    }
}

fn place(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Message(fault) => fault.place.clone(),
        _ => String::new(),
    }
}

/// The header of a batch (BHS or FHS) as the header of a message, so that it can be answered: both begin alike, and
/// field 11 is its control id.
pub(super) fn header_of_batch(header: &[u8]) -> Vec<u8> {
    let Some((&separator, rest)) = header.get(3..).and_then(<[u8]>::split_first) else { return Vec::new() };
    let fields: Vec<&[u8]> = rest.split(|byte| *byte == separator).collect();
    let field = |number: usize| fields.get(number.wrapping_sub(2)).copied().unwrap_or_default();
    let mut parts: Vec<&[u8]> = (2..=8).map(field).collect();
    parts.extend([&b""[..], field(11), b"P", b"2.4"]);
    [b"MSH", &[separator][..], &parts.join(&[separator][..])].concat()
}

/// A batch of answers to a batch.
pub(super) fn batch(header: &[u8], at: DateTime<Utc>, count: usize, messages: &[u8]) -> Vec<u8> {
    let as_message = header_of_batch(header);
    let Some(header) = Header::read(&as_message) else { return messages.to_vec() };
    let separator = [header.separator];
    let stamp = at.format("%Y%m%d%H%M%S+0000").to_string();
    let [to_application, to_facility, from_application, from_facility] =
        [3, 4, 5, 6].map(|number| header.field(number));
    let own: [&[u8]; 11] = [
        b"BHS",
        header.encoding,
        from_application,
        from_facility,
        to_application,
        to_facility,
        stamp.as_bytes(),
        b"",
        b"",
        b"",
        b"",
    ];
    let mut out = own.join(&separator[..]);
    out.extend_from_slice(&separator);
    // BHS-12: the batch it answers.
    out.extend_from_slice(header.field(10));
    out.push(b'\r');
    out.extend_from_slice(messages);
    out.extend_from_slice(&[b"BTS", &separator[..], count.to_string().as_bytes(), b"\r"].concat());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;
    use crate::rejection::MessageFault;

    fn told(
        msh_15: &str,
        msh_16: &str,
        rejection: Option<&Rejection>,
        agreed: Acknowledge,
        fault: ContentFault,
    ) -> String {
        let message = format!("MSH|^~\\&|PAS|RXX|SB|RYY|2026||ADT^A31^ADT_A05|C1|P|2.4|||{msh_15}|{msh_16}");
        let header = Header::read(message.as_bytes()).unwrap();
        let said = Said {
            id: Id::new(DateTime::default(), &Chance::seeded(1)),
            at: DateTime::default(),
            rejection,
            expected: None,
        };
        let second = || Id::new(DateTime::default(), &Chance::seeded(2));
        let written = messages(Some(&header), Mode::of(&header, agreed), &said, fault, second);
        let code = |message: &Vec<u8>| {
            let text = String::from_utf8(message.clone()).unwrap();
            text.split("\rMSA|").nth(1).unwrap()[..2].to_owned()
        };
        written.iter().map(code).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_a_message_asks_for_is_what_it_gets() {
        let content = Rejection::Message(MessageFault::content(102, "PID-7", "No date."));
        let event = Rejection::Message(MessageFault::unsupported(201, "MSH-9", "Not here."));
        let busy = Rejection::Unavailable { retry_after: std::time::Duration::from_secs(5) };
        let cases = [
            ("", "", "AA", "AE", "AR", "AE"),
            ("\"\"", "\"\"", "AA", "AE", "AR", "AE"),
            ("AL", "NE", "CA", "CE", "CR", "CE"),
            ("NE", "NE", "", "", "", ""),
            ("AL", "AL", "CA AA", "CE AE", "CR AR", "CE AE"),
            ("ER", "NE", "", "CE", "CR", "CE"),
            ("NE", "SU", "AA", "", "", ""),
            ("", "AL", "AA", "AE", "AR", "AE"),
        ];
        for (accept, application, good, bad, unsupported, away) in cases {
            let told = |rejection| told(accept, application, rejection, Acknowledge::AsAsked, ContentFault::AE);
            let all = [None, Some(&content), Some(&event), Some(&busy)].map(told);
            assert_eq!(all, [good, bad, unsupported, away], "{accept} {application}");
        }
        assert_eq!(told("AL", "NE", None, Acknowledge::Original, ContentFault::AE), "AA");
        assert_eq!(told("", "", Some(&content), Acknowledge::AsAsked, ContentFault::AR), "AR");
        assert_eq!(told("", "", Some(&busy), Acknowledge::AsAsked, ContentFault::AR), "AE", "it may come again");
    }

    #[test]
    fn a_batch_is_answered_by_a_batch() {
        let header = b"BHS|^~\\&|LAB|RXX|SB|RYY|20260101||name||B7";
        assert_eq!(header_of_batch(header), b"MSH|^~\\&|LAB|RXX|SB|RYY|20260101|||B7|P|2.4");
        let answer = batch(header, DateTime::default(), 2, b"MSH|1\rMSH|2\r");
        let answer = String::from_utf8(answer).unwrap();
        assert_eq!(answer, "BHS|^~\\&|SB|RYY|LAB|RXX|19700101000000+0000|||||B7\rMSH|1\rMSH|2\rBTS|2\r");
    }
}
