//! MLLP: HL7 v2 messages over a TCP connection.

pub mod framing;
