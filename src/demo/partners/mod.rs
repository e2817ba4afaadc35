//! The demo's partners: a hospital system that speaks HL7 v2 over MLLP and a central FHIR server. They keep what they
//! received in a ledger, one JSON line each, so that loss, repeats and order can be checked from outside; and they have
//! moods, as partners do.

pub mod central;
mod ledger;
pub mod pas;

pub use ledger::Ledger;
