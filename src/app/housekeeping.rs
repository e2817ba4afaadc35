//! What is done by the clock: hearing other processes, recovering lost leases, sweeping for lost promotions, writing the
//! counted refusals, making partitions ahead and dropping what is past its retention.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgListener};
use sqlx::{ConnectOptions, PgPool};
use tokio_util::sync::CancellationToken;

use super::{Start, Tasks};
use crate::clock::Clock;
use crate::config;
use crate::delivery::promoter::Wakes;
use crate::delivery::sweeper::Sweeper;
use crate::gateway::Gateway;
use crate::store::{bodies, message_keys, used_tokens};

const RECOVER_EVERY: Duration = Duration::from_secs(5);
const SWEEP_EVERY: Duration = Duration::from_mins(1);
const KEEP_HOUSE_EVERY: Duration = Duration::from_hours(1);

pub(super) fn start(tasks: &Tasks, sweeper: Sweeper, gateway: &Gateway, wakes: Wakes, start: &Start) {
    let stop = &tasks.stop;
    tasks.lines.spawn(listen(sweeper.pool.clone(), wakes, sweeper.node.to_string(), stop.clone()));
    tasks.lines.spawn(sweep(sweeper, stop.clone()));
    tasks.lines.spawn(record_refusals(gateway.clone(), stop.clone()));
    let (owner, clock, database) = (start.owner.clone(), start.clock.clone(), start.config.database.clone());
    tasks.lines.spawn(keep_house(owner, clock, database, stop.clone()));
}

/// Waits; `false` when it is time to stop.
pub(super) async fn pause(time: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(time) => true,
        () = stop.cancelled() => false,
    }
}

/// Another process has made something ready: wake our workers. Polling is the net beneath this.
async fn listen(pool: PgPool, wakes: Wakes, own: String, stop: CancellationToken) {
    loop {
        let heard = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen("signalbox_ready").await?;
            loop {
                // What this process promoted woke its workers already.
                if listener.recv().await?.payload() != own {
                    wakes.wake_all();
                }
            }
        };
        let ended: Result<(), sqlx::Error> = tokio::select! {
            ended = heard => ended,
            () = stop.cancelled() => return,
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "listening for ready deliveries failed; polling until it works again");
        }
        if !pause(RECOVER_EVERY, &stop).await {
            return;
        }
    }
}

async fn sweep(sweeper: Sweeper, stop: CancellationToken) {
    let rounds = SWEEP_EVERY.as_secs() / RECOVER_EVERY.as_secs();
    let mut round = 0;
    while pause(RECOVER_EVERY, &stop).await {
        if let Err(error) = sweeper.recover().await {
            tracing::warn!(%error, "recovering lost leases failed");
        }
        round = (round + 1) % rounds;
        if round == 0
            && let Err(error) = sweeper.sweep().await
        {
            tracing::warn!(%error, "sweeping failed");
        }
    }
}

async fn record_refusals(gateway: Gateway, stop: CancellationToken) {
    while pause(SWEEP_EVERY, &stop).await {
        if let Err(error) = gateway.record_refusals().await {
            tracing::warn!(%error, "counted refusals could not be written; they stay counted");
        }
    }
}

async fn keep_house(
    owner: PgConnectOptions,
    clock: Clock,
    database: config::database::Database,
    stop: CancellationToken,
) {
    loop {
        match tidy(&owner, clock.now(), &database).await {
            Ok(()) => {}
            Err(error) => tracing::error!(%error, "partitions could not be made or dropped; trying again in an hour"),
        }
        if !pause(KEEP_HOUSE_EVERY, &stop).await {
            return;
        }
    }
}

/// Partitions ahead, old bodies out, old message ids forgotten.
async fn tidy(owner: &PgConnectOptions, now: DateTime<Utc>, database: &config::database::Database) -> sqlx::Result<()> {
    let mut db = owner.connect().await?;
    bodies::make_partitions(&mut db, now).await?;
    for (class, keep) in [("accepted", database.keep_accepted), ("refused", database.keep_refused)] {
        if let Some(first_kept) = before(now, keep.0) {
            let dropped = bodies::drop_partitions(&mut db, class, first_kept.date_naive()).await?;
            if !dropped.is_empty() {
                tracing::info!(partitions = dropped.join(", "), "bodies past their retention were dropped");
            }
        }
    }
    if let Some(before) = before(now, database.keep_message_ids.0) {
        message_keys::forget(&mut db, before).await?;
    }
    // A day late: clocks differ.
    if let Some(before) = before(now, Duration::from_hours(24)) {
        used_tokens::forget(&mut db, before).await?;
    }
    Ok(())
}

fn before(now: DateTime<Utc>, keep: Duration) -> Option<DateTime<Utc>> {
    now.checked_sub_signed(chrono::Duration::from_std(keep).ok()?)
}
