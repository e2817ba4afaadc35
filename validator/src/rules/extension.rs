//! [Extensions](https://hl7.org/fhir/R4/extensibility.html): a value or further extensions and not both (ext-1), and
//! a url that says which extension it is.

use super::{Finding, Rule, format};
use crate::issue::IssueCode;
use crate::json::Value;

/// ext-1.
pub(crate) fn value_or_extensions(has_extensions: bool, has_value: bool) -> Option<Finding> {
    let message = match (has_extensions, has_value) {
        (true, true) => "An extension has a value or extensions, not both (ext-1).",
        (false, false) => "An extension must have a value or extensions (ext-1).",
        _ => return None,
    };
    Some(Finding::error(Rule::Extension, IssueCode::Invariant, message))
}

/// Only an extension inside another may be named by a word that the outer one defines.
pub(crate) fn url(extension: Value<'_>) -> Option<Finding> {
    let url = extension.str_at(&["url"])?;
    let message = "The url of an extension must be absolute: it is the canonical of its definition.";
    (!format::is_absolute(&url)).then(|| Finding::error(Rule::Extension, IssueCode::Value, message))
}
