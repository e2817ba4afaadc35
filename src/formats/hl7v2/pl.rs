//! PL, where the patient is (HL7 v2.4 §2.9.31), as ITK fills it: `free^ward^bed^site`.

use signalbox_validator::json::Value;

use super::element::{codes, items, text};
use super::message::Components;
use super::references::Resources;
use super::uk;

/// PV1-3: the places of the Encounter that are not over or only planned; of a finished Encounter all, the last of
/// each kind. A place of no stated kind goes into the free component. `None` when it has none.
pub(super) fn location<'d>(encounter: Value<'d>, resources: &Resources<'d>) -> Option<Components> {
    let places: Vec<Value<'d>> = items(encounter, "location").collect();
    let current =
        |place: &Value<'d>| !matches!(text(*place, &["status"]).as_str(), "completed" | "planned" | "reserved");
    let any_current = places.iter().any(current);
    let mut components = vec![String::new(); 4];
    for place in places.into_iter().filter(|place| !any_current || current(place)) {
        let Some(reference) = place.get("location") else { continue };
        let resource = resources.resolve(encounter, reference);
        let (code, is_site) = identity(reference, resource);
        let kind = place.get("physicalType").or_else(|| resource?.get("physicalType"));
        let kind = codes(kind).find_map(|code| component_of(&code));
        let component = if is_site { 3 } else { kind.unwrap_or(0) };
        if let Some(component) = components.get_mut(component) {
            *component = code;
        }
    }
    components.iter().any(|component| !component.is_empty()).then_some(components)
}

/// Component (from 0) for a code of location-physical-type.
fn component_of(physical_type: &str) -> Option<usize> {
    match physical_type {
        "wa" => Some(1),
        "bd" => Some(2),
        "si" => Some(3),
        _ => None,
    }
}

/// How a place is called: its identifier, else its name; and whether that identifier is an ODS site code.
fn identity(reference: Value<'_>, resource: Option<Value<'_>>) -> (String, bool) {
    let of_resource = resource.into_iter().flat_map(|resource| items(resource, "identifier"));
    let mut identifiers = reference.get("identifier").into_iter().chain(of_resource);
    if let Some(identifier) = identifiers.find(|identifier| identifier.get("value").is_some()) {
        return (text(identifier, &["value"]), text(identifier, &["system"]) == uk::ODS_SITE);
    }
    let name = resource.map(|resource| text(resource, &["name"])).filter(|name| !name.is_empty());
    (name.unwrap_or_else(|| text(reference, &["display"])), false)
}
