//! The sweeper heals what a crash leaves behind: deliveries whose promotion was lost, and leases whose holder is gone.
//! Whether those messages were sent is not known, so they become `unknown` and follow the destination's policy (P5). What is
//! due later than any wait lasts was left so by a clock that went back.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use sqlx::{Connection, PgPool};

use super::destination::DeliveryError;
use super::policy::{Moment, Policy};
use super::promoter::Wakes;
use super::settle::{Ended, ExchangeIds, Settlements};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::exchange::Sender;
use crate::store::deliveries::{self, Lease, Lost};
use crate::store::ordering;

/// What the sweeper works with.
pub struct Sweeper {
    /// This process.
    pub node: uuid::Uuid,
    /// Connections.
    pub pool: PgPool,
    /// Time.
    pub clock: Clock,
    /// Jitter.
    pub chance: Chance,
    /// Wake-up calls.
    pub wakes: Wakes,
    /// Where ends go.
    pub settlements: Settlements,
    /// Name and policy of each destination, by number.
    pub destinations: HashMap<i32, (String, Policy)>,
    /// Nobody else can be running on this database: leases of other processes are lost at once.
    pub alone: bool,
}

/// A destination that is no longer configured keeps its deliveries; a lease on it is only made visible.
const LEASE: Duration = Duration::from_mins(1);

/// Clocks of several gateways differ.
const SLACK: TimeDelta = TimeDelta::minutes(5);

impl Sweeper {
    /// Makes ready what a lost promotion left waiting, and due what a clock that went back left for later.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sweep(&self) -> sqlx::Result<()> {
        let mut db = self.pool.acquire().await?;
        let mut tx = db.begin().await?;
        let woken = ordering::sweep(&mut tx, &self.node.to_string()).await?;
        tx.commit().await?;
        for destination in woken {
            self.wakes.wake(destination);
        }
        let now = self.clock.now();
        for (number, (name, policy)) in &self.destinations {
            let Some(latest) = now.checked_add_signed(policy.longest_wait() + SLACK) else { continue };
            let count = deliveries::hasten(&mut db, *number, now, latest).await?;
            if count > 0 {
                tracing::warn!(destination = name, count, "deliveries were due too late: did the clock go back?");
                self.wakes.wake(*number);
            }
        }
        Ok(())
    }

    /// Settles leases whose holder is gone as `unknown`; returns how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn recover(&self) -> sqlx::Result<usize> {
        let mut recovered = 0;
        loop {
            let now = self.clock.now();
            let lease = Lease { node: self.node, now, until: now + LEASE };
            let lost = {
                let mut db = self.pool.acquire().await?;
                deliveries::take_lost(&mut db, lease, self.alone).await?
            };
            if lost.is_empty() {
                return Ok(recovered);
            }
            recovered += lost.len();
            for each in lost {
                self.settle(each).await;
            }
        }
    }

    async fn settle(&self, lost: Lost) {
        let Some((name, policy)) = self.destinations.get(&lost.destination) else { return };
        tracing::warn!(
            destination = name,
            attempt = lost.attempts,
            "a delivery was under way when its gateway stopped"
        );
        let now = self.clock.now();
        let moment = Moment { now, attempt: lost.attempts, give_up_at: lost.give_up_at, jitter: self.chance.unit() };
        let result = Err(DeliveryError::unknown("the gateway stopped while it was being sent"));
        let ended = Ended {
            seq: lost.seq,
            delivery: lost.id,
            attempt: lost.attempts,
            started_at: lost.updated_at,
            ended_at: now,
            decision: policy.decide(&result, moment),
            destination: name.clone(),
            exchange: ExchangeIds {
                exchange: lost.exchange,
                sender: lost.ods.parse().ok().map(|ods| Sender { source: lost.source, ods }),
                end_user_ods: lost.end_user_ods,
                request_id: lost.request_id,
                correlation_id: lost.correlation_id,
            },
        };
        self.settlements.settle(ended).await;
    }
}
