//! Where a delivery stands and why, in one sentence: what an operator reads on the page of an exchange and from
//! `signalbox show`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::exchange::ids::Id;
use crate::exchange::state::DeliveryState;
use crate::store::stories::{Before, ToldDelivery};

/// Where a delivery stands and why, as of `now`; moments are written by `time`.
#[must_use]
pub fn standing(
    delivery: &ToldDelivery,
    before: Option<&Before>,
    now: DateTime<Utc>,
    time: fn(DateTime<Utc>) -> String,
) -> String {
    let holds = if delivery.holds_its_place {
        "; later messages of the same patient wait behind it until it is retried or skipped"
    } else {
        ""
    };
    if let Some(paused) = paused(delivery, time) {
        return paused;
    }
    match (delivery.state, delivery.due, before) {
        (DeliveryState::Waiting, _, Some(before)) => {
            let note = before.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
            format!(
                "waiting behind {} earlier one(s) of the same patient; first is delivery {} of exchange {}, {}{note}",
                before.others,
                id(before.id),
                id(before.exchange),
                before.state.as_str()
            )
        }
        (DeliveryState::Waiting, ..) => "waiting; what stood before it has just been settled".to_owned(),
        (DeliveryState::Ready, Some(due), _) if due > now => {
            format!("will be tried again at {}, until {}", time(due), time(delivery.give_up_at))
        }
        (DeliveryState::Ready, ..) => "ready to be sent".to_owned(),
        (DeliveryState::Leased, ..) => format!("being sent, attempt {}", delivery.attempts),
        (DeliveryState::Unknown, Some(due), _) => {
            format!("not known whether it was taken; will be sent again under the same id at {}", time(due))
        }
        (DeliveryState::Unknown, None, _) => {
            "not known whether it was taken; held until an operator retries or skips it".to_owned()
        }
        (DeliveryState::Quarantined, ..) => {
            let why = delivery.note.as_deref().unwrap_or("by policy");
            let behind =
                if delivery.holds_its_place { "; later messages of the same patient wait behind it" } else { "" };
            format!("held in quarantine until an operator releases or refuses its exchange, {why}{behind}")
        }
        (DeliveryState::Delivered, ..) => format!("delivered at {}", time(delivery.updated_at)),
        (state, ..) => format!("{} at {}{holds}", state.as_str(), time(delivery.updated_at)),
    }
}

/// Why a delivery that would be sent is not: its destination is paused.
fn paused(delivery: &ToldDelivery, time: fn(DateTime<Utc>) -> String) -> Option<String> {
    let at = delivery.paused_at?;
    let would_go = match delivery.state {
        DeliveryState::Ready => true,
        DeliveryState::Unknown => delivery.due.is_some(),
        _ => false,
    };
    let by = delivery.paused_by.as_deref().unwrap_or("somebody");
    let because = delivery.paused_because.as_deref().unwrap_or("no reason was given");
    would_go.then(|| {
        format!(
            "{}, and held: {} was paused by {by} at {}: {because}",
            delivery.state.as_str(),
            delivery.destination,
            time(at)
        )
    })
}

/// An id as people write it.
#[must_use]
pub fn id(uuid: Uuid) -> String {
    Id::from_uuid(uuid).map_or_else(|| uuid.to_string(), |id| id.to_string())
}

/// A moment, to the millisecond.
#[must_use]
pub fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string()
}
