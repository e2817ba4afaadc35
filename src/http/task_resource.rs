//! The [Task](https://hl7.org/fhir/R4/task.html) that tells a sender what became of an exchange: one output per
//! destination, named by it, holding the delivery's state as a code and what is known of it as text.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::exchange::state::{DeliveryState, DeliveryStatus, ExchangeStatus};

/// A Task and what its headers need.
pub(super) struct Task {
    /// The resource.
    pub(super) resource: Value,
    /// Its version: another one whenever anything in it is another.
    pub(super) version: String,
    /// Its last change.
    pub(super) modified: DateTime<Utc>,
}

/// Renders an exchange.
pub(super) fn render(exchange: &ExchangeStatus) -> Task {
    let modified = exchange.deliveries.iter().map(|delivery| delivery.updated_at).fold(exchange.received_at, Ord::max);
    let mut resource = json!({
        "resourceType": "Task",
        "id": exchange.id.to_string(),
        "meta": { "lastUpdated": instant(modified) },
        "identifier": [
            { "system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{}", exchange.id.uuid()) },
            { "type": { "text": "X-Correlation-ID" }, "value": exchange.correlation_id },
        ],
        "status": status(&exchange.deliveries),
        "businessStatus": { "text": tally(&exchange.deliveries) },
        "intent": "order",
        "description": format!("{} of one {}", exchange.interaction.as_str(), exchange.resource_type),
        "authoredOn": instant(exchange.received_at),
        "lastModified": instant(modified),
    });
    if !exchange.deliveries.is_empty() {
        resource["output"] = exchange.deliveries.iter().map(output).collect();
    }
    let version = hex::encode(&Sha256::digest(resource.to_string())[..8]);
    resource["meta"]["versionId"] = Value::from(version.as_str());
    Task { resource, version, modified }
}

/// The statuses a Task of ours may have.
pub(super) const STATUSES: [&str; 5] = ["on-hold", "in-progress", "completed", "cancelled", "failed"];

/// [Task.status](https://hl7.org/fhir/R4/valueset-task-status.html)
fn status(deliveries: &[DeliveryStatus]) -> &'static str {
    let all = |state| deliveries.iter().all(|delivery| delivery.state == state);
    if deliveries.iter().any(|delivery| delivery.state == DeliveryState::Quarantined) {
        "on-hold"
    } else if deliveries.iter().any(|delivery| !delivery.state.is_ended()) {
        "in-progress"
    } else if all(DeliveryState::Delivered) {
        "completed"
    } else if all(DeliveryState::Cancelled) {
        "cancelled"
    } else {
        "failed"
    }
}

/// How many deliveries are in each state: `1 waiting, 2 delivered`.
fn tally(deliveries: &[DeliveryStatus]) -> String {
    if deliveries.is_empty() {
        return "recorded; no destination is configured for it".to_owned();
    }
    let counts = DeliveryState::ALL.into_iter().filter_map(|state| {
        let count = deliveries.iter().filter(|delivery| delivery.state == state).count();
        (count > 0).then(|| format!("{count} {}", state.as_str()))
    });
    counts.collect::<Vec<_>>().join(", ")
}

fn output(delivery: &DeliveryStatus) -> Value {
    let state = delivery.state.as_str();
    let due = delivery.due.filter(|_| !delivery.state.is_ended());
    let note = delivery.note.as_deref().filter(|note| !note.is_empty());
    let text = [
        state.to_owned(),
        attempts(delivery.attempts),
        due.map_or_else(String::new, |due| format!(", due {}", instant(due))),
        note.map_or_else(String::new, |note| format!(": {note}")),
        delivery.location.as_ref().map_or_else(String::new, |location| format!(" (now at {location})")),
    ];
    json!({
        "type": { "text": delivery.destination },
        "valueCodeableConcept": { "coding": [{ "code": state }], "text": text.concat() },
    })
}

fn attempts(count: i32) -> String {
    match count {
        0 => String::new(),
        1 => " after 1 attempt".to_owned(),
        more => format!(" after {more} attempts"),
    }
}

fn instant(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::chance::Chance;
    use crate::exchange::Interaction;
    use crate::exchange::ids::Id;
    use proptest::prelude::*;

    fn at(minute: u32) -> DateTime<Utc> {
        format!("2026-07-01T09:{minute:02}:00Z").parse().unwrap()
    }

    /// An exchange whose deliveries are in these states.
    pub(crate) fn exchange_with(states: &[DeliveryState]) -> ExchangeStatus {
        let chance = Chance::seeded(7);
        let delivery = |(number, state): (usize, &DeliveryState)| DeliveryStatus {
            id: Id::new(at(30), &chance),
            destination: format!("destination-{number}"),
            state: *state,
            attempts: 0,
            due: None,
            note: None,
            location: None,
            updated_at: at(31),
        };
        ExchangeStatus {
            id: Id::new(at(30), &chance),
            received_at: at(30),
            interaction: Interaction::Create,
            resource_type: "Patient".to_owned(),
            correlation_id: "ward-7".to_owned(),
            deliveries: states.iter().enumerate().map(delivery).collect(),
        }
    }

    #[test]
    fn a_sender_reads_how_its_message_fares_at_each_destination() {
        let mut exchange = exchange_with(&[DeliveryState::Delivered, DeliveryState::Ready]);
        exchange.deliveries[0].attempts = 1;
        exchange.deliveries[0].note = Some("201 Created".to_owned());
        exchange.deliveries[0].location = Some("https://central.example/fhir/Patient/7".to_owned());
        exchange.deliveries[1].attempts = 3;
        exchange.deliveries[1].due = Some(at(45));
        exchange.deliveries[1].note = Some("connection refused".to_owned());
        exchange.deliveries[1].updated_at = at(40);
        insta::assert_snapshot!(serde_json::to_string_pretty(&render(&exchange).resource).unwrap());
    }

    #[test]
    fn an_exchange_without_destinations_is_completed() {
        let resource = render(&exchange_with(&[])).resource;
        assert_eq!(resource["status"], "completed");
        assert_eq!(resource.get("output"), None);
    }

    #[test]
    fn the_version_changes_with_anything_a_sender_can_see() {
        let mut exchange = exchange_with(&[DeliveryState::Ready]);
        let first = render(&exchange).version;
        assert_eq!(render(&exchange).version, first);
        exchange.deliveries[0].attempts = 1;
        assert_ne!(render(&exchange).version, first);
    }

    proptest! {
        #[test]
        fn the_status_follows_the_deliveries(picks in proptest::collection::vec(0_usize..DeliveryState::ALL.len(), 0..5)) {
            let states: Vec<DeliveryState> = picks.into_iter().map(|pick| DeliveryState::ALL[pick]).collect();
            let resource = render(&exchange_with(&states)).resource;
            let expected = if states.contains(&DeliveryState::Quarantined) {
                "on-hold"
            } else if states.iter().any(|state| !state.is_ended()) {
                "in-progress"
            } else if states.iter().all(|state| *state == DeliveryState::Delivered) {
                "completed"
            } else if states.iter().all(|state| *state == DeliveryState::Cancelled) {
                "cancelled"
            } else {
                "failed"
            };
            prop_assert_eq!(resource["status"].as_str(), Some(expected));
            let outputs = resource["output"].as_array().map_or(0, Vec::len);
            prop_assert_eq!(outputs, states.len());
        }
    }
}
