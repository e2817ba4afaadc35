//! Rows of the register and the backlog, as the gateway and the worker hand them to the store.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Conditions, DeliveryId, ExchangeId, OdsCode, RequestIds, Sender};

/// How an exchange ended at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "exchange_outcome", rename_all = "lowercase")]
pub enum ExchangeOutcome {
    /// Stored, with a delivery per destination.
    Accepted,
    /// Stored, its deliveries held until an operator decides.
    Quarantined,
    /// Turned away; the sender was told why.
    Refused,
    /// Only checked (`$validate`).
    Validated,
}

impl ExchangeOutcome {
    /// All of them, the best first.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Quarantined, Self::Refused, Self::Validated];

    /// As stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Quarantined => "quarantined",
            Self::Refused => "refused",
            Self::Validated => "validated",
        }
    }
}

/// What is recorded of every message, whatever its end.
#[derive(Clone)]
pub struct ExchangeRow {
    /// Its id.
    pub id: ExchangeId,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// Which door.
    pub endpoint: Cow<'static, str>,
    /// Who sent it.
    pub sender: Sender,
    /// On whose behalf.
    pub end_user_ods: Option<OdsCode>,
    /// Ids of the request.
    pub ids: RequestIds,
    /// What was asked: `create`, `update`, `validate`, or the method and route template of a refused request.
    pub interaction: String,
    /// Resource type, where known.
    pub resource_type: Option<String>,
    /// How it ended at the door.
    pub outcome: ExchangeOutcome,
    /// HTTP status of the answer.
    pub status: u16,
    /// Names of the routes that matched.
    pub routes: Vec<String>,
    /// Faults and remarks, as JSON.
    pub issues: serde_json::Value,
    /// SHA-256 of the request: what was asked and the body.
    pub body_hash: [u8; 32],
    /// Length of the body in bytes.
    pub body_length: usize,
    /// The body and preconditions to keep, under a retention class; `None` keeps nothing.
    pub body: Option<BodyRow>,
    /// HMAC values by which the exchange is found again.
    pub keys: Vec<[u8; 32]>,
    /// One per destination.
    pub deliveries: Vec<DeliveryRow>,
    /// SHA-256 (hex) of the profile packages that its source is checked by (P8).
    pub packs: Arc<str>,
}

/// A body to keep.
#[derive(Clone)]
pub struct BodyRow {
    /// Retention class: `accepted` or `refused`.
    pub retention: &'static str,
    /// The bytes as received.
    pub content: Bytes,
    /// The sender's preconditions.
    pub conditions: Conditions,
}

/// A delivery to make.
#[derive(Clone)]
pub struct DeliveryRow {
    /// Id on every attempt.
    pub id: DeliveryId,
    /// Number of the destination in the store.
    pub destination: i32,
    /// Name of the route that asked for it.
    pub route: String,
    /// What the route says beside the destination's name.
    pub options: serde_json::Value,
    /// HMAC values that order it behind earlier deliveries of the same patient or resource.
    pub keys: Vec<[u8; 32]>,
    /// When it becomes a dead letter.
    pub give_up_at: DateTime<Utc>,
    /// Why it is in quarantine, free of patient data; `None`: it is not.
    pub held: Option<String>,
}

/// How one attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "attempt_outcome", rename_all = "lowercase")]
pub enum AttemptOutcome {
    /// The destination took it.
    Acknowledged,
    /// Not taken; worth another try.
    Transient,
    /// Not taken, and never will be.
    Refused,
    /// It may or may not have been taken.
    Unknown,
}

impl AttemptOutcome {
    /// As stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Transient => "transient",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// One row of the register to write.
#[derive(Clone)]
pub struct AuditRow {
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// When it began: the message's arrival, the attempt's start.
    pub started_at: DateTime<Utc>,
    /// `exchange`, `attempt`, `operator` or `refusals`.
    pub event: &'static str,
    /// How it ended.
    pub outcome: String,
    /// HTTP status, where one was answered.
    pub status: Option<u16>,
    /// The partner's code.
    pub code: Option<String>,
    /// The exchange it is about.
    pub exchange: Option<Uuid>,
    /// The delivery it is about.
    pub delivery: Option<Uuid>,
    /// Number of the attempt.
    pub attempt: Option<i32>,
    /// Which door.
    pub endpoint: Option<String>,
    /// Source and its ODS code.
    pub sender: Option<Sender>,
    /// On whose behalf.
    pub end_user_ods: Option<String>,
    /// `X-Request-ID`.
    pub request_id: Option<Uuid>,
    /// `X-Correlation-ID`.
    pub correlation_id: Option<String>,
    /// Destination's name.
    pub destination: Option<String>,
    /// Operator's name.
    pub actor: Option<String>,
    /// Why, in the operator's or the gateway's words, free of patient data.
    pub reason: Option<String>,
    /// Address of one who did not prove who they are.
    pub address: Option<String>,
    /// How many refusals the row stands for.
    pub count: Option<i32>,
    /// SHA-256 of the request.
    pub body_hash: Option<[u8; 32]>,
    /// Profile packages that it was checked by, when they are not those of everything else.
    pub packs: Option<Arc<str>>,
}

impl AuditRow {
    /// A row with nothing but what every row has.
    #[must_use]
    pub fn new(event: &'static str, outcome: impl Into<String>, started_at: DateTime<Utc>, at: DateTime<Utc>) -> Self {
        Self {
            at,
            started_at,
            event,
            outcome: outcome.into(),
            status: None,
            code: None,
            exchange: None,
            delivery: None,
            attempt: None,
            endpoint: None,
            sender: None,
            end_user_ods: None,
            request_id: None,
            correlation_id: None,
            destination: None,
            actor: None,
            reason: None,
            address: None,
            count: None,
            body_hash: None,
            packs: None,
        }
    }
}
