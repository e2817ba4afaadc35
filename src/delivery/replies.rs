//! Answers of partners for senders that wait: whoever accepted a message may expect how its delivery settles, and what
//! the partner answered, for as long as it listens. In memory, on this node; nobody is told before the settlement has
//! been committed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::exchange::state::DeliveryState;

/// What a partner answered, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Where the partner says the resource now is.
    pub location: Option<String>,
    /// Version of the resource.
    pub etag: Option<String>,
    /// What the body is.
    pub content_type: Option<String>,
    /// The body.
    pub body: Bytes,
}

/// Where an adapter puts the answer of a partner, when somebody waits for it.
#[derive(Clone, Default)]
pub struct ReplySlot(Arc<Mutex<Option<Reply>>>);

impl ReplySlot {
    /// Keeps the answer.
    pub fn put(&self, reply: Reply) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
    }

    fn take(&self) -> Option<Reply> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// How a delivery settled.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Its state.
    pub state: DeliveryState,
    /// What the destination or the failure said, free of patient data.
    pub note: String,
    /// What the partner answered; `None` for one that does not speak HTTP.
    pub reply: Option<Reply>,
}

/// Those who wait, by delivery.
#[derive(Clone, Default)]
pub struct Replies(Arc<Mutex<HashMap<Uuid, oneshot::Sender<Settlement>>>>);

/// Waits for one delivery; whoever drops it waits no more.
pub struct Expected {
    /// Name of the destination.
    pub destination: String,
    delivery: Uuid,
    settled: oneshot::Receiver<Settlement>,
    replies: Replies,
}

impl Replies {
    /// Waits from now on.
    #[must_use]
    pub fn expect(&self, delivery: Uuid, destination: String) -> Expected {
        let (sender, settled) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(delivery, sender);
        Expected { destination, delivery, settled, replies: self.clone() }
    }

    /// A place for the partner's answer, when somebody waits for this delivery.
    #[must_use]
    pub fn slot(&self, delivery: Uuid) -> Option<ReplySlot> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.contains_key(&delivery).then(ReplySlot::default)
    }

    /// Tells whoever waits. Called after the commit.
    pub fn settled(&self, delivery: Uuid, state: DeliveryState, note: String, slot: &ReplySlot) {
        if let Some(waiting) = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&delivery) {
            let _ = waiting.send(Settlement { state, note, reply: slot.take() });
        }
    }
}

impl Expected {
    /// How the delivery settles; never, when its settlement is told to another node or to nobody.
    pub async fn settlement(&mut self) -> Settlement {
        match (&mut self.settled).await {
            Ok(settlement) => settlement,
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.replies.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.delivery);
    }
}

impl std::fmt::Debug for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expected").field("destination", &self.destination).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_is_told_once_and_who_left_is_forgotten() {
        let replies = Replies::default();
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut expected = replies.expect(first, "record".to_owned());
        let slot = replies.slot(first).unwrap();
        assert!(replies.slot(second).is_none(), "nobody waits for it: no body is read for nobody");
        let reply = Reply { status: 201, location: None, etag: None, content_type: None, body: Bytes::new() };
        slot.put(reply.clone());
        replies.settled(first, DeliveryState::Delivered, String::new(), &slot);
        let settlement = expected.settlement().await;
        assert_eq!((settlement.state, settlement.reply), (DeliveryState::Delivered, Some(reply)));

        drop(replies.expect(second, "record".to_owned()));
        assert!(replies.slot(second).is_none());
    }
}
