//! The codes of a [CodeSystem](https://hl7.org/fhir/R4/codesystem.html) and their hierarchy, for systems that are
//! HL7's own. A system that quotes another body's standard is not carried, whoever publishes its canonical.

use super::Resources;
use super::writer::ObjectWriter;
use crate::json::Value;

/// Bodies whose codes HL7 re-publishes under its own canonicals.
const OTHER_BODIES: [&str; 10] =
    ["DICOM", "NEMA", "NUBC", "LOINC", "Regenstrief", "SNOMED", "ISO ", "ASTM", "IHE", "American Medical Association"];
const HL7: [&str; 2] = ["http://hl7.org/fhir/", "http://terminology.hl7.org/CodeSystem/"];
/// Re-published systems whose resource does not say in words where its codes come from.
const RE_PUBLISHED: [&str; 23] = [
    "http://hl7.org/fhir/spdx-license",
    "http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle",
    "http://terminology.hl7.org/CodeSystem/audit-event-type",
    "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle",
    "http://terminology.hl7.org/CodeSystem/contractsignertypecodes",
    "http://terminology.hl7.org/CodeSystem/object-role",
    "http://terminology.hl7.org/CodeSystem/audit-entity-type",
    "http://terminology.hl7.org/CodeSystem/security-source-type",
    "http://hl7.org/fhir/sid/ex-icd-10-procedures",
    "http://terminology.hl7.org/CodeSystem/FDI-surface",
    "http://terminology.hl7.org/CodeSystem/ex-tooth",
    "http://terminology.hl7.org/CodeSystem/ex-USCLS",
    "http://terminology.hl7.org/CodeSystem/ex-revenue-center",
    "http://terminology.hl7.org/CodeSystem/ex-diagnosisrelatedgroup",
    "http://terminology.hl7.org/CodeSystem/ex-serviceplace",
    "http://terminology.hl7.org/CodeSystem/ex-diagnosis-on-admission",
    "http://terminology.hl7.org/CodeSystem/ex-providerqualification",
    "http://terminology.hl7.org/CodeSystem/chargeitem-billingcodes",
    "http://terminology.hl7.org/CodeSystem/payment-adjustment-reason",
    "http://terminology.hl7.org/CodeSystem/v3-Race",
    "http://terminology.hl7.org/CodeSystem/recommendation-strength",
    "http://terminology.hl7.org/CodeSystem/adverse-event-causality-assess",
    "http://terminology.hl7.org/CodeSystem/adverse-event-causality-method",
];

/// A system of HL7's own that quotes another body in these groups only, which are left out.
const QUOTED: [(&str, &str); 1] =
    [("http://terminology.hl7.org/CodeSystem/v3-ActCode", "_LOINCObservationActContextAgeType")];

/// Whether codes of the system with this canonical may be copied.
pub(super) fn is_hl7(canonical: &str) -> bool {
    HL7.iter().any(|start| canonical.starts_with(start)) && !RE_PUBLISHED.contains(&canonical)
}

/// Whether the system is HL7's or the publisher's, complete, and says of no part that it is another body's.
pub(super) fn is_carried(resources: &Resources<'_>, system: Value<'_>) -> bool {
    let text = |key| system.str_at(&[key]).unwrap_or_default();
    let mentions = |key| OTHER_BODIES.iter().any(|body| text(key).contains(body));
    let is_known = QUOTED.iter().any(|(url, _)| text("url") == *url);
    text("content") == "complete"
        && resources.may_copy(&text("url"))
        && (is_known || !(mentions("copyright") || mentions("description") || mentions("title")))
}
/// One line of a pack.
pub(super) fn facts(system: Value<'_>) -> String {
    let mut line = String::new();
    let mut object = ObjectWriter::begin(&mut line);
    object.copy(system, &["resourceType", "url", "version", "caseSensitive", "valueSet"]);
    let left_out = system.str_at(&["url"]).and_then(|url| QUOTED.iter().find(|(known, _)| *known == url));
    if let Some((_, group)) = left_out {
        super::writer::push_string(object.key("leftOut"), group);
    }
    let is_ours = system.str_at(&["url"]).is_some_and(|url| is_hl7(&url));
    let copied: &[&str] = if is_ours { &["code", "display"] } else { &["code"] };
    concepts(&mut object, system, copied, left_out.map_or("", |(_, group)| group));
    object.end();
    line
}

fn concepts(object: &mut ObjectWriter<'_>, parent: Value<'_>, copied: &[&str], left_out: &str) {
    let children = parent.get("concept").into_iter().flat_map(Value::items);
    let children = children.filter(|concept| concept.str_at(&["code"]).is_none_or(|code| code != left_out));
    object.array("concept", children, |concept, out| {
        let mut object = ObjectWriter::begin(out);
        object.copy(concept, copied);
        concepts(&mut object, concept, copied, left_out);
        object.end();
    });
}
