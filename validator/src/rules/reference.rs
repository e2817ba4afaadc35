//! [Reference](https://hl7.org/fhir/R4/references.html): a `reference` of a form that can be followed, to a type that
//! exists and that the element allows.

use super::contained::Contents;
use super::{Finding, Rule, format};
use crate::definition::{Aggregation, Versioning};
use crate::issue::{IssueCode, Severity};
use crate::json::Value;

/// The base that a relative `Reference.type` is relative to.
const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// What a reference says about its target.
#[derive(Debug, PartialEq, Eq)]
enum Target<'r> {
    /// The container itself, or a resource contained in it.
    Contained(&'r str),
    /// The type is written in the reference.
    Typed(&'r str),
    /// It can only be known by following it.
    Unknown,
}

/// Checks a Reference. `container` holds the contained resources that it may name; `by_url` is how bad a type is that only
/// the URL tells.
pub(crate) fn check<'k>(
    value: Value<'_>,
    container: &Contents<'_>,
    targets: &[Box<str>],
    is_type: impl Fn(&str) -> bool,
    types: impl Iterator<Item = &'k str>,
    by_url: Severity,
) -> Option<Finding> {
    let allows = |name: &str| targets.is_empty() || targets.iter().any(|target| &**target == name);
    let declared = value.str_at(&["type"]);
    let declared = declared.as_deref().map(|uri| uri.strip_prefix(BASE).unwrap_or(uri));
    // An absolute type is that of a logical model, of which nothing is known here.
    let mut unknown = None;
    if let Some(name) = declared.filter(|name| !format::is_absolute(name)) {
        if !is_type(name) {
            // The binding is extensible: another type is worth a look, and no error.
            let message = "The type of the reference is not a resource type of FHIR R4.";
            let finding = Finding::error(Rule::Reference, IssueCode::NotFound, message);
            unknown = Some(Finding { severity: Severity::Warning, ..finding });
        } else if !allows(name) {
            return Some(wrong_type(name, targets));
        }
    }
    let rest = || {
        let text = value.str_at(&["reference"])?;
        if text.contains(char::is_whitespace) {
            let message = "A reference holds no white space.";
            return Some(Finding::error(Rule::Reference, IssueCode::Value, message));
        }
        match parse(&text, &is_type) {
            Err(reason) => Some(malformed(reason)),
            Ok(Target::Unknown) => None,
            Ok(Target::Contained(id)) => contained(id, container, allows, targets),
            Ok(Target::Typed(name)) if !is_type(name) => {
                // What is written there may be anything: it is not quoted.
                let hint = super::structure::hint(name, types);
                let message = format!("The reference names a type that FHIR R4 does not have{hint}");
                let severity = by_url;
                Some(Finding { severity, ..Finding::error(Rule::Reference, IssueCode::NotFound, message) })
            }
            Ok(Target::Typed(name)) if !allows(name) => Some(Finding { severity: by_url, ..wrong_type(name, targets) }),
            Ok(Target::Typed(name)) => {
                declared.filter(|&declared| is_type(declared) && declared != name).map(|declared| {
                    let message = format!("The reference is to {name}, but its type says {declared}.");
                    Finding::error(Rule::Reference, IssueCode::Value, message)
                })
            }
        }
    };
    rest().or(unknown)
}

fn contained(
    id: &str,
    container: &Contents<'_>,
    allows: impl Fn(&str) -> bool,
    targets: &[Box<str>],
) -> Option<Finding> {
    if id.is_empty() {
        return None;
    }
    let Some(resource) = container.get(id) else {
        let message = "The reference begins with '#', but no contained resource has that id.";
        return Some(Finding::error(Rule::Reference, IssueCode::Structure, message));
    };
    let name = resource.str_at(&["resourceType"])?;
    (!allows(&name)).then(|| wrong_type(&name, targets))
}

/// The type that is written in a reference.
pub(crate) fn named_type(text: &str, is_type: impl Fn(&str) -> bool) -> Option<&str> {
    match parse(text, is_type) {
        Ok(Target::Typed(name)) => Some(name),
        _ => None,
    }
}

/// Whether a URL is that of a resource on a server: `http[s]://[base]/Type/id[/_history/version]`.
pub(crate) fn is_of_server(url: &str, is_type: impl Fn(&str) -> bool) -> bool {
    let of_web = url.starts_with("http://") || url.starts_with("https://");
    of_web && !url.contains('#') && named_type(url, is_type).is_some()
}

/// What may be wrong with a reference in an entry of a Bundle, besides what is wrong anywhere.
pub(crate) fn in_bundle(
    text: &str,
    has_full_url: bool,
    bundle_type: &str,
    found: crate::subject::bundle::Found,
) -> Option<Finding> {
    use crate::subject::bundle::Found;
    let error = |code, message: &str| Some(Finding::error(Rule::Reference, code, message));
    let is_relative = !format::is_absolute(text);
    if let Some((_, query)) = text.split_once('?').filter(|_| is_relative) {
        let is_pair =
            |pair: &str| pair.split_once('=').is_some_and(|(name, value)| !name.is_empty() && !value.is_empty());
        if !query.split('&').all(is_pair) {
            return error(
                IssueCode::Invalid,
                "The query of a conditional reference is name=value pairs joined by '&'.",
            );
        }
        if bundle_type != "transaction" {
            return error(IssueCode::Invalid, "Only a transaction resolves conditional references.");
        }
        return None;
    }
    // What is exchanged entry by entry is relative to the server that it is sent to, or comes from.
    if is_relative && !has_full_url && !crate::subject::bundle::EXCHANGES.contains(&bundle_type) {
        let message = "A relative reference is relative to the fullUrl of its entry, and this entry has none.";
        return error(IssueCode::Required, message);
    }
    if is_relative && relative(text).is_none() {
        return error(IssueCode::Invalid, "A relative reference in a Bundle is Type/id.");
    }
    match found {
        Found::Several(_) => error(IssueCode::Forbidden, "Several entries of the Bundle match this reference."),
        Found::Nowhere if text.starts_with("urn:") => {
            let message = "No entry of the Bundle has this URN, and nobody else can resolve it.";
            let finding = Finding::error(Rule::Reference, IssueCode::Required, message);
            Some(Finding { severity: Severity::Warning, ..finding })
        }
        Found::Apparently(_) => {
            let message = "An entry of the Bundle has this type and id, but its fullUrl is not what this leads to.";
            let finding = Finding::error(Rule::Reference, IssueCode::Required, message);
            Some(Finding { severity: Severity::Warning, ..finding })
        }
        Found::One(_) | Found::Nowhere => None,
    }
}

/// Whether a reference reaches its target in a way that the profile allows.
pub(crate) fn reached(
    text: &str,
    in_document: bool,
    allowed: &[Aggregation],
    versioning: Option<Versioning>,
) -> Option<Finding> {
    let way = match (text.starts_with('#'), in_document) {
        (true, _) => Aggregation::Contained,
        (false, true) => Aggregation::Bundled,
        (false, false) => Aggregation::Referenced,
    };
    // What is in the Bundle is referred to as well.
    let fits = |one: &Aggregation| *one == way || (*one == Aggregation::Referenced && way == Aggregation::Bundled);
    if !allowed.is_empty() && !allowed.iter().any(fits) {
        let message = "The profile does not allow a reference that reaches its target in this way (aggregation).";
        return Some(Finding::error(Rule::Reference, IssueCode::Structure, message));
    }
    let versioned = text.contains("/_history/");
    let message = match versioning {
        Some(Versioning::Specific) if !versioned => "The profile demands a reference to one version of its target.",
        Some(Versioning::Independent) if versioned => "The profile demands a reference without a version.",
        _ => return None,
    };
    Some(Finding::error(Rule::Reference, IssueCode::Structure, message))
}

/// A target that is not in the document, where it must be.
pub(crate) fn not_here() -> Finding {
    let message = "What this refers to is not in the document.";
    Finding::error(Rule::Reference, IssueCode::Structure, message)
}

/// A target that meets none of the profiles of which it must meet one.
pub(crate) fn target_meets_none(profiles: &[Box<str>]) -> Finding {
    let message = format!("The target of the reference meets none of {}.", profiles.join(", "));
    Finding::error(Rule::Reference, IssueCode::Structure, message)
}

/// Reads a reference: `#id`, `Type/id[/_history/version]`, `Type?query` or an absolute URI.
fn parse(text: &str, is_type: impl Fn(&str) -> bool) -> Result<Target<'_>, &'static str> {
    if let Some(id) = text.strip_prefix('#') {
        return Ok(Target::Contained(id));
    }
    if format::is_absolute(text) {
        format::uri(text)?;
        // A RESTful URL ends like a relative reference; others say nothing about their target.
        let path = text.split_once("://").map_or("", |(_, rest)| rest);
        let starts = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
        let mut typed = starts.filter_map(|rest| relative(rest).filter(|name| is_type(name)));
        return Ok(typed.next().map_or(Target::Unknown, Target::Typed));
    }
    // A conditional reference, which a transaction resolves.
    if let Some((name, _)) = text.split_once('?') {
        return Ok(Target::Typed(name));
    }
    relative(text).map(Target::Typed).ok_or("expected Type/id, an absolute URL, urn:uuid:, urn:oid: or #id")
}

/// The type of `Type/id[/_history/version]`, with or without a fragment.
fn relative(text: &str) -> Option<&str> {
    let path = text.split('#').next().unwrap_or_default();
    let mut parts = path.split('/');
    let name = parts.next().filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()))?;
    let well_formed = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(id), None, ..) => format::is_id(id),
        (Some(id), Some("_history"), Some(version), None) => format::is_id(id) && format::is_id(version),
        _ => false,
    };
    well_formed.then_some(name)
}

fn wrong_type(name: &str, targets: &[Box<str>]) -> Finding {
    let message = format!("The reference is to {name}, where only {} is allowed.", targets.join(", "));
    Finding::error(Rule::Reference, IssueCode::Structure, message)
}

/// A warning: the grammar of `reference` is advice, and published resources use free-text placeholders.
fn malformed(reason: &str) -> Finding {
    let message = format!("This is not a reference that can be followed: {reason}.");
    Finding { severity: Severity::Warning, ..Finding::error(Rule::Reference, IssueCode::Value, message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Target<'_>, &'static str> {
        parse(text, |name| name == "Patient")
    }

    #[test]
    fn the_type_is_read_from_where_it_is_written() {
        for typed in ["Patient/1", "Patient/1/_history/2", "Patient/1#part", "Patient?identifier=a|b"] {
            assert_eq!(read(typed), Ok(Target::Typed("Patient")), "{typed}");
        }
        assert_eq!(read("https://example.org/fhir/Patient/1"), Ok(Target::Typed("Patient")));
        assert_eq!(read("https://example.org/fhir/Patient/1/_history/2"), Ok(Target::Typed("Patient")));
        assert_eq!(read("https://example.org/other/1"), Ok(Target::Unknown));
        assert_eq!(read("urn:uuid:c757873d-ec9a-4326-a141-556f43239520"), Ok(Target::Unknown));
        assert_eq!(read("#x"), Ok(Target::Contained("x")));
    }

    #[test]
    fn what_cannot_be_followed_is_malformed() {
        for bad in ["1", "Patient", "Patient/", "/Patient/1", "Patient/a b", "Patient/1/2", "urn:uuid:X"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
