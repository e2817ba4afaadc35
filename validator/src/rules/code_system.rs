//! Systems of [codes](https://hl7.org/fhir/R4/codesystem.html) and identifiers: the URI is absolute and names a code
//! system, and where the system's codes are carried, the code is one of them and its display one of the code's.

use super::{Finding, Rule, format, quoted, unit};
use crate::issue::{IssueCode, Severity};
use crate::json::Value;
use crate::terminology::Terminology;

/// Where in a value something was found.
pub(crate) type Found = (Option<&'static str>, Finding);

/// The system of an Identifier.
pub(crate) fn of_identifier(value: Value<'_>) -> Option<Finding> {
    let system = value.str_at(&["system"]).filter(|system| !system.is_empty())?;
    // Without its system an identifier identifies nothing.
    if !format::is_absolute(&system) {
        return Some(relative());
    }
    // The system of URIs: the value is one.
    let value = value.str_at(&["value"])?;
    let is_uuid = |text: &str| format::is_valid(format::Primitive::Uuid, &format!("urn:uuid:{}", text.to_lowercase()));
    if system.ends_with("://tools.ietf.org/html/rfc4122") && !is_uuid(value.trim_start_matches("urn:uuid:")) {
        let message = "An identifier of the system of UUIDs is a UUID.";
        return Some(Finding::error(Rule::CodeSystem, IssueCode::CodeInvalid, message));
    }
    if system != "urn:ietf:rfc:3986" {
        return None;
    }
    let message = "An identifier of the system urn:ietf:rfc:3986 is a whole URI.";
    (!format::is_absolute(&value)).then(|| Finding::error(Rule::CodeSystem, IssueCode::CodeInvalid, message))
}

/// Checks a Coding or a Quantity. One coding of several may be local, and is in a `concept`; one by itself is what it
/// says. `wrong_display` is how bad a display is that is none of the code's.
pub(crate) fn of_code(
    value: Value<'_>,
    in_concept: bool,
    terminology: &Terminology,
    wrong_display: Severity,
) -> Vec<Found> {
    let Some(system) = value.str_at(&["system"]).filter(|system| !system.is_empty()) else {
        let message = "A code without its system means nothing, and is not checked.";
        let finding = Finding::error(Rule::CodeSystem, IssueCode::Invalid, message);
        let is_coded = !in_concept && value.get("code").is_some();
        return is_coded.then_some((None, Finding { severity: Severity::Warning, ..finding })).into_iter().collect();
    };
    let by_place = |code, finding: Finding| {
        let severity = if in_concept { Severity::Warning } else { Severity::Error };
        vec![(None, Finding { severity, code, ..finding })]
    };
    if !format::is_absolute(&system) {
        return by_place(IssueCode::CodeInvalid, relative());
    }
    if system == unit::SYSTEM {
        let code = value.str_at(&["code"]);
        return code.and_then(|code| unit::check(&code)).map(|finding| (Some("code"), finding)).into_iter().collect();
    }
    let version = value.str_at(&["version"]);
    let Some(found) = terminology.code_system(&system, version.as_deref()) else {
        if terminology.has_value_set(&system) || system.starts_with("http://hl7.org/fhir/ValueSet/") {
            let message = format!("{} is a value set; the system must be a code system.", quoted(&system));
            let finding = Finding::error(Rule::CodeSystem, IssueCode::CodeInvalid, message);
            return by_place(IssueCode::CodeInvalid, finding);
        }
        return Vec::new();
    };
    if let Some(base) = &found.supplements {
        let message = format!("{system} only adds to {base}: codes are of that system.");
        return vec![(Some("system"), Finding::error(Rule::CodeSystem, IssueCode::NotFound, message))];
    }
    let Some(code) = value.str_at(&["code"]) else { return Vec::new() };
    let Some(concept) = found.find(&code) else {
        if !found.complete || found.leaves_out(&code) || is_national_number(&system, &code) {
            return Vec::new();
        }
        return vec![(Some("code"), no_such_code(&code, &system))];
    };
    let display = value.str_at(&["display"]);
    let wrong = display.and_then(|display| of_display(&display, &concept.displays, &code, wrong_display));
    wrong.map(|finding| (Some("display"), finding)).into_iter().collect()
}

/// Table 0203 of HL7 v2 has the code NN for the national number of each country, followed by its three letters.
fn is_national_number(system: &str, code: &str) -> bool {
    let country = code.strip_prefix("NN").filter(|_| system == "http://terminology.hl7.org/CodeSystem/v2-0203");
    country.is_some_and(|country| country.len() == 3 && country.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// Capital and small letters do not matter, spaces do.
pub(crate) fn same_display(known: &str, display: &str) -> bool {
    known == display || known.to_lowercase() == display.to_lowercase()
}

/// A display that is none of these.
pub(crate) fn of_display(display: &str, displays: &[Box<str>], code: &str, severity: Severity) -> Option<Finding> {
    let expected = displays.first()?;
    if displays.iter().any(|known| same_display(known, display)) {
        return None;
    }
    let (display, code) = (quoted(display), quoted(code));
    let message = format!("The display '{display}' is not that of the code '{code}': expected '{expected}'.");
    Some(Finding { severity, ..Finding::error(Rule::CodeSystem, IssueCode::Invalid, message) })
}

fn relative() -> Finding {
    Finding::error(Rule::CodeSystem, IssueCode::CodeInvalid, "The system must be an absolute URI.")
}

/// A code that its system does not have.
pub(crate) fn no_such_code(code: &str, system: &str) -> Finding {
    let message = format!("The code '{}' is not in the code system {system}.", quoted(code));
    Finding::error(Rule::CodeSystem, IssueCode::CodeInvalid, message)
}
