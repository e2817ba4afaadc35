//! MLLP: HL7 v2 messages over a TCP connection that is kept open. A Patient goes as A28 or A31, an Encounter with its
//! Patient as A01, A08, A03 or A11; what the partner answers is judged in [`answer`].
//!
//! One message at a time is under way on a connection, and a connection whose answer did not come is closed: a late
//! acknowledgement must never be taken for the next message's.

pub mod answer;
pub mod connection;
pub mod framing;
pub mod source;

mod destination;
mod reconnect;
mod settings;
mod stream;

#[cfg(test)]
mod tests;

pub use settings::Mllp;
