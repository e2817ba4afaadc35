//! What a route says of how to send: by which interaction, and by what a repeat is recognised.

use serde::Deserialize;

use crate::exchange::Conditions;

/// How a route wants its resources sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Send {
    /// `POST {type}` with `If-None-Exist` on an identifier of this system.
    CreateUnlessIdentified(String),
    /// `POST {type}`, sent again after an unknown outcome: the route says that it may.
    CreateAgain,
    /// `PUT {type}?identifier=` on an identifier of this system.
    UpdateIdentified(String),
    /// `PUT {type}/{id}`: one source owns the ids.
    UpdateById,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    send: Option<Verb>,
    identifier: Option<String>,
    by: Option<By>,
    #[serde(default)]
    resend: bool,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Verb {
    Create,
    Update,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum By {
    Id,
}

const CHOICES: &str = "a route to a fhir-rest destination says how to send: \
    { send = \"create\", identifier = \"SYSTEM\" }, { send = \"update\", identifier = \"SYSTEM\" }, \
    { send = \"update\", by = \"id\" } or, where a repeat does no harm, { send = \"create\", resend = true }";

impl Send {
    pub(super) fn read(options: &serde_json::Value) -> Result<Self, String> {
        let read: Options = serde_json::from_value(options.clone()).map_err(|error| format!("{error}; {CHOICES}"))?;
        match (read.send, read.identifier, read.by, read.resend) {
            (Some(Verb::Create), Some(system), None, false) if !system.is_empty() => {
                Ok(Self::CreateUnlessIdentified(system))
            }
            (Some(Verb::Create), None, None, true) => Ok(Self::CreateAgain),
            (Some(Verb::Update), Some(system), None, false) if !system.is_empty() => Ok(Self::UpdateIdentified(system)),
            (Some(Verb::Update), None, Some(By::Id), false) => Ok(Self::UpdateById),
            (Some(Verb::Create), None, None, false) => {
                Err(format!("a bare create may be done twice after an unknown outcome; {CHOICES}"))
            }
            _ => Err(CHOICES.to_owned()),
        }
    }

    /// The sender's `If-None-Exist` fits a create that has no condition of its own, its `If-Match` an update.
    pub(super) fn carries(&self, conditions: &Conditions) -> bool {
        match self {
            Self::CreateUnlessIdentified(_) => conditions.if_none_exist.is_none() && conditions.if_match.is_none(),
            Self::CreateAgain => conditions.if_match.is_none(),
            Self::UpdateIdentified(_) | Self::UpdateById => conditions.if_none_exist.is_none(),
        }
    }

    pub(super) fn may_repeat_blindly(&self) -> bool {
        !matches!(self, Self::CreateAgain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_route_must_say_how_a_repeat_is_recognised() {
        let good = [
            (json!({"send": "create", "identifier": "s"}), Send::CreateUnlessIdentified("s".to_owned())),
            (json!({"send": "create", "resend": true}), Send::CreateAgain),
            (json!({"send": "update", "identifier": "s"}), Send::UpdateIdentified("s".to_owned())),
            (json!({"send": "update", "by": "id"}), Send::UpdateById),
        ];
        for (options, send) in good {
            assert_eq!(Send::read(&options), Ok(send));
        }
        let wrong = [
            json!({}),
            json!({"send": "create"}),
            json!({"send": "update"}),
            json!({"send": "delete"}),
            json!({"send": "create", "identifier": ""}),
            json!({"send": "create", "identifier": "s", "resend": true}),
            json!({"send": "update", "identifier": "s", "by": "id"}),
            json!({"send": "create", "identifer": "s"}),
        ];
        for options in wrong {
            assert!(Send::read(&options).unwrap_err().contains("send ="), "{options}");
        }
    }

    #[test]
    fn preconditions_are_carried_only_where_they_mean_something() {
        let none_exist = Conditions { if_none_exist: Some("identifier=a".to_owned()), if_match: None };
        let matching = Conditions { if_none_exist: None, if_match: Some("W/\"1\"".to_owned()) };
        assert!(Send::CreateAgain.carries(&none_exist) && !Send::CreateAgain.carries(&matching));
        assert!(Send::UpdateById.carries(&matching) && !Send::UpdateById.carries(&none_exist));
        assert!(!Send::CreateUnlessIdentified("s".to_owned()).carries(&none_exist));
    }
}
