//! The gateway: the one door every message passes, whatever protocol brought it.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::exchange::state::ExchangeStatus;
use crate::exchange::{Arrival, ExchangeId, RequestIds, Sender};
use crate::outcome::Issue;
use crate::rejection::Rejection;

/// A handle on the running gateway; cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {}

/// A message that has been committed.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Id of the exchange; its Task has the same id.
    pub exchange: ExchangeId,
    /// The sender had sent it before: this is the first exchange, nothing new was stored.
    pub repeated: bool,
    /// Warnings and remarks of validation.
    pub issues: Vec<Issue>,
    /// Names of the destinations it goes to.
    pub destinations: Vec<String>,
}

/// A request of a known source that was turned away before its body was looked at.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Which door.
    pub endpoint: &'static str,
    /// Who sent it.
    pub sender: Sender,
    /// What was asked, as method and route template: `POST /fhir/{type}`.
    pub request: String,
    /// Resource type in the URL when it is one FHIR has.
    pub resource_type: Option<String>,
    /// Ids of the request.
    pub ids: RequestIds,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
}

/// A question whether a resource is valid.
#[derive(Clone)]
pub struct Question {
    /// Which door.
    pub endpoint: &'static str,
    /// Who asks.
    pub sender: Sender,
    /// Resource type in the URL, if any.
    pub resource_type: Option<String>,
    /// Ids of the request.
    pub ids: RequestIds,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// The resource, or a Parameters with a part named `resource`.
    pub body: Bytes,
}

impl Gateway {
    /// Validates, routes and commits one message. When this returns `Ok`, the exchange, its audit record and its
    /// deliveries are in one Postgres commit (P1); when it returns a [`Rejection`], that is committed to the register.
    ///
    /// # Errors
    /// Why the message was not accepted.
    pub async fn accept(&self, _arrival: Arrival) -> Result<Accepted, Rejection> {
        Err(Rejection::Fault)
    }

    /// Validates a resource without accepting it (`$validate`); audited.
    ///
    /// # Errors
    /// When the body cannot be read as FHIR at all.
    pub async fn validate(&self, _question: Question) -> Result<Vec<Issue>, Rejection> {
        Err(Rejection::Fault)
    }

    /// Writes a refusal that needed no look at the body to the register, and gives it back.
    pub async fn refuse(&self, _refused: Refused, rejection: Rejection) -> Rejection {
        rejection
    }

    /// Counts a refusal of someone who has not proved who they are; written as one row a minute per address.
    pub fn count_refusal(&self, _address: IpAddr, _rejection: &Rejection) {}

    /// What became of an exchange; `None` when there is none or another source sent it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn status(&self, _sender: &Sender, _exchange: ExchangeId) -> Result<Option<ExchangeStatus>, Rejection> {
        Ok(None)
    }

    /// Whether FHIR R4 has this resource type.
    #[must_use]
    pub fn is_resource_type(&self, _name: &str) -> bool {
        true
    }

    /// Resource types that at least one route takes, sorted.
    #[must_use]
    pub fn routed_types(&self) -> Vec<String> {
        Vec::new()
    }

    /// Name and version of every loaded profile pack.
    #[must_use]
    pub fn packs(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}
