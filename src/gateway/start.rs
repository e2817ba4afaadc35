//! Puts the gateway together and gives back the tasks that make it run.

use std::sync::Arc;

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{Mutex, mpsc};
use tokio_util::task::TaskTracker;

use super::commit::{self, Writers};
use super::gather::AtWork;
use super::in_flight::InFlight;
use super::refusals::Refusals;
use super::{Gateway, Inner, Judge};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::Config;
use crate::delivery::promoter::Promotions;
use crate::delivery::replies::Replies;
use crate::telemetry::Metrics;
use crate::validation::terminology::Terminology;

/// What the gateway is made of.
pub struct Parts {
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub chance: Chance,
    /// What messages are judged by.
    pub judge: Judge,
    /// Where new keys are handed to.
    pub promotions: Promotions,
    /// Connections for reads.
    pub pool: PgPool,
    /// How writers connect.
    pub database: PgConnectOptions,
    /// What is counted.
    pub metrics: Metrics,
    /// Where settlements are heard of.
    pub replies: Replies,
    /// Where accepting goes on when a sender hangs up.
    pub tasks: TaskTracker,
    /// Who is asked about codes that are not loaded.
    pub terminology: Option<Terminology>,
}

/// Messages that may wait for a writer; past that, senders are told to come again.
const QUEUE: usize = 4_096;

/// A writer's statements look into indexes and nowhere else, however small the tables were when they were planned; and
/// they are planned once.
const PLANS: [(&str, &str); 2] = [("enable_seqscan", "off"), ("plan_cache_mode", "force_generic_plan")];

/// Starts the writers on `writers_tracker`. They end when every handle of the gateway is gone and the queue is empty.
#[must_use]
pub fn start(parts: Parts, config: &Config, writers_tracker: &TaskTracker) -> Gateway {
    let (queue, received) = mpsc::channel(QUEUE);
    let received: commit::Queue = Arc::new(Mutex::new(received));
    let writers = Arc::new(Writers {
        options: parts.database.options(PLANS),
        promotions: parts.promotions,
        clock: parts.clock.clone(),
        config_hash: config.hash.clone(),
        packs: parts.judge.guides.built_in().packs_hash().to_string(),
        key_id: parts.judge.search_key.id(),
        batch: config.database.batch,
        metrics: parts.metrics.clone(),
        in_flight: InFlight::default(),
        at_work: AtWork::default(),
    });
    for _ in 0..config.database.writers.max(1) {
        writers_tracker.spawn(commit::run(Arc::clone(&writers), Arc::clone(&received)));
    }
    Gateway(Arc::new(Inner {
        clock: parts.clock,
        chance: parts.chance,
        judge: parts.judge,
        config_hash: config.hash.clone(),
        queue,
        pool: parts.pool,
        refusals: Refusals::default(),
        metrics: parts.metrics,
        replies: parts.replies,
        tasks: parts.tasks,
        terminology: parts.terminology,
    }))
}
