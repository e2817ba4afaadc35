//! HL7 v2.4 as NHS trusts speak it (the ITK profile of ADT): FHIR Patients and Encounters out, acknowledgements in.
//!
//! [`adt::encode`] chooses the event and puts the segments together; each segment and each data type has a file named
//! after it. Writing is strict, reading is lenient. What FHIR has and a message leaves empty means "no statement" to
//! the receiver: nothing is ever sent as `""` (delete), because one resource does not say what was there before.
//! [HL7 v2.4](https://www.hl7.org/implement/standards/product_brief.cfm?product_id=185), chapters 2 and 3.

pub mod ack;
pub mod acknowledge;
pub mod adt;
pub mod batch;
pub mod charset;
pub mod content;
pub mod edit;
pub mod escape;
pub mod fields;
pub mod forward;
pub mod header;
pub mod message;
pub mod names;
pub mod partner;
pub mod path;
pub mod patients;
pub mod remarks;
mod subject;
pub mod uk;

mod cx;
mod element;
mod evn;
mod hiding;
mod msh;
mod nk1;
mod pd1;
mod pid;
mod pl;
mod pv1;
mod references;
mod ts;
mod visit;
mod xad;
mod xcn;
mod xpn;
mod xtn;

#[cfg(test)]
mod adt_tests;
#[cfg(test)]
mod oracle_tests;

pub use adt::{Encoded, Occasion, encode};
pub use partner::Partner;

/// The delivery cannot be said in HL7 v2. The text names the element and what is needed, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unmapped(pub String);

impl Unmapped {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}
