//! What a destination is: the one thing adapters implement. The answer of a partner is judged here and nowhere above:
//! acknowledged, refused, worth another try, or unknown.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::replies::ReplySlot;
use crate::exchange::{Conditions, DeliveryId, ExchangeId, Interaction, Sender};

/// One exchange for one destination, as an adapter is asked to send it.
#[derive(Clone)]
pub struct Delivery {
    /// The same on every attempt (P3).
    pub id: DeliveryId,
    /// The exchange it belongs to.
    pub exchange: ExchangeId,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// What the sender asked.
    pub interaction: Interaction,
    /// Resource type.
    pub resource_type: String,
    /// The sender's preconditions.
    pub conditions: Conditions,
    /// Who sent the exchange.
    pub sender: Sender,
    /// The exchange's correlation id.
    pub correlation_id: String,
    /// When the exchange was received.
    pub received_at: DateTime<Utc>,
    /// What the route says beside the destination's name, checked by the adapter when the configuration was read.
    pub options: serde_json::Value,
    /// The resource, exactly as received.
    pub body: Bytes,
    /// Where to put the partner's answer; `None`: nobody waits for it.
    pub reply: Option<ReplySlot>,
}

/// A destination took the delivery.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acknowledgement {
    /// The partner's own code: `AA`, `201`, `written`.
    pub code: String,
    /// What it said, free of patient data: kept in the audit log.
    pub note: String,
}

/// A destination did not take the delivery, or may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// Not taken, for a reason that may pass: try again.
    #[error("{reason}")]
    Transient {
        /// Why, free of patient data.
        reason: String,
        /// The partner asked to be left alone this long.
        retry_after: Option<Duration>,
    },
    /// Not taken, and the same message would be refused again.
    #[error("{reason}")]
    Refused {
        /// Why, free of patient data.
        reason: String,
    },
    /// Sent, but no answer we can trust: it may or may not have been taken (P5).
    #[error("{reason}")]
    Unknown {
        /// Why, free of patient data.
        reason: String,
    },
}

impl DeliveryError {
    /// A transient failure without the partner's own delay.
    pub fn transient(reason: impl Into<String>) -> Self {
        Self::Transient { reason: reason.into(), retry_after: None }
    }

    /// A refusal.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }

    /// An unknown outcome.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown { reason: reason.into() }
    }
}

/// A partner we deliver to. The worker bounds every call by the destination's timeout and calls from several tasks.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Sends one delivery and waits for the partner's answer.
    ///
    /// # Errors
    /// The adapter's judgement of why it was not, or may not have been, taken.
    async fn deliver(&self, delivery: &Delivery) -> Result<Acknowledgement, DeliveryError>;

    /// What would be sent, as a person reads it: a message, or the head and body of a request. Sends nothing, and holds
    /// no secret.
    ///
    /// # Errors
    /// Why nothing can be sent.
    fn render(&self, delivery: &Delivery) -> Result<Vec<u8>, DeliveryError>;

    /// Whether what the sender asks, with its preconditions, can be asked of this partner under a route's options. It is
    /// refused at the door when it cannot, never ignored. By default: a create or update without preconditions.
    fn carries(&self, interaction: Interaction, conditions: &Conditions, _options: &serde_json::Value) -> bool {
        matches!(interaction, Interaction::Create | Interaction::Update) && *conditions == Conditions::default()
    }

    /// Whether the partner can be reached now; informs people, never gates deliveries.
    ///
    /// # Errors
    /// Why it cannot.
    async fn check(&self) -> Result<(), DeliveryError>;
}
