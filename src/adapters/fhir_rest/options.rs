//! What a route says of how to send: by which interaction, and by what a repeat is recognised.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::exchange::{Conditions, Interaction};

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
    /// `POST [base]` of a transaction, sent again after an unknown outcome: the route says that it may.
    Transaction,
}

/// What a route says beside the name of the server.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The interaction.
    send: Option<Verb>,
    /// Identifier system by which a repeat is recognised.
    identifier: Option<String>,
    /// By what an update finds its resource, where it is no identifier.
    by: Option<By>,
    /// Whether a repeat does no harm.
    #[serde(default)]
    resend: bool,
}

#[derive(Deserialize, JsonSchema, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Verb {
    Create,
    Update,
    Transaction,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum By {
    Id,
}

const CHOICES: &str = "a route to a fhir-rest destination says how to send: \
    { send = \"create\", identifier = \"SYSTEM\" }, { send = \"update\", identifier = \"SYSTEM\" }, \
    { send = \"update\", by = \"id\" } or, where a repeat does no harm, { send = \"create\", resend = true } or \
    { send = \"transaction\", resend = true }";

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
            (Some(Verb::Transaction), None, None, true) => Ok(Self::Transaction),
            (Some(Verb::Create), None, None, false) => {
                Err(format!("a bare create may be done twice after an unknown outcome; {CHOICES}"))
            }
            _ => Err(CHOICES.to_owned()),
        }
    }

    /// The sender's `If-None-Exist` fits a create that has no condition of its own, its `If-Match` an update.
    /// A transaction is carried by a route for transactions, and by no other.
    pub(super) fn carries(&self, interaction: Interaction, conditions: &Conditions) -> bool {
        let is_message = interaction == Interaction::Message;
        if is_message || (interaction == Interaction::Transaction) != (*self == Self::Transaction) {
            return false;
        }
        match self {
            Self::Transaction => *conditions == Conditions::default(),
            Self::CreateUnlessIdentified(_) => conditions.if_none_exist.is_none() && conditions.if_match.is_none(),
            Self::CreateAgain => conditions.if_match.is_none(),
            Self::UpdateIdentified(_) | Self::UpdateById => conditions.if_none_exist.is_none(),
        }
    }

    pub(super) fn may_repeat_blindly(&self) -> bool {
        !matches!(self, Self::CreateAgain | Self::Transaction)
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
            (json!({"send": "transaction", "resend": true}), Send::Transaction),
        ];
        for (options, send) in good {
            assert_eq!(Send::read(&options), Ok(send));
        }
        let wrong = [
            json!({}),
            json!({"send": "create"}),
            json!({"send": "update"}),
            json!({"send": "delete"}),
            json!({"send": "transaction"}),
            json!({"send": "transaction", "identifier": "s", "resend": true}),
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
        let carries = |send: &Send, conditions| send.carries(Interaction::Create, conditions);
        assert!(carries(&Send::CreateAgain, &none_exist) && !carries(&Send::CreateAgain, &matching));
        assert!(carries(&Send::UpdateById, &matching) && !carries(&Send::UpdateById, &none_exist));
        assert!(!carries(&Send::CreateUnlessIdentified("s".to_owned()), &none_exist));
    }

    #[test]
    fn a_transaction_goes_by_a_route_for_transactions_only() {
        let none = Conditions::default();
        assert!(Send::Transaction.carries(Interaction::Transaction, &none));
        assert!(!Send::Transaction.carries(Interaction::Create, &none));
        assert!(!Send::CreateAgain.carries(Interaction::Transaction, &none));
    }
}
