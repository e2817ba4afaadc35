//! Formats: how bytes become FHIR and back. Orthogonal to transport.

pub mod fhir_json;
