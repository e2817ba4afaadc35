//! A request of a known source on its way through an interaction: its head has been read, its body not.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::time::timeout_at;

use super::body::{Bounds, Inbound};
use super::ids::Named;
use crate::exchange::Sender;
use crate::gateway::Refused;
use crate::rejection::Rejection;

/// The door's name in the register.
pub(super) const ENDPOINT: &str = "fhir";
/// When to try again after we could not answer.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What is known of a request besides its address and its interaction's own headers.
pub(super) struct Visit {
    /// Who sent it.
    pub(super) sender: Sender,
    /// The headers that name it.
    pub(super) named: Arc<Named>,
    /// Method and route template.
    pub(super) request: String,
    /// When its head was read.
    pub(super) received_at: DateTime<Utc>,
    /// Its body.
    pub(super) inbound: Arc<Inbound>,
    /// What bounds it.
    pub(super) bounds: Bounds,
    /// Most entries of a batch.
    pub(super) max_entries: usize,
}

impl Visit {
    /// The whole body.
    ///
    /// # Errors
    /// `TooLarge`, `Timeout` or `Unreadable`.
    pub(super) async fn body(&self) -> Result<Bytes, Rejection> {
        self.inbound.read(self.bounds).await
    }

    /// Waits for the gateway until the request's time is over.
    ///
    /// # Errors
    /// The gateway's own, or `Unanswered`.
    pub(super) async fn within<T>(&self, work: impl Future<Output = Result<T, Rejection>>) -> Result<T, Rejection> {
        let overrun = Rejection::Unanswered { retry_after: RETRY_AFTER };
        timeout_at(self.bounds.deadline, work).await.unwrap_or(Err(overrun))
    }

    /// What the register says of this request when it is turned away before its body was looked at.
    pub(super) fn refused(&self, resource_type: Option<&str>) -> Refused {
        Refused {
            endpoint: ENDPOINT.into(),
            sender: self.sender.clone(),
            request: self.request.clone(),
            resource_type: resource_type.map(str::to_owned),
            ids: self.named.ids.clone(),
            received_at: self.received_at,
        }
    }
}
