//! A FHIR R4 profile validator: definitions are compiled once into an arena, and a resource is checked in one
//! walk over a borrowed JSON document.
//!
//! Reading order: [`json`] (the document), then the definitions, then the walk. No async, no database, no HTTP,
//! no I/O: callers pass bytes in and get [issues](https://hl7.org/fhir/R4/operationoutcome.html) back.

#![forbid(unsafe_code)]

pub mod json;
