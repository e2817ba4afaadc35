//! P4 at its root: what was acknowledged before another was received goes first wherever they share a key, however many
//! writers and workers there are, and nothing is stuck at the end. No sweep helps here: promotion alone must do it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use signalbox::chance::Chance;
use signalbox::clock::Clock;
use signalbox::exchange::ids::Id;
use signalbox::exchange::rows::{DeliveryRow, ExchangeOutcome, ExchangeRow};
use signalbox::exchange::state::DeliveryState;
use signalbox::exchange::{RequestIds, Sender};
use signalbox::store::batch::{self, Stamp};
use signalbox::store::deliveries::{self, Lease, Settled};
use signalbox::store::{destinations, ordering};
use sqlx::Connection;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::support::database::TestDatabase;

const KEYS: u64 = 40;
const WRITERS: u64 = 3;
const EACH: usize = 120;
const WORKERS: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_two_deliveries_of_a_patient_overtake_or_get_stuck() {
    let database = TestDatabase::create().await;
    let clock = Clock::system();
    let mut db = database.connect().await;
    let destination = destinations::register(&mut db, &["pas".to_owned()]).await.unwrap()[0].0;

    let mut owner = database.connect_as_owner().await;
    sqlx::raw_sql("create table leases (seq bigint primary key, leased_at timestamptz not null); grant all on leases to signalbox_app;
         create table acks (exchange uuid primary key, acked_at timestamptz not null); grant all on acks to signalbox_app")
        .execute(&mut owner)
        .await
        .unwrap();

    let tasks = TaskTracker::new();
    let writers = (0..WRITERS).map(|writer| {
        let (app, clock) = (database.app.clone(), clock.clone());
        tasks.spawn(async move {
            let chance = Chance::seeded(writer);
            let mut db = sqlx::PgConnection::connect_with(&app).await.unwrap();
            for _ in 0..EACH {
                let row = row(destination, &chance, &clock);
                let mut tx = db.begin().await.unwrap();
                let (batch, at) = (row.id.uuid(), clock.now());
                let stamp = Stamp { config_hash: "config", key_id: 1, batch, at };
                batch::write(&mut tx, &[&row], &[], &[true], stamp).await.unwrap();
                let keyed = row.deliveries.iter().flat_map(|each| each.keys.iter().map(|key| (each.destination, key)));
                let keys: Vec<_> = keyed.map(|(destination, key)| (destination, key.to_vec())).collect();
                // The longer between insert and commit, the more others see half of it.
                tokio::time::sleep(Duration::from_micros(chance.bits() % 3_000)).await;
                tx.commit().await.unwrap();
                sqlx::query("insert into acks values ($1, $2)")
                    .bind(row.id.uuid())
                    .bind(clock.now())
                    .execute(&mut db)
                    .await
                    .unwrap();
                ordering::promote(&mut db, &keys, "").await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let workers = (0..WORKERS).map(|worker| {
        let (app, clock) = (database.app.clone(), clock.clone());
        tasks.spawn(async move { work(worker, &app, &clock, destination).await })
    });
    let workers: Vec<_> = workers.collect();
    for writer in writers {
        writer.await.unwrap();
    }
    for worker in workers {
        worker.await.unwrap();
    }

    let done: Vec<Done> = sqlx::query_as(
        "select d.seq, d.keys, d.state, a.acked_at, d.created_at as received_at, l.leased_at, d.updated_at as settled_at
           from deliveries d join leases l using (seq) join acks a using (exchange) order by d.seq",
    )
    .fetch_all(&mut db)
    .await
    .unwrap();
    assert_eq!(done.len(), usize::try_from(WRITERS).unwrap() * EACH);
    let mut pairs = 0;
    for (at, later) in done.iter().enumerate() {
        assert_eq!(later.state, DeliveryState::Delivered);
        for earlier in done[..at].iter().filter(|earlier| earlier.shares_a_key_with(later)) {
            // Exchanges in flight together have no order to keep.
            if earlier.acked_at < later.received_at {
                pairs += 1;
                let (first, second) = (earlier.seq, later.seq);
                assert!(later.leased_at >= earlier.settled_at, "{second} was sent before {first} was settled");
            }
        }
    }
    assert!(pairs > 1_000, "the test did not make the patients meet: {pairs}");
}

#[tokio::test]
async fn what_nothing_stands_before_is_ready_at_once_and_the_rest_waits() {
    let database = TestDatabase::create().await;
    let (clock, chance) = (Clock::system(), Chance::seeded(1));
    let mut db = database.connect().await;
    let destination = destinations::register(&mut db, &["pas".to_owned()]).await.unwrap()[0].0;
    let about = |patient: u8| {
        let mut row = row(destination, &chance, &clock);
        row.deliveries[0].keys = vec![[patient; 32]];
        row
    };
    let rows = [about(1), about(1), about(2), about(3)];
    let stamp = Stamp { config_hash: "config", key_id: 1, batch: rows[0].id.uuid(), at: clock.now() };

    // The second is behind the first of its own batch, the fourth behind one that another writer has in its hands.
    let batch: Vec<&ExchangeRow> = rows.iter().collect();
    let waiting = batch::write(&mut db, &batch, &[], &[true, false, true, false], stamp).await.unwrap();
    assert_eq!(waiting, [rows[1].deliveries[0].id.uuid(), rows[3].deliveries[0].id.uuid()]);

    // This one is behind what is in the database.
    let later = about(2);
    let waiting = batch::write(&mut db, &[&later], &[], &[true], stamp).await.unwrap();
    assert_eq!(waiting, [later.deliveries[0].id.uuid()]);

    let lease = Lease { node: Uuid::nil(), now: clock.now(), until: clock.now() + chrono::Duration::minutes(5) };
    let leased = deliveries::lease(&mut db, destination, 10, lease).await.unwrap();
    let ready = [rows[0].deliveries[0].id.uuid(), rows[2].deliveries[0].id.uuid()];
    assert_eq!(leased.iter().map(|each| each.id).collect::<Vec<_>>(), ready);
}

#[tokio::test]
async fn two_gateways_that_accept_one_patient_at_the_same_moment_send_one_after_the_other() {
    let database = TestDatabase::create().await;
    let (clock, chance) = (Clock::system(), Chance::seeded(1));
    let (mut one, mut other) = (database.connect().await, database.connect().await);
    let destination = destinations::register(&mut one, &["pas".to_owned()]).await.unwrap()[0].0;
    let (first, mut second) = (row(destination, &chance, &clock), row(destination, &chance, &clock));
    second.deliveries[0].keys.clone_from(&first.deliveries[0].keys);
    let stamp = Stamp { config_hash: "config", key_id: 1, batch: first.id.uuid(), at: clock.now() };

    // Neither sees what the other has not committed.
    let mut open = one.begin().await.unwrap();
    assert!(batch::write(&mut open, &[&first], &[], &[true], stamp).await.unwrap().is_empty());
    assert!(batch::write(&mut other, &[&second], &[], &[true], stamp).await.unwrap().is_empty());
    open.commit().await.unwrap();

    let node = Uuid::nil();
    let lease = || Lease { node, now: clock.now(), until: clock.now() + chrono::Duration::minutes(5) };
    let leased = deliveries::lease(&mut other, destination, 10, lease()).await.unwrap();
    assert_eq!(leased.iter().map(|each| each.id).collect::<Vec<_>>(), [first.deliveries[0].id.uuid()]);
    assert_eq!(deliveries::lease(&mut other, destination, 10, lease()).await.unwrap().len(), 0);

    let (seq, attempt, state) = (leased[0].seq, leased[0].attempts, DeliveryState::Delivered);
    let ended = Settled { seq, attempt, state, due: None, note: String::new(), at: clock.now() };
    let settled = deliveries::settle(&mut other, node, &[ended]).await;
    ordering::release(&mut other, &settled.unwrap()).await.unwrap();
    let leased = deliveries::lease(&mut other, destination, 10, lease()).await.unwrap();
    assert_eq!(leased.iter().map(|each| each.id).collect::<Vec<_>>(), [second.deliveries[0].id.uuid()]);
}

/// A delivery with the times at which things happened to it.
#[derive(sqlx::FromRow)]
struct Done {
    seq: i64,
    keys: Vec<u8>,
    state: DeliveryState,
    acked_at: DateTime<Utc>,
    received_at: DateTime<Utc>,
    leased_at: DateTime<Utc>,
    settled_at: DateTime<Utc>,
}

impl Done {
    fn shares_a_key_with(&self, other: &Self) -> bool {
        self.keys.chunks(32).any(|key| other.keys.chunks(32).any(|theirs| theirs == key))
    }
}

/// Leases and settles until everything is delivered; `leases` keeps when each was taken.
async fn work(worker: u64, app: &sqlx::postgres::PgConnectOptions, clock: &Clock, destination: i32) {
    let chance = Chance::seeded(1_000 + worker);
    let node = Uuid::from_bytes(chance.bytes());
    let mut db = sqlx::PgConnection::connect_with(app).await.unwrap();
    let mut left = i64::MAX;
    while left > 0 {
        let now = clock.now();
        let lease = Lease { node, now, until: now + chrono::Duration::minutes(5) };
        let leased = deliveries::lease(&mut db, destination, 3, lease).await.unwrap();
        if leased.is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let total = i64::try_from(EACH).unwrap() * i64::try_from(WRITERS).unwrap();
            let delivered: i64 = sqlx::query_scalar("select count(*) from deliveries where state = 'delivered'")
                .fetch_one(&mut db)
                .await
                .unwrap();
            left = total - delivered;
            continue;
        }
        let sent_at = clock.now();
        for each in &leased {
            sqlx::query("insert into leases values ($1, $2)")
                .bind(each.seq)
                .bind(sent_at)
                .execute(&mut db)
                .await
                .unwrap();
        }
        tokio::time::sleep(Duration::from_micros(chance.bits() % 2_000)).await;
        let settled: Vec<Settled> = leased
            .iter()
            .map(|each| Settled {
                seq: each.seq,
                attempt: each.attempts,
                state: DeliveryState::Delivered,
                due: None,
                note: String::new(),
                at: clock.now(),
            })
            .collect();
        let mut tx = db.begin().await.unwrap();
        let held = deliveries::settle(&mut tx, node, &settled).await.unwrap();
        assert_eq!(held.len(), leased.len());
        let released = ordering::release(&mut tx, &held).await.unwrap();
        tx.commit().await.unwrap();
        ordering::promote(&mut db, &released, "").await.unwrap();
    }
}

/// A delivery with two keys; some share both, most share one with many others.
fn row(destination: i32, chance: &Chance, clock: &Clock) -> ExchangeRow {
    let key = |number: u64| {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_be_bytes());
        key
    };
    let mut keys = vec![key(chance.bits() % KEYS), key(KEYS + chance.bits() % KEYS)];
    keys.sort_unstable();
    let now = clock.now();
    ExchangeRow {
        id: Id::new(now, chance),
        received_at: now,
        endpoint: "fhir".into(),
        sender: Sender { source: "gp".to_owned(), ods: "A99001".parse().unwrap() },
        end_user_ods: None,
        ids: RequestIds { request: None, correlation: "c".to_owned() },
        interaction: "create".to_owned(),
        resource_type: Some("Patient".to_owned()),
        outcome: ExchangeOutcome::Accepted,
        status: 202,
        routes: Vec::new(),
        issues: serde_json::json!([]),
        body_hash: [0; 32],
        body_length: 0,
        body: None,
        keys: Vec::new(),
        deliveries: vec![DeliveryRow {
            id: Id::new(now, chance),
            destination,
            route: "r".to_owned(),
            options: serde_json::json!({}),
            keys,
            give_up_at: now + chrono::Duration::hours(1),
            held: None,
        }],
        packs: "packs".into(),
    }
}
