//! The promoter: after every commit that inserted or deleted keys, makes ready what now stands first, and wakes its
//! destination. One task with a connection of its own; it takes whatever has queued, so bursts share a transaction.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use crate::store::ordering;

/// A key at a destination.
pub type DestinationKey = (i32, Vec<u8>);

/// Hands keys to the promoter and wakes destinations.
#[derive(Clone)]
pub struct Promotions {
    queue: mpsc::UnboundedSender<Vec<DestinationKey>>,
    wakes: Wakes,
}

/// One wake-up call per destination.
#[derive(Clone, Default)]
pub struct Wakes(Arc<Mutex<HashMap<i32, Arc<Wake>>>>);

/// How a worker is woken.
#[derive(Default)]
pub struct Wake {
    /// It has something new to send, or is to look at everything again.
    pub called: Notify,
    /// It is to look at everything again: all that wakes one that is paused.
    pub recalled: Notify,
}

impl Wakes {
    /// The wake-up call of a destination.
    #[must_use]
    pub fn of(&self, destination: i32) -> Arc<Wake> {
        let mut wakes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(wakes.entry(destination).or_default())
    }

    /// Wakes one destination's worker, unless it is paused.
    pub fn wake(&self, destination: i32) {
        self.of(destination).called.notify_one();
    }

    /// Wakes every worker.
    pub fn wake_all(&self) {
        for wake in self.0.lock().unwrap_or_else(PoisonError::into_inner).values() {
            wake.called.notify_one();
            wake.recalled.notify_one();
        }
    }
}

impl Promotions {
    /// The handle, and the task to spawn; `node` is this process. The task ends when every handle is gone.
    pub fn start(options: PgConnectOptions, node: Uuid, wakes: Wakes) -> (Self, impl Future<Output = ()>) {
        let (queue, received) = mpsc::unbounded_channel();
        // A promotion lost in a crash is found by the sweep; a commit that waits for the disk would buy nothing.
        let options = options.options([("synchronous_commit", "off")]);
        let task = run(options, node.to_string(), received, wakes.clone());
        (Self { queue, wakes }, task)
    }

    /// Looks at these keys, soon. A loss is healed by the sweep.
    pub fn look_at(&self, keys: Vec<DestinationKey>) {
        if !keys.is_empty() {
            let _ = self.queue.send(keys);
        }
    }

    /// Wakes a destination that has something ready already.
    pub fn wake(&self, destination: i32) {
        self.wakes.wake(destination);
    }
}

const MOST_COMMITS: usize = 64;

/// Between two promotions: under load several commits share one, and nobody waits longer than this.
const REST: Duration = Duration::from_millis(4);

async fn run(
    options: PgConnectOptions,
    node: String,
    mut queue: mpsc::UnboundedReceiver<Vec<DestinationKey>>,
    wakes: Wakes,
) {
    let mut connection: Option<PgConnection> = None;
    let mut commits = Vec::new();
    while queue.recv_many(&mut commits, MOST_COMMITS).await > 0 {
        let keys: Vec<DestinationKey> = commits.drain(..).flatten().collect::<BTreeSet<_>>().into_iter().collect();
        loop {
            match promote(&mut connection, &options, &keys, &node).await {
                Ok(destinations) => {
                    for destination in destinations {
                        wakes.wake(destination);
                    }
                    tokio::time::sleep(REST).await;
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, "promotion failed; trying again");
                    connection = None;
                    if queue.is_closed() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }
}

async fn promote(
    connection: &mut Option<PgConnection>,
    options: &PgConnectOptions,
    keys: &[DestinationKey],
    node: &str,
) -> sqlx::Result<Vec<i32>> {
    let db = match connection {
        Some(db) => db,
        None => connection.insert(options.connect().await?),
    };
    ordering::promote(db, keys, node).await
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_comes_for_a_paused_destination_does_not_wake_its_worker_but_the_end_of_the_pause_does() {
        let wakes = Wakes::default();
        let wake = wakes.of(7);
        wakes.wake(7);
        assert!(wake.called.notified().now_or_never().is_some());
        assert!(wake.recalled.notified().now_or_never().is_none());
        wakes.wake_all();
        assert!(wake.called.notified().now_or_never().is_some());
        assert!(wake.recalled.notified().now_or_never().is_some());
    }
}
