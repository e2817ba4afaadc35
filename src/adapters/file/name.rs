//! Names of files from a template. No part of a name comes from the payload, so none can lead out of the folder or tell of
//! a patient.

use crate::delivery::destination::Delivery;
use crate::exchange::Interaction;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Exchange,
    Delivery,
    Type,
    Received,
    Extension,
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (field, behind) = after.split_once('}').ok_or("a '{' is not closed")?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(match field {
                "exchange" => Part::Exchange,
                "delivery" => Part::Delivery,
                "type" => Part::Type,
                "received" => Part::Received,
                "extension" => Part::Extension,
                _ => {
                    return Err(format!(
                        "found '{{{field}}}', expected one of {{exchange}}, {{delivery}}, {{type}}, {{received}}, {{extension}}"
                    ));
                }
            });
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        let texts =
            || parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None });
        if texts().any(|text| text.contains(['/', '\\', '\0'])) || text.starts_with('.') {
            return Err("expected the name of a file in the folder, without '/' and not beginning with '.'".to_owned());
        }
        if !parts.iter().any(|part| matches!(part, Part::Exchange | Part::Delivery)) {
            return Err("needs {delivery} or {exchange}, so that every delivery has a file of its own".to_owned());
        }
        Ok(Self(parts))
    }

    pub(super) fn render(&self, delivery: &Delivery) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Exchange => delivery.exchange.to_string(),
            Part::Delivery => delivery.id.to_string(),
            // `ADT^A31` is written `ADT_A31`, as HL7 names structures.
            Part::Type => delivery.resource_type.replace('^', "_"),
            Part::Extension if delivery.interaction == Interaction::Message => "hl7".to_owned(),
            Part::Extension => "json".to_owned(),
            Part::Received => delivery.received_at.format("%Y%m%dT%H%M%S%3f").to_string(),
        };
        self.0.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_cannot_tell_deliveries_apart_or_leads_elsewhere_is_refused() {
        for wrong in
            ["out.json", "{type}.json", "{delivery", "{nhs}-{delivery}", "../{delivery}", "a/{delivery}", ".{delivery}"]
        {
            assert!(Template::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Template::parse("{received}-{type}-{delivery}.{extension}").is_ok());
    }
}
