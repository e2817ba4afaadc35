//! What a caller may ask of one validation.

use std::collections::BTreeMap;

use crate::issue::Severity;

/// How one document is validated.
#[derive(Debug, Clone)]
pub struct Options {
    /// Canonicals of profiles that the document must meet, besides those its `meta.profile` names.
    pub profiles: Vec<String>,
    /// Resource type -> canonicals of profiles that the document and every resource in an entry or parameter of it must
    /// meet when it is of that type. Contained resources are part of their container and are not held to them.
    pub by_type: BTreeMap<String, Vec<String>>,
    /// How bad an extension without a definition is. An unknown `modifierExtension` is always an error.
    pub unknown_extension: Severity,
    /// How bad a profile is that `meta.profile` names and nobody has; `None` leaves it to the caller to say.
    pub unknown_profile: Option<Severity>,
    /// How bad a reference is that by its URL leads to a type which its element does not allow, or which does not exist,
    /// when the target is not in the document. `FHIR` says that the URL tells the type; HL7's validator asks the target only.
    pub reference_by_url: Severity,
    /// Whether the target of every reference must be in the document, or contained. Nobody is asked for anything else.
    pub targets_here: bool,
    /// How bad text is that looks like HTML, where text is expected: a reader that shows it as it is may run it.
    pub embedded_html: Severity,
    /// How bad a display is that is none of those of its code.
    pub wrong_display: Severity,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profiles: Vec::new(),
            by_type: BTreeMap::new(),
            unknown_extension: Severity::Warning,
            unknown_profile: Some(Severity::Warning),
            reference_by_url: Severity::Error,
            targets_here: false,
            embedded_html: Severity::Information,
            wrong_display: Severity::Error,
        }
    }
}
