//! The states of a delivery, and what is known of an exchange from outside: the rows that the store reads and the front
//! door, the command line and the dashboard show.

use chrono::{DateTime, Utc};

use super::{DeliveryId, ExchangeId, Interaction};

/// Where a delivery stands (design §8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "delivery_state", rename_all = "lowercase")]
pub enum DeliveryState {
    /// An earlier delivery to the same destination shares one of its keys and is not settled.
    Waiting,
    /// Nothing stands before it; it goes when it is due.
    Ready,
    /// A worker is sending it.
    Leased,
    /// Set aside by an operator.
    Parked,
    /// Held by the policy of its source, until an operator releases or refuses its exchange.
    Quarantined,
    /// Sent, but whether it was taken is not known.
    Unknown,
    /// The destination acknowledged it.
    Delivered,
    /// The destination refused it.
    Refused,
    /// Given up after the policy's time.
    Dead,
    /// Dropped because it was too old, by policy.
    Expired,
    /// Cancelled before it was sent.
    Cancelled,
    /// Left out by a named operator with a reason.
    Skipped,
}

impl DeliveryState {
    /// All of them, in the order of a delivery's life.
    pub const ALL: [Self; 12] = [
        Self::Waiting,
        Self::Ready,
        Self::Leased,
        Self::Parked,
        Self::Quarantined,
        Self::Unknown,
        Self::Delivered,
        Self::Refused,
        Self::Dead,
        Self::Expired,
        Self::Cancelled,
        Self::Skipped,
    ];

    /// The state as stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Parked => "parked",
            Self::Quarantined => "quarantined",
            Self::Unknown => "unknown",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Dead => "dead",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }

    /// What a word of a filter means: one state, or `pending` for all that will be sent, sooner or later.
    #[must_use]
    pub fn meant_by(word: &str) -> Option<&'static [Self]> {
        const PENDING: &[DeliveryState] = &[DeliveryState::Waiting, DeliveryState::Ready, DeliveryState::Unknown];
        if word == "pending" {
            return Some(PENDING);
        }
        let all: &'static [Self] = &Self::ALL;
        all.iter().position(|state| state.as_str() == word).and_then(|at| all.get(at..=at))
    }

    /// Whether the delivery has come to its end (P2). A refused or dead one may still hold its patient's later messages.
    #[must_use]
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Delivered | Self::Refused | Self::Dead | Self::Expired | Self::Cancelled | Self::Skipped)
    }
}

/// One delivery as its exchange's sender may see it.
#[derive(Debug, Clone)]
pub struct DeliveryStatus {
    /// Id on every attempt.
    pub id: DeliveryId,
    /// Name of the destination.
    pub destination: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: i32,
    /// When it is tried next, if it is.
    pub due: Option<DateTime<Utc>>,
    /// What the destination or the last failure said, free of patient data.
    pub note: Option<String>,
    /// Where the destination says the resource is.
    pub location: Option<String>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// One accepted exchange as its sender may see it.
#[derive(Debug, Clone)]
pub struct ExchangeStatus {
    /// Its id.
    pub id: ExchangeId,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// What was asked.
    pub interaction: Interaction,
    /// Resource type.
    pub resource_type: String,
    /// The correlation id.
    pub correlation_id: String,
    /// One per destination, in the order of the routes.
    pub deliveries: Vec<DeliveryStatus>,
}
