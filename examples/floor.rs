//! The floor: the least that any gateway of this kind must do. It reads a body, parses it and answers 202 after one commit,
//! shared with whoever waits too, of three rows: exchange with body, delivery, audit. It checks nothing, asks nobody who
//! they are, routes nothing and keeps no order. `examples/load` runs it beside the gateway.
//!
//! `floor FOLDER [flow]`; with `flow`, what was accepted is written to FOLDER/archive.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use chrono::{DateTime, Utc};
use signalbox::app::StopSignal;
use signalbox::chance::Chance;
use signalbox::clock::Clock;
use signalbox::exchange::ids::Id;
use signalbox::store::server::{self, Wanted};
use signalbox_validator::json::Document;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, oneshot};
use uuid::Uuid;

/// As many as the gateway has.
const WRITERS: usize = 2;
/// Most rows of one commit, as in the gateway.
const BATCH: usize = 500;
/// Deliveries taken at once.
const LEASE: i64 = 64;

const TABLES: [&str; 3] = [
    "create table if not exists floor_exchanges (id uuid primary key, received_at timestamptz not null, body bytea not null)",
    "create table if not exists floor_deliveries (seq bigint generated always as identity primary key, \
     exchange uuid not null, delivered_at timestamptz)",
    "create table if not exists floor_audit (seq bigint generated always as identity primary key, exchange uuid not null, \
     at timestamptz not null, event text not null)",
];
const EXCHANGES: &str = "insert into floor_exchanges (id, received_at, body) \
                         select * from unnest($1::uuid[], $2::timestamptz[], $3::bytea[])";
const DELIVERIES: &str = "insert into floor_deliveries (exchange) select * from unnest($1::uuid[])";
const AUDIT: &str = "insert into floor_audit (exchange, at, event) select id, $2, $3 from unnest($1::uuid[]) as t (id)";
const WAITING: &str = "select d.seq, e.id, e.body from floor_deliveries d join floor_exchanges e on e.id = d.exchange \
                       where d.seq > $1 order by d.seq limit $2";
const DELIVERED: &str = "update floor_deliveries set delivered_at = $2 where seq = any ($1)";

struct Row {
    id: Uuid,
    received_at: DateTime<Utc>,
    body: Bytes,
    done: oneshot::Sender<bool>,
}

struct Floor {
    queue: mpsc::Sender<Row>,
    clock: Clock,
    chance: Chance,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = PathBuf::from(arguments.first().context("floor FOLDER [flow]")?);
    let server = server::resolve(wanted(&folder)).await?;
    let mut db = server.owner.connect().await?;
    for table in TABLES {
        sqlx::query(table).execute(&mut db).await?;
    }
    let (clock, chance) = (Clock::system(), Chance::from_system());
    let (queue, rows) = mpsc::channel(4096);
    let rows = Arc::new(Mutex::new(rows));
    let tasks = tokio_util::task::TaskTracker::new();
    for _ in 0..WRITERS {
        tasks.spawn(write(server.owner.clone(), Arc::clone(&rows), clock.clone()));
    }
    if arguments.get(1).is_some_and(|word| word == "flow") {
        tasks.spawn(deliver(server.owner.clone(), folder.join("archive"), clock.clone()));
    }
    let router =
        Router::new().route("/fhir/Patient", post(accept)).with_state(Arc::new(Floor { queue, clock, chance }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut signal = StopSignal::listen()?;
    writeln!(std::io::stdout(), "listening on http://{}/fhir", listener.local_addr()?)?;
    tokio::select! {
        ended = async { axum::serve(listener, router).await } => ended?,
        () = signal.wait() => {}
    }
    db.close().await?;
    server.stop().await?;
    Ok(())
}

fn wanted(folder: &Path) -> Wanted {
    Wanted {
        url: None,
        owner_url: None,
        data: folder.to_owned(),
        fetch_wheel: false,
        path: std::env::var_os("PATH"),
        folders: server::package_folders(),
        durable: true,
    }
}

async fn accept(State(floor): State<Arc<Floor>>, body: Bytes) -> StatusCode {
    if Document::read(&body).is_err() {
        return StatusCode::BAD_REQUEST;
    }
    let received_at = floor.clock.now();
    let (done, committed) = oneshot::channel();
    let row = Row { id: Id::new(received_at, &floor.chance).uuid(), received_at, body, done };
    if floor.queue.send(row).await.is_ok() && committed.await.unwrap_or(false) {
        return StatusCode::ACCEPTED;
    }
    StatusCode::SERVICE_UNAVAILABLE
}

async fn write(options: PgConnectOptions, rows: Arc<Mutex<mpsc::Receiver<Row>>>, clock: Clock) -> anyhow::Result<()> {
    let mut db = options.connect().await?;
    loop {
        let mut batch = Vec::new();
        if rows.lock().await.recv_many(&mut batch, BATCH).await == 0 {
            return Ok(());
        }
        let committed = commit(&mut db, &batch, clock.now()).await;
        for row in batch {
            let _ = row.done.send(committed.is_ok());
        }
        committed?;
    }
}

async fn commit(db: &mut PgConnection, batch: &[Row], now: DateTime<Utc>) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = batch.iter().map(|row| row.id).collect();
    let mut tx = db.begin().await?;
    sqlx::query(EXCHANGES)
        .bind(&ids)
        .bind(batch.iter().map(|row| row.received_at).collect::<Vec<_>>())
        .bind(batch.iter().map(|row| &row.body[..]).collect::<Vec<_>>())
        .execute(&mut *tx)
        .await?;
    sqlx::query(DELIVERIES).bind(&ids).execute(&mut *tx).await?;
    sqlx::query(AUDIT).bind(&ids).bind(now).bind("exchange").execute(&mut *tx).await?;
    tx.commit().await
}

/// Writes a file for each delivery and settles those written in one commit with their audit rows.
async fn deliver(options: PgConnectOptions, archive: PathBuf, clock: Clock) -> anyhow::Result<()> {
    let mut db = options.connect().await?;
    let mut last = 0;
    loop {
        let waiting: Vec<(i64, Uuid, Vec<u8>)> =
            sqlx::query_as(WAITING).bind(last).bind(LEASE).fetch_all(&mut db).await?;
        let Some(newest) = waiting.last().map(|(seq, ..)| *seq) else {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        for (seq, _, body) in &waiting {
            let part = archive.join(format!("{seq}.part"));
            tokio::fs::write(&part, body).await?;
            tokio::fs::rename(&part, archive.join(format!("{seq}.json"))).await?;
        }
        let ids: Vec<Uuid> = waiting.iter().map(|(_, id, _)| *id).collect();
        let mut tx = db.begin().await?;
        let seqs: Vec<i64> = waiting.iter().map(|(seq, ..)| *seq).collect();
        sqlx::query(DELIVERED).bind(seqs).bind(clock.now()).execute(&mut *tx).await?;
        sqlx::query(AUDIT).bind(&ids).bind(clock.now()).bind("attempt").execute(&mut *tx).await?;
        tx.commit().await?;
        last = newest;
    }
}
