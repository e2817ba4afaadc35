//! `kill -9` while hospital systems send HL7 v2: whatever was acknowledged with AA arrives, each patient's messages in
//! their order, and what arrives twice is recognisable. As `the_gateway_is_killed`, by the other door.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use signalbox::adapters::mllp::framing::{Deframer, frame};
use signalbox::chance::Chance;
use signalbox::clock::Clock;
use signalbox::demo::partners::{Ledger, pas::Pas};
use signalbox::exchange::ExchangeId;
use signalbox::store::reconciliation::{self, Reconciliation};
use signalbox::store::server;
use sqlx::ConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::the_gateway_is_killed::{Acknowledged, PATIENTS_EACH, SENDERS, VERSIONS, compare, configure};
use crate::support::adt;
use crate::support::gateway_process::{self, GatewayProcess};

const KILLS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_under_hl7_it_loses_nothing_acknowledged_and_keeps_the_order() {
    let folder = gateway_process::folder();
    let ledger = folder.path().join("received.jsonl");
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let pas_address = listener.local_addr().unwrap().to_string();
    let pas = Pas::new(false, Ledger::open(&ledger).unwrap(), Chance::seeded(1), Clock::system());
    tasks.spawn(pas.serve(listener, stop.clone()));
    configure(folder.path(), &pas_address);
    // A port of our own, so that senders find the gateway again.
    let door = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let path = folder.path().join("signalbox.toml");
    let settings = std::fs::read_to_string(&path).unwrap().replace("types = [\"Patient\"]", "messages = [\"ADT\"]");
    let more = format!(
        "[sources.hospital]\nods = \"RX1\"\naddresses = [\"127.0.0.1\"]\n[mllp.adt]\nlisten = \"{door}\"\nsources = [\"hospital\"]\n"
    );
    std::fs::write(&path, format!("{settings}{more}")).unwrap();

    let mut gateway = GatewayProcess::start(folder.path());
    let senders = TaskTracker::new();
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    for sender in 0..SENDERS {
        let acknowledged = Arc::clone(&acknowledged);
        senders.spawn(async move { send(sender, door, &acknowledged).await });
    }
    senders.close();
    for kill in 1..=KILLS {
        // Spread over the load: every kill meets senders in the middle of theirs.
        let share = SENDERS * PATIENTS_EACH * VERSIONS * kill / (KILLS + 1);
        while acknowledged.lock().unwrap().len() < share {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        gateway.kill();
        assert!(acknowledged.lock().unwrap().len() < SENDERS * PATIENTS_EACH * VERSIONS);
        gateway = GatewayProcess::start(folder.path());
    }
    senders.wait().await;

    let (app, _) = server::own_connection(&folder.path().join("data")).unwrap();
    let mut db = app.connect().await.unwrap();
    for _ in 0..1_200 {
        if reconciliation::open(&mut db).await.unwrap() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let reconciled = reconciliation::reconcile(&mut db).await.unwrap();
    assert_eq!(reconciled, Reconciliation { open: 0, unaudited_exchanges: 0, unaudited_attempts: 0 });
    let acknowledged = acknowledged.lock().unwrap().clone();
    let ids: Vec<uuid::Uuid> = acknowledged.iter().map(|(_, _, exchange)| exchange.uuid()).collect();
    assert_eq!(usize::try_from(reconciliation::stored(&mut db, &ids).await.unwrap()).unwrap(), ids.len());
    drop(db);
    gateway.terminate();
    stop.cancel();
    compare(&acknowledged, &std::fs::read_to_string(&ledger).unwrap());
}

/// Sends every version of its patients in order, and each one again, under the same control id, until it is acknowledged.
async fn send(sender: usize, door: SocketAddr, acknowledged: &Mutex<Vec<Acknowledged>>) {
    let mut connection = None;
    for version in 1..=VERSIONS {
        for patient in 0..PATIENTS_EACH {
            let number = format!("RX{sender:03}{patient:03}");
            let message =
                adt("A31", &format!("{sender}.{patient}.{version}"), &number, &format!("Ashworth^Test^V{version}"));
            let message = message.replace("^^^NHS^NH", "^^^RX1");
            let exchange = loop {
                match ask(&mut connection, door, &message).await {
                    Some(exchange) => break exchange,
                    None => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            };
            acknowledged.lock().unwrap().push((number, version, exchange));
        }
    }
}

/// The exchange that an AA tells of; `None` when none came.
async fn ask(connection: &mut Option<TcpStream>, door: SocketAddr, message: &str) -> Option<ExchangeId> {
    let mut stream = match connection.take() {
        Some(stream) => stream,
        None => TcpStream::connect(door).await.ok()?,
    };
    stream.write_all(&frame(message.as_bytes())).await.ok()?;
    let (mut deframer, mut buffer) = (Deframer::new(1 << 16), [0; 4096]);
    loop {
        if let Some(answer) = deframer.pop() {
            let answer = String::from_utf8(answer.to_vec()).unwrap();
            *connection = Some(stream);
            let fields: Vec<&str> = answer.split('|').collect();
            return answer.contains("\rMSA|AA|").then(|| fields[9].parse().unwrap());
        }
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut buffer)).await.ok()?;
        match read {
            Ok(count) if count > 0 => deframer.push(&buffer[..count]).unwrap(),
            _ => return None,
        }
    }
}
