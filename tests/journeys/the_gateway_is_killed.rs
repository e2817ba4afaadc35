//! `kill -9` in the middle of a load (P1 to P4): nothing that was answered 2xx is lost, each patient's messages arrive in
//! their order, and what arrives twice is recognisable. The real binary, its own Postgres with fsync on, a real MLLP peer.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use signalbox::chance::Chance;
use signalbox::clock::Clock;
use signalbox::config::token;
use signalbox::demo::partners::{Ledger, pas::Pas};
use signalbox::exchange::ExchangeId;
use signalbox::store::reconciliation::{self, Reconciliation};
use signalbox::store::server;
use sqlx::ConnectOptions;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::gateway_process::{self, GatewayProcess};

pub(crate) const SENDERS: usize = 8;
pub(crate) const PATIENTS_EACH: usize = 3;
pub(crate) const VERSIONS: usize = 40;
const KILLS: usize = 3;

/// Where the gateway listens now; it changes with every restart.
type Base = Arc<Mutex<String>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_in_the_middle_of_a_load_it_loses_nothing_and_keeps_the_order() {
    let folder = gateway_process::folder();
    let ledger = folder.path().join("received.jsonl");
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let pas = Pas::new(false, Ledger::open(&ledger).unwrap(), Chance::seeded(1), Clock::system());
    tasks.spawn(pas.serve(listener, stop.clone()));
    let token = configure(folder.path(), &address.to_string());

    let mut gateway = GatewayProcess::start(folder.path());
    let base: Base = Arc::new(Mutex::new(gateway.base.clone()));
    let senders = TaskTracker::new();
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    for sender in 0..SENDERS {
        let (base, token, acknowledged) = (Arc::clone(&base), token.clone(), Arc::clone(&acknowledged));
        senders.spawn(async move { send(sender, &base, &token, &acknowledged).await });
    }
    senders.close();
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(700)).await;
        gateway.kill();
        gateway = GatewayProcess::start(folder.path());
        base.lock().unwrap().clone_from(&gateway.base);
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

pub(crate) type Acknowledged = (String, usize, ExchangeId);

/// Sends every version of its patients in order, and each one again, under the same id, until it is acknowledged.
async fn send(sender: usize, base: &Base, token: &str, acknowledged: &Mutex<Vec<Acknowledged>>) {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
    for version in 1..=VERSIONS {
        for patient in 0..PATIENTS_EACH {
            let number = format!("RX{sender:03}{patient:03}");
            let body = serde_json::json!({
                "resourceType": "Patient", "id": number,
                "identifier": [{ "system": "https://test.signalbox.example/number", "value": number }],
                "name": [{ "family": "Ashworth", "given": ["Test", format!("V{version}")] }]
            });
            let request_id = format!("00000000-0000-4000-8000-{sender:04}{patient:04}{version:04}");
            let exchange = loop {
                let url = format!("{}/Patient/{number}", base.lock().unwrap());
                let request = client.put(url).bearer_auth(token).header("x-request-id", &request_id);
                let request = request.header("content-type", "application/fhir+json").body(body.to_string());
                match request.send().await {
                    Ok(answer) if answer.status() == 202 => {
                        let task = answer.headers()["content-location"].to_str().unwrap();
                        break task.rsplit('/').next().unwrap().parse().unwrap();
                    }
                    Ok(answer) => assert!(answer.status().is_server_error(), "{}", answer.status()),
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            };
            acknowledged.lock().unwrap().push((number, version, exchange));
        }
    }
}

/// The sender's ledger against what arrived.
pub(crate) fn compare(acknowledged: &[Acknowledged], received: &str) {
    assert_eq!(acknowledged.len(), SENDERS * PATIENTS_EACH * VERSIONS);
    let mut arrived: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut ids: BTreeMap<(String, usize), String> = BTreeMap::new();
    for line in received.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let patient = line["patient"].as_str().unwrap().to_owned();
        let version =
            line["name"].as_str().unwrap().split('^').nth(2).unwrap().trim_start_matches('V').parse().unwrap();
        let id = line["id"].as_str().unwrap().to_owned();
        let first = ids.entry((patient.clone(), version)).or_insert_with(|| id.clone());
        assert_eq!(*first, id, "a repeat of {patient} V{version} came under another id");
        let versions = arrived.entry(patient).or_default();
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    for (patient, versions) in &arrived {
        assert!(versions.is_sorted(), "{patient} arrived out of order: {versions:?}");
    }
    for (patient, version, exchange) in acknowledged {
        assert!(
            arrived[patient].contains(version),
            "{patient} V{version} was acknowledged as {exchange} and never arrived"
        );
    }
}

pub(crate) fn configure(folder: &Path, pas: &str) -> String {
    let (secret, hash) = token::new_token(&Chance::from_system());
    let text = format!(
        r#"
data = "data"
[http]
listen = "127.0.0.1:0"
[delivery.retry]
first = "50ms"
max = "500ms"
[sources.gp]
ods = "A99001"
token_sha256 = ["{hash}"]
[destinations.pas]
type = "mllp"
concurrency = 4
timeout = "3s"
[destinations.pas.settings]
address = "{pas}"
sending_application = "SIGNALBOX"
sending_facility = "RX1"
receiving_application = "PAS"
receiving_facility = "RX1"
connections = 4
[destinations.pas.settings.authorities]
"https://test.signalbox.example/number" = "RX1"
[[routes]]
name = "patients"
types = ["Patient"]
to = ["pas"]
"#
    );
    std::fs::write(folder.join("signalbox.toml"), text).unwrap();
    secret.expose().to_owned()
}
