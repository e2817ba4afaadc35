//! Formats: what messages look like, whatever carries them.

pub mod fhir_json;
pub mod hl7v2;
