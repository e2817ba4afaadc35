//! [Extensions](https://hl7.org/fhir/R4/extensibility.html): a value or further extensions and not both (ext-1), a url
//! that says which extension it is, a definition, and a place where that may be used.

use super::{Finding, Rule, format, quoted};
use crate::issue::{IssueCode, Severity};
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
    (!format::is_absolute(&url)).then(|| Finding::error(Rule::Extension, IssueCode::Invalid, message))
}

/// An extension whose definition nobody has.
pub(crate) fn unknown(url: &str, is_modifier: bool, severity: Severity) -> Finding {
    let what = if is_modifier { "This modifier extension" } else { "This extension" };
    let message = format!("{what} has no definition here: {}.", super::url(url));
    let severity = match is_modifier {
        true => Severity::Error,
        // Nobody can publish a definition under a name that is kept for examples.
        false if is_example(url) => severity.max(Severity::Warning),
        false => severity,
    };
    let code = if severity.is_error() { IssueCode::Structure } else { IssueCode::BusinessRule };
    Finding { severity, ..Finding::error(Rule::Extension, code, message) }
}

/// A word inside an extension that the definition of that extension does not have.
pub(crate) fn unknown_part(url: &str) -> Finding {
    let message = format!("The extension around it has no part named '{}'.", quoted(url));
    Finding::error(Rule::Extension, IssueCode::Invalid, message)
}

/// A definition that is not one of an extension.
pub(crate) fn not_an_extension(url: &str) -> Finding {
    let message = format!("{} is not the definition of an extension.", super::url(url));
    Finding::error(Rule::Extension, IssueCode::Structure, message)
}

/// A modifier among the plain extensions, or the other way round.
pub(crate) fn wrong_element(url: &str, is_modifier: bool) -> Finding {
    let (is, belongs) =
        if is_modifier { ("is a modifier", "modifierExtension") } else { ("is no modifier", "extension") };
    let message = format!("The extension {} {is}: it belongs in '{belongs}'.", super::url(url));
    Finding::error(Rule::Extension, IssueCode::Structure, message)
}

/// An extension where its definition does not allow it.
pub(crate) fn wrong_context(url: &str, allowed: &str) -> Finding {
    let message = format!("The extension {} may not be used here, only on {allowed}.", super::url(url));
    Finding::error(Rule::Extension, IssueCode::Structure, message)
}

/// Hosts kept for examples (RFC 2606).
fn is_example(url: &str) -> bool {
    let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    ["example.org", "example.com", "example.net"]
        .iter()
        .any(|name| host == *name || host.ends_with(&format!(".{name}")))
}
