//! Realistic faults: what trust systems get wrong, about one message in seven. Each must be answered with an explanation
//! and leave its trace in the register.

use serde_json::{Value, json};

use super::people::pick;
use crate::chance::Chance;

/// One way to spoil a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Cut off in the middle.
    Truncated,
    /// A code that is not in the required value set.
    Gender,
    /// A date as people write it.
    BirthDate,
    /// A property FHIR does not have.
    UnknownProperty,
    /// An object where an array belongs.
    NotAnArray,
    /// A required element is missing.
    Missing,
    /// An empty string.
    EmptyString,
    /// No resource type.
    NoType,
}

pub(super) const ALL: [Fault; 8] = [
    Fault::Truncated,
    Fault::Gender,
    Fault::BirthDate,
    Fault::UnknownProperty,
    Fault::NotAnArray,
    Fault::Missing,
    Fault::EmptyString,
    Fault::NoType,
];

/// A fault, for about 15 messages in a hundred.
pub(super) fn draw(chance: &Chance) -> Option<Fault> {
    (chance.unit() < 0.15).then(|| pick(&ALL, chance))
}

/// The message with the fault in it.
pub(super) fn spoil(fault: Fault, mut resource: Value) -> String {
    match fault {
        Fault::Truncated => {
            let text = resource.to_string();
            let middle = (text.len() / 2..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            return text[..middle].to_owned();
        }
        Fault::Gender if resource["resourceType"] == "Patient" => resource["gender"] = json!("F"),
        Fault::BirthDate if resource["resourceType"] == "Patient" => resource["birthDate"] = json!("03/11/1956"),
        Fault::Gender | Fault::BirthDate => resource["status"] = json!("done"),
        Fault::UnknownProperty => resource["nhsNumber"] = json!(true),
        Fault::NotAnArray => resource["identifier"] = resource["identifier"][0].take(),
        Fault::Missing => {
            // A Patient has no required element of its own; its contact needs something to say.
            match resource.as_object_mut() {
                Some(object) if object.contains_key("status") => drop(object.remove("status")),
                _ => resource["link"] = json!([{ "type": "seealso" }]),
            }
        }
        Fault::EmptyString => resource["language"] = json!(""),
        Fault::NoType => drop(resource.as_object_mut().and_then(|object| object.remove("resourceType"))),
    }
    resource.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{people::person, resources};
    use crate::validation::Validation;
    use signalbox_validator::json::Document;

    #[test]
    fn every_fault_is_found() {
        let validation = Validation::built_in().unwrap();
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let person = person(1, 1);
        for fault in ALL {
            for resource in [resources::patient(&person, 1), resources::encounter(&person, 1, false, now)] {
                let text = spoil(fault, resource);
                let found = Document::read(text.as_bytes())
                    .map_or(true, |document| validation.check(&document).iter().any(crate::outcome::Issue::is_error));
                assert!(found, "{fault:?}");
            }
        }
    }

    #[test]
    fn about_fifteen_in_a_hundred_are_faulty() {
        let chance = Chance::seeded(5);
        let faulty = (0..10_000).filter(|_| draw(&chance).is_some()).count();
        assert!((1_300..1_700).contains(&faulty), "{faulty}");
    }
}
