//! XCN, person with a number (HL7 v2.4 §2.9.52), and XON, organisation with one (§2.9.51): what a Reference to a
//! professional or a practice says, from the resource it means when the delivery carries it, else from its own
//! identifier and display.

use signalbox_validator::json::Value;

use super::element::{is_old, items, text};
use super::message::Components;
use super::partner::Partner;
use super::references::{Resources, resource_type};
use super::{uk, xpn};

/// A reference to a professional or an organisation, with the resource it means, if that is here.
pub(super) struct Party<'d> {
    reference: Value<'d>,
    resource: Option<Value<'d>>,
}

impl<'d> Party<'d> {
    /// Follows a reference of `holder`; of a `PractitionerRole` to its practitioner.
    pub(super) fn of(holder: Value<'d>, reference: Value<'d>, resources: &Resources<'d>) -> Self {
        let direct = Self { reference, resource: resources.resolve(holder, reference) };
        let role = direct.resource.filter(|resource| resource_type(*resource) == "PractitionerRole");
        let Some((role, person)) = role.and_then(|role| Some((role, role.get("practitioner")?))) else { return direct };
        // In a contained role, `#id` means a sibling.
        let resource = resources.resolve(role, person).or_else(|| resources.resolve(holder, person));
        Self { reference: person, resource }
    }

    /// Whether this is an organisation, by the resource, the reference's own words, or the kind of identifier.
    pub(super) fn is_organisation(&self) -> bool {
        let named = self.resource.map(resource_type).unwrap_or_default();
        let said = text(self.reference, &["type"]);
        let target = text(self.reference, &["reference"]);
        let of = |kind: &str| named == kind || said == kind || target.contains(&format!("{kind}/"));
        of("Organization") || self.identifier(is_ods).is_some()
    }

    /// `id^family^given^further given^suffix^prefix^^^authority`; `None` when there is nothing to say.
    pub(super) fn xcn(&self, partner: &Partner) -> Option<Components> {
        let authority = |system: &str| {
            let agreed = partner.authorities.get(system).map(String::as_str);
            agreed.or_else(|| uk::professional_authority(system)).map(str::to_owned)
        };
        let (id, authority) = self
            .identifier(|system| authority(system).is_some())
            .map(|(system, value)| (value, authority(&system).unwrap_or_default()))
            .unwrap_or_default();
        let name = self.resource.and_then(|resource| items(resource, "name").next());
        let mut components = name.map_or_else(|| vec![self.display()], |name| xpn::xpn(name, ""));
        components.resize(5, String::new());
        components.insert(0, id);
        components.extend([String::new(), String::new(), authority]);
        components.iter().any(|component| !component.is_empty()).then_some(components)
    }

    /// `name^^ODS code`; `None` when there is nothing to say.
    pub(super) fn xon(&self) -> Option<Components> {
        let code = self.identifier(is_ods).map(|(_, code)| code).unwrap_or_default();
        let named = self.resource.map(|resource| text(resource, &["name"])).filter(|name| !name.is_empty());
        let name = named.unwrap_or_else(|| self.display());
        (!(code.is_empty() && name.is_empty())).then(|| vec![name, String::new(), code])
    }

    fn display(&self) -> String {
        text(self.reference, &["display"])
    }

    /// System and value of the first current identifier whose system is wanted.
    fn identifier(&self, wanted: impl Fn(&str) -> bool) -> Option<(String, String)> {
        let of_resource = self.resource.into_iter().flat_map(|resource| items(resource, "identifier"));
        let all = self.reference.get("identifier").into_iter().chain(of_resource);
        all.filter(|identifier| !is_old(*identifier))
            .map(|identifier| (text(identifier, &["system"]), text(identifier, &["value"])))
            .find(|(system, value)| wanted(system) && !value.is_empty())
    }
}

fn is_ods(system: &str) -> bool {
    system == uk::ODS_ORGANISATION || system == uk::ODS_SITE
}
