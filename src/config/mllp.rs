//! `[mllp.NAME]`: a door for HL7 v2 messages over MLLP, and what was agreed with those who send by it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::text::{self, parsed};
use super::tls::Tls;
use super::units::{Period, Size};

/// One MLLP listener.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mllp {
    /// Address to listen on. Another than loopback needs TLS, or `unencrypted = true`.
    #[serde(deserialize_with = "address")]
    #[schemars(with = "text::Address")]
    pub listen: SocketAddr,
    /// Names of the sources that may send here. Each proves itself by its client certificate or by its address.
    pub sources: Vec<String>,
    /// Plain TCP on an address other than loopback, on a network where nobody else listens.
    #[serde(default)]
    pub unencrypted: bool,
    /// TLS.
    #[serde(default)]
    pub tls: Tls,
    /// Most connections of known senders at once; more wait until one is closed.
    #[serde(default = "connections")]
    #[schemars(range(min = 1))]
    pub connections: usize,
    /// Longest message that is read; a longer one is answered AR.
    #[serde(default = "max_frame")]
    pub max_frame: Size,
    /// Longest silence between messages before a connection is closed.
    #[serde(default = "idle")]
    pub idle: Period,
    /// Longest time from the first byte of a message to its last. A TLS handshake has 5 s.
    #[serde(default = "frame_timeout")]
    pub frame_timeout: Period,
    /// How messages are acknowledged.
    #[serde(default)]
    pub acknowledge: Acknowledge,
    /// Acknowledgement code of a message whose content is at fault.
    #[serde(default)]
    pub content_fault: ContentFault,
    /// Whether dates of birth and death are looked at before a message is taken.
    #[serde(default)]
    pub content: Content,
    /// What becomes of a message whose control id (MSH-10) came before with the same bytes.
    #[serde(default)]
    pub duplicates: Duplicates,
    /// How bytes are read that are not UTF-8 and whose MSH-18 does not say: it is empty, `ASCII` or names no character set.
    /// What it says is UTF-8 and is not, or names a set that is not known here, is refused.
    #[serde(default)]
    pub charset: DefaultCharset,
    /// Processing ids (MSH-11) that are taken; a message with another is answered AR 202.
    #[serde(default = "processing_ids")]
    pub processing_ids: Vec<ProcessingId>,
    /// What is done with several messages in one frame that is no batch.
    #[serde(default)]
    pub several: Several,
    /// Whether MSH-13 is counted (the sequence number protocol).
    #[serde(default)]
    pub sequence: Sequence,
    /// Identifier system -> assigning authority (PID-3.4): by it messages of this door and FHIR resources about the same
    /// patient are kept in one order.
    #[serde(default)]
    pub authorities: BTreeMap<String, String>,
    /// Commit bytes of MLLP release 2 (`06` or `15` in a frame of their own) before each acknowledgement.
    #[serde(default)]
    pub commit_bytes: bool,
}

/// What a message is for (table 0103).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ProcessingId {
    /// Production.
    P,
    /// Training.
    T,
    /// Debugging.
    D,
}

/// Several MSH in one frame, without BHS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Several {
    /// The frame is answered AR.
    #[default]
    Refuse,
    /// Each is a message of its own; their answers come in one frame.
    Split,
}

/// What sequence numbers (MSH-13) mean (HL7 v2.4 §2.10.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sequence {
    /// Nothing, as with most senders that value the field.
    #[default]
    Ignore,
    /// A message whose number is not the next of its source is answered with error 100 and the number that is expected
    /// (MSA-4); 0 asks for that number, -1 begins anew. The count is forgotten at a restart.
    Check,
}

/// How messages are acknowledged (HL7 v2.4 §2.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Acknowledge {
    /// As MSH-15 and MSH-16 ask: enhanced when one of them is valued, else original.
    #[default]
    AsAsked,
    /// Original mode, whatever they say: one AA, AE or AR for each message.
    Original,
}

/// The code of a content fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
pub enum ContentFault {
    /// Application error.
    #[default]
    AE,
    /// Application reject: for senders that repeat an AE for ever.
    AR,
}

/// How closely a message is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// A date of birth or death that is no date, and a death that is dated and denied, are faults (102).
    #[default]
    Check,
    /// It is taken as it comes.
    Pass,
}

/// What a repeat gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Duplicates {
    /// The first answer again; it is delivered once. With other bytes it is refused (205).
    #[default]
    Answer,
    /// It is a new message: for senders whose control ids are not unique.
    Accept,
}

/// The charset of last resort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DefaultCharset {
    /// Western European as Windows has it.
    #[default]
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// None: such a message is refused.
    Refuse,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    parsed(deserializer, text::ADDRESS)
}

fn processing_ids() -> Vec<ProcessingId> {
    vec![ProcessingId::P]
}

fn connections() -> usize {
    256
}

fn max_frame() -> Size {
    Size(16 << 20)
}

fn idle() -> Period {
    Period(std::time::Duration::from_hours(12))
}

fn frame_timeout() -> Period {
    Period(std::time::Duration::from_secs(30))
}
