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
pub struct Wakes(Arc<Mutex<HashMap<i32, Arc<Notify>>>>);

impl Wakes {
    /// The wake-up call of a destination.
    #[must_use]
    pub fn of(&self, destination: i32) -> Arc<Notify> {
        let mut wakes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(wakes.entry(destination).or_default())
    }

    /// Wakes one destination's worker.
    pub fn wake(&self, destination: i32) {
        self.of(destination).notify_one();
    }

    /// Wakes every worker.
    pub fn wake_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().for_each(|wake| wake.notify_one());
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
