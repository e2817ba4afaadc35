//! What every test of validation starts from: base R4 compiled once, and a document in, issues out.

use std::sync::OnceLock;

use signalbox_validator::json::{Document, ReadError};
use signalbox_validator::{Issue, IssueCode, ProfileSet, Rule};

pub(crate) const PACK: &[u8] = include_bytes!("../../../fhir-profiles/hl7.fhir.r4.core.pack");

pub(crate) fn profiles() -> &'static ProfileSet {
    static PROFILES: OnceLock<ProfileSet> = OnceLock::new();
    PROFILES.get_or_init(|| ProfileSet::load(&[PACK]).expect("the pack in the repository loads"))
}

/// The issues of a document, without the remarks that nobody has defined the extensions and profiles of our samples.
pub(crate) fn validate(text: &[u8]) -> Result<Vec<Issue>, ReadError> {
    let mut issues = profiles().validate(&Document::read(text)?);
    let is_remark = |issue: &Issue| issue.code == IssueCode::BusinessRule || issue.rule == Rule::Profile;
    issues.retain(|issue| issue.severity.is_error() || !is_remark(issue));
    Ok(issues)
}
