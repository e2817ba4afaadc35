//! What every test of validation starts from: base R4 compiled once, and a document in, issues out.

use std::sync::OnceLock;

use signalbox_validator::json::{Document, ReadError};
use signalbox_validator::{Issue, ProfileSet};

pub(crate) const PACK: &[u8] = include_bytes!("../../../fhir-profiles/hl7.fhir.r4.core.pack");

pub(crate) fn profiles() -> &'static ProfileSet {
    static PROFILES: OnceLock<ProfileSet> = OnceLock::new();
    PROFILES.get_or_init(|| ProfileSet::load(&[PACK]).expect("the pack in the repository loads"))
}

pub(crate) fn validate(text: &[u8]) -> Result<Vec<Issue>, ReadError> {
    Ok(profiles().validate(&Document::read(text)?))
}
