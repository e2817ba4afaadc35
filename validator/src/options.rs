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
}

impl Default for Options {
    fn default() -> Self {
        Self { profiles: Vec::new(), unknown_extension: Severity::Warning, unknown_profile: Some(Severity::Warning) }
    }
}
