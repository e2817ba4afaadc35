//! Patients whose whereabouts must not be passed on. A record restricted by its
//! [security label](https://hl7.org/fhir/R4/security-labels.html#core) (in PDS: location hiding, ZU8-4) goes without
//! address, telephone numbers, contacts and practice; from each of them the patient could be found.

use signalbox_validator::json::Value;

use super::element::{items, text};

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// Whether `meta.security` says restricted or very restricted.
pub(super) fn hides_location(resource: Value<'_>) -> bool {
    let labels = resource.get("meta").into_iter().flat_map(|meta| items(meta, "security"));
    labels
        .into_iter()
        .any(|label| text(label, &["system"]) == CONFIDENTIALITY && matches!(&*text(label, &["code"]), "R" | "V"))
}
