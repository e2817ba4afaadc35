//! The floor for MLLP: the least that any such gateway must do. It finds the frame and MSH-10 in it, and answers AA after
//! one commit, shared with whoever waits too, of three rows: exchange with body, delivery, audit. It checks nothing, asks
//! nobody who they are, routes nothing, recognises no repeat and keeps no order.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use signalbox::adapters::mllp::framing::{Deframer, frame};
use signalbox::app::StopSignal;
use signalbox::chance::Chance;
use signalbox::clock::Clock;
use signalbox::exchange::ids::Id;
use signalbox::store::server::{self, Wanted};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// As many as the gateway has.
const WRITERS: usize = 2;
/// Most rows of one commit, as in the gateway.
const BATCH: usize = 500;

const TABLES: [&str; 3] = [
    "create table if not exists floor_exchanges (id uuid primary key, received_at timestamptz not null, body bytea not null)",
    "create table if not exists floor_deliveries (seq bigint generated always as identity primary key, exchange uuid not null)",
    "create table if not exists floor_audit (seq bigint generated always as identity primary key, exchange uuid not null, \
     at timestamptz not null, event text not null)",
];
const EXCHANGES: &str = "insert into floor_exchanges (id, received_at, body) \
                         select * from unnest($1::uuid[], $2::timestamptz[], $3::bytea[])";
const DELIVERIES: &str = "insert into floor_deliveries (exchange) select * from unnest($1::uuid[])";
const AUDIT: &str = "insert into floor_audit (exchange, at, event) select id, $2, $3 from unnest($1::uuid[]) as t (id)";

struct Row {
    id: Uuid,
    received_at: DateTime<Utc>,
    body: Bytes,
    done: oneshot::Sender<bool>,
}

#[derive(Clone)]
struct Floor {
    queue: mpsc::Sender<Row>,
    clock: Clock,
    chance: Chance,
}

/// Serves until it is told to stop; its database is in `folder`.
pub(super) async fn serve(folder: &Path) -> anyhow::Result<()> {
    let wanted = Wanted {
        url: None,
        owner_url: None,
        data: folder.to_owned(),
        fetch_wheel: false,
        path: std::env::var_os("PATH"),
        folders: server::package_folders(),
        durable: true,
    };
    let server = server::resolve(wanted).await?;
    let mut db = server.owner.connect().await?;
    for table in TABLES {
        sqlx::query(table).execute(&mut db).await?;
    }
    let (queue, rows) = mpsc::channel(4096);
    let (rows, tasks) = (Arc::new(Mutex::new(rows)), TaskTracker::new());
    let floor = Floor { queue, clock: Clock::system(), chance: Chance::from_system() };
    for _ in 0..WRITERS {
        tasks.spawn(write(server.owner.clone(), Arc::clone(&rows), floor.clock.clone()));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut signal = StopSignal::listen()?;
    writeln!(std::io::stdout(), "listening on {}", listener.local_addr()?)?;
    tokio::select! {
        ended = accept(&listener, &floor, &tasks) => ended,
        () = signal.wait() => Ok(()),
    }?;
    db.close().await?;
    server.stop().await?;
    Ok(())
}

async fn accept(listener: &TcpListener, floor: &Floor, tasks: &TaskTracker) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tasks.spawn(floor.clone().talk(stream));
    }
}

impl Floor {
    async fn talk(self, mut stream: TcpStream) -> anyhow::Result<()> {
        stream.set_nodelay(true)?;
        let (mut deframer, mut buffer) = (Deframer::new(1 << 20), vec![0; 16 * 1024]);
        loop {
            while let Some(body) = deframer.pop() {
                let id = body.split(|byte| *byte == b'|').nth(9).context("no MSH-10")?;
                let control_id = String::from_utf8_lossy(id).into_owned();
                let received_at = self.clock.now();
                let (done, committed) = oneshot::channel();
                let row = Row { id: Id::new(received_at, &self.chance).uuid(), received_at, body, done };
                self.queue.send(row).await?;
                anyhow::ensure!(committed.await?, "not committed");
                let ack = format!("MSH|^~\\&|SB|RXX|PAS|RX1|20260701||ACK|1|P|2.4\rMSA|AA|{control_id}\r");
                stream.write_all(&frame(ack.as_bytes())).await?;
            }
            let count = stream.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            deframer.push(&buffer[..count])?;
        }
    }
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
