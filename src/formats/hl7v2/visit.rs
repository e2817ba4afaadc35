//! Finding the Encounter of a delivery and its Patient: in a Bundle beside each other, or the Patient contained.
//! A guess could admit the wrong person, so anything but one certain Patient is refused.

use signalbox_validator::json::Value;

use super::Unmapped;
use super::element::{items, text};
use super::references::{Resources, resource_type};

/// An Encounter with its Patient.
pub(super) struct Visit<'d> {
    pub(super) encounter: Value<'d>,
    pub(super) patient: Value<'d>,
    /// The resource whose contained ones a `#id` of the patient means.
    pub(super) patient_container: Value<'d>,
    pub(super) resources: Resources<'d>,
    /// The entry of the Bundle asks for an update.
    pub(super) update: bool,
}

const MISSING: &str = "Encounter.subject: the Patient is not in the delivery, or not exactly one; send the Encounter \
                       with its Patient in a Bundle, or with the Patient contained";

/// Finds them.
///
/// # Errors
/// What is missing.
pub(super) fn find(body: Value<'_>) -> Result<Visit<'_>, Unmapped> {
    let resources = Resources::of(body);
    let (encounter, update) = if resource_type(body) == "Bundle" {
        match resources.of_type("Encounter")[..] {
            [entry] => (entry.resource, entry.update),
            ref found => {
                let found = found.len();
                return Err(Unmapped(format!("Bundle.entry: exactly one Encounter is needed, found {found}")));
            }
        }
    } else {
        (body, false)
    };
    let patient = patient_of(encounter, &resources).ok_or_else(|| Unmapped::new(MISSING))?;
    let contained = items(encounter, "contained").any(|resource| resource.index() == patient.index());
    let patient_container = if contained { encounter } else { patient };
    Ok(Visit { encounter, patient, patient_container, resources, update })
}

fn patient_of<'d>(encounter: Value<'d>, resources: &Resources<'d>) -> Option<Value<'d>> {
    let subject = encounter.get("subject");
    if let Some(subject) = subject.filter(|subject| subject.get("reference").is_some()) {
        return resources.resolve(encounter, subject).filter(|patient| resource_type(*patient) == "Patient");
    }
    let [only] = resources.of_type("Patient")[..] else { return None };
    let identifier = subject.and_then(|subject| subject.get("identifier"));
    identifier.is_none_or(|wanted| has_identifier(only.resource, wanted)).then_some(only.resource)
}

fn has_identifier(patient: Value<'_>, wanted: Value<'_>) -> bool {
    let key = |identifier: Value<'_>| (text(identifier, &["system"]), text(identifier, &["value"]));
    items(patient, "identifier").any(|identifier| key(identifier) == key(wanted))
}
