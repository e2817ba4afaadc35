//! Formats: how a resource reads on the wire, apart from the transport that carries it.

pub mod hl7v2;
