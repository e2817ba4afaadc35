//! What happens to one frame: its messages go to the gateway one after the other, and each is answered when it is
//! committed. Whatever cannot be read is recorded and answered too; nothing is dropped.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::reply::{self, Mode};
use super::sequence::{self, Expected, Place};
use crate::adapters::mllp::framing::{COMMITTED, Found, NOT_COMMITTED, frame};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::mllp::{Duplicates, Mllp, Several};
use crate::exchange::ids::Id;
use crate::exchange::{Arrival, Conditions, ExchangeId, Interaction, RequestIds, Sender};
use crate::formats::hl7v2::batch::{self, Content};
use crate::formats::hl7v2::header::Header;
use crate::gateway::{Gateway, Refused};
use crate::rejection::{MessageFault, Rejection};

/// Longest MSH-10 that becomes the correlation id.
const LONGEST: usize = 128;

/// Takes the frames of one connection.
pub(super) struct Desk {
    /// The door's name in the register.
    pub(super) endpoint: String,
    pub(super) sender: Sender,
    pub(super) settings: Mllp,
    /// The count of its messages, where that is agreed on.
    pub(super) sequence: Option<Expected>,
    /// Longest frame in bytes.
    pub(super) limit: u64,
    pub(super) gateway: Gateway,
    pub(super) clock: Clock,
    pub(super) chance: Chance,
}

/// Messages that answer one frame, each for a frame of its own.
#[derive(Default)]
struct Answer {
    messages: Vec<Vec<u8>>,
    /// Whether something could not be committed.
    failed: bool,
}

impl Desk {
    /// Takes a frame; what is to be written back.
    pub(super) async fn answer(&self, found: Found) -> Vec<u8> {
        let answer = match found {
            Found::TooLong(head) => self.too_long(&head).await,
            // The sender has heard an answer of ours.
            Found::Message(message) if self.settings.commit_bytes && is_commit_byte(&message) => return Vec::new(),
            Found::Message(frame) => match batch::content(&frame) {
                Content::One(message) => self.message(frame.slice_ref(message)).await,
                Content::Several(messages) if self.settings.several == Several::Split => {
                    let answers = self.messages(&frame, &messages).await;
                    Answer { messages: one_frame(answers.messages.concat()), ..answers }
                }
                Content::Several(messages) => {
                    let sentence = "Several messages came in one frame; each needs a frame of its own, or a batch.";
                    let fault = MessageFault::unsupported(100, "MSH", sentence);
                    self.turn_away(frame.clone(), messages.first().and_then(|first| Header::read(first)), fault).await
                }
                Content::Batch { header, messages } => {
                    let answers = self.messages(&frame, &messages).await;
                    let (count, messages) = (answers.messages.len(), answers.messages.concat());
                    let written = reply::batch(header, self.clock.now(), count, &messages);
                    Answer { messages: vec![written], ..answers }
                }
                Content::Broken { header, place, sentence } => {
                    let header = reply::header_of_batch(header);
                    let fault = MessageFault::content(102, place, sentence);
                    self.turn_away(frame.clone(), Header::read(&header), fault).await
                }
            },
        };
        self.framed(&answer)
    }

    fn framed(&self, answer: &Answer) -> Vec<u8> {
        let mut out = Vec::new();
        if self.settings.commit_bytes {
            out.extend_from_slice(&frame(&[if answer.failed { NOT_COMMITTED } else { COMMITTED }]));
        }
        answer.messages.iter().for_each(|message| out.extend_from_slice(&frame(message)));
        out
    }

    /// The messages of a frame, one after the other: their order is kept.
    async fn messages(&self, frame: &Bytes, messages: &[&[u8]]) -> Answer {
        let mut all = Answer::default();
        for message in messages {
            let answer = self.message(frame.slice_ref(message)).await;
            all.messages.extend(answer.messages);
            all.failed |= answer.failed;
        }
        all
    }

    async fn message(&self, message: Bytes) -> Answer {
        let header = Header::read(&message);
        let arrival = self.arrival(message.clone(), header.as_ref());
        if header.as_ref().is_some_and(reply::is_acknowledgement) {
            // Never acknowledged, or two gateways would do it for ever.
            let sentence = "An acknowledgement came that no message waits for.";
            let fault = Rejection::Message(MessageFault::unsupported(200, "MSH-9", sentence));
            self.gateway.reject(arrival, fault).await;
            return Answer::default();
        }
        if let (Some(header), Some(sequence)) = (&header, &self.sequence) {
            return self.in_sequence(header, arrival, sequence).await;
        }
        match self.gateway.accept(arrival).await {
            Ok(accepted) => self.accepted(header.as_ref(), accepted.exchange, None),
            Err(rejection) => self.refused(header.as_ref(), &rejection, None),
        }
    }

    /// Takes a message when it is the next one. The count is held meanwhile: messages of a source go one after the other.
    async fn in_sequence(&self, header: &Header<'_>, arrival: Arrival, sequence: &Expected) -> Answer {
        let mut expected = sequence.lock().await;
        let taken = match sequence::place(header, *expected) {
            Place::Next(next) => {
                let taken = self.gateway.accept(arrival).await;
                if taken.is_ok() {
                    *expected = next;
                }
                taken
            }
            Place::Wrong(number) => {
                let sentence = format!("MSH-13: the message with sequence number {number} is expected first.");
                let fault = MessageFault::content(100, "MSH-13", sentence);
                self.gateway.accept_repeat(arrival, Rejection::Message(fault)).await
            }
        };
        match taken {
            Ok(accepted) => self.accepted(Some(header), accepted.exchange, *expected),
            Err(rejection) => self.refused(Some(header), &rejection, *expected),
        }
    }

    /// The same for a message and for its repeats. `expected`: the sequence number that comes next.
    fn accepted(&self, header: Option<&Header<'_>>, exchange: ExchangeId, expected: Option<i64>) -> Answer {
        let said = reply::Said { id: exchange, at: exchange.time(), rejection: None, expected };
        self.said(header, &said)
    }

    fn refused(&self, header: Option<&Header<'_>>, rejection: &Rejection, expected: Option<i64>) -> Answer {
        let at = self.clock.now();
        let said = reply::Said { id: Id::new(at, &self.chance), at, rejection: Some(rejection), expected };
        self.said(header, &said)
    }

    fn said(&self, header: Option<&Header<'_>>, said: &reply::Said<'_>) -> Answer {
        let failed =
            said.rejection.is_some_and(|rejection| rejection.rendering().status >= 500 && !is_fault(rejection));
        let mode = header.map_or(Mode::Original, |header| Mode::of(header, self.settings.acknowledge));
        let second = || Id::new(said.at, &self.chance);
        Answer { messages: reply::messages(header, mode, said, self.settings.content_fault, second), failed }
    }

    /// A frame that is refused whole, recorded with what it held.
    async fn turn_away(&self, body: Bytes, header: Option<Header<'_>>, fault: MessageFault) -> Answer {
        let arrival = self.arrival(body, header.as_ref());
        let rejection = self.gateway.reject(arrival, Rejection::Message(fault)).await;
        self.refused(header.as_ref(), &rejection, None)
    }

    /// Of a message that is too long only the beginning is here; its content is not kept.
    async fn too_long(&self, head: &[u8]) -> Answer {
        let header = Header::read(head);
        let refused = Refused {
            endpoint: self.endpoint.clone().into(),
            sender: self.sender.clone(),
            request: Interaction::Message.as_str().to_owned(),
            resource_type: header.as_ref().map(Header::kind).filter(|kind| !kind.is_empty()),
            ids: self.ids(header.as_ref()),
            received_at: self.clock.now(),
        };
        let rejection = self.gateway.refuse(refused, Rejection::TooLarge { limit: self.limit }).await;
        self.refused(header.as_ref(), &rejection, None)
    }

    fn arrival(&self, body: Bytes, header: Option<&Header<'_>>) -> Arrival {
        Arrival {
            endpoint: self.endpoint.clone().into(),
            sender: self.sender.clone(),
            end_user_ods: None,
            interaction: Interaction::Message,
            resource_type: header.map(Header::kind).unwrap_or_default(),
            resource_id: None,
            conditions: Conditions::default(),
            ids: self.ids(header),
            reply: false,
            received_at: self.clock.now(),
            body,
        }
    }

    fn ids(&self, header: Option<&Header<'_>>) -> RequestIds {
        let control_id = header.map(|header| header.field(10)).unwrap_or_default();
        let correlation = if is_name(control_id) {
            String::from_utf8_lossy(control_id).into_owned()
        } else {
            Uuid::from_bytes(self.chance.bytes()).to_string()
        };
        let recognised = !control_id.is_empty() && self.settings.duplicates == Duplicates::Answer;
        RequestIds { request: header.filter(|_| recognised).map(message_id), correlation }
    }
}

/// What makes a message's id its own: MSH-3, MSH-4 and MSH-10, as a UUID version 8.
fn message_id(header: &Header<'_>) -> Uuid {
    let mut hash = Sha256::new();
    for field in [3, 4, 10].map(|number| header.field(number)) {
        // A length before each part: no two ids run together into the same bytes.
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Whether it looks like an id. In a message whose fields are shifted, anything may stand in MSH-10: what is stored in
/// clear and logged must not be a name or an address.
fn is_name(control_id: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=#@".contains(byte);
    (1..=LONGEST).contains(&control_id.len()) && control_id.iter().all(fits)
}

fn is_commit_byte(message: &[u8]) -> bool {
    matches!(message, [COMMITTED | NOT_COMMITTED])
}

/// Of the message; others are ours.
fn is_fault(rejection: &Rejection) -> bool {
    matches!(rejection, Rejection::Message(_) | Rejection::NotImplemented(_))
}

fn one_frame(message: Vec<u8>) -> Vec<Vec<u8>> {
    if message.is_empty() { Vec::new() } else { vec![message] }
}
