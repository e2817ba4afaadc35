//! Systems of [codes](https://hl7.org/fhir/R4/codesystem.html) and identifiers: the URI is absolute, and where the
//! system's codes are carried, the code is one of them.

use super::{Finding, Rule, format, quoted};
use crate::issue::{IssueCode, Severity};
use crate::json::Value;
use crate::node::Special;
use crate::value_set::Codes;

/// Systems that are published with FHIR itself, and so have no codes but those of its version.
const VERSIONED_WITH_FHIR: &str = "http://hl7.org/fhir/";

/// Checks a Coding, Quantity or Identifier.
pub(crate) fn check<'c>(
    special: Special,
    value: Value<'_>,
    codes_of: impl Fn(&str) -> Option<&'c Codes>,
) -> Option<Finding> {
    let system = value.str_at(&["system"]).filter(|system| !system.is_empty())?;
    if !format::is_absolute(&system) {
        let finding = Finding::error(Rule::CodeSystem, IssueCode::Value, "The system must be an absolute URI.");
        // Without its system an identifier identifies nothing; a code may still be read by people.
        let severity = if special == Special::Identifier { Severity::Error } else { Severity::Warning };
        return Some(Finding { severity, ..finding });
    }
    let codes = codes_of(&system)?;
    let code = value.str_at(&["code"])?;
    if codes.contains(&*code) {
        return None;
    }
    let message = format!("The code '{}' is not in the code system {system}.", quoted(&code));
    let finding = Finding::error(Rule::CodeSystem, IssueCode::CodeInvalid, message);
    // Systems that live on their own may have gained codes since.
    let severity = if system.starts_with(VERSIONED_WITH_FHIR) { Severity::Error } else { Severity::Warning };
    Some(Finding { severity, ..finding })
}
