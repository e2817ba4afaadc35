//! What a caller may ask of one validation.

use crate::issue::Severity;

/// How one document is validated.
#[derive(Debug, Clone)]
pub struct Options {
    /// Canonicals of profiles that the document must meet, besides those its `meta.profile` names.
    pub profiles: Vec<String>,
    /// How bad an extension without a definition is. An unknown `modifierExtension` is always an error.
    pub unknown_extension: Severity,
    /// How bad a profile is that `meta.profile` names and nobody has; `None` leaves it to the caller to say.
    pub unknown_profile: Option<Severity>,
    /// How bad a reference is that by its URL leads to a type which its element does not allow, or which does not exist,
    /// when the target is not in the document. `FHIR` says that the URL tells the type; HL7's validator asks the target only.
    pub reference_by_url: Severity,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profiles: Vec::new(),
            unknown_extension: Severity::Warning,
            unknown_profile: Some(Severity::Warning),
            reference_by_url: Severity::Error,
        }
    }
}
