//! The demo's partners, met by the real adapters: with moods they refuse, are busy, hang up and keep silent, and what they
//! say they took is what their ledger holds.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};
use signalbox::chance::Chance;
use signalbox::clock::Clock;
use signalbox::delivery::destination::{Acknowledgement, Delivery, DeliveryError, Destination};
use signalbox::demo::partners::{Ledger, central, pas::Pas};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::adapters::{delivery, destination, kind};
use crate::support::{ADA, patient};

const TIMEOUT: Duration = Duration::from_secs(20);
const MESSAGES: usize = 1_000;

/// Lines of the ledger by the id of the message.
fn ledger(path: &Path) -> BTreeMap<String, Vec<Value>> {
    let mut lines: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        lines.entry(line["id"].as_str().unwrap().to_owned()).or_default().push(line);
    }
    lines
}

/// Sends many messages at once; what became of each.
async fn send_many(to: &dyn Destination, options: &Value) -> Vec<(Delivery, Result<Acknowledgement, DeliveryError>)> {
    let one = |()| async {
        let mut sent = delivery(&patient(ADA, "Example"));
        sent.options = options.clone();
        let result = to.deliver(&sent).await;
        (sent, result)
    };
    stream::iter([(); MESSAGES]).map(one).buffer_unordered(64).collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moody_hospital_takes_what_it_acknowledges_and_recognises_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("received.jsonl");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = format!(
        "address = \"{}\"\nsending_application = \"S\"\nsending_facility = \"RXX\"\nreceiving_application = \"P\"\n\
         receiving_facility = \"RYY\"\nconnections = 16",
        listener.local_addr().unwrap()
    );
    let hospital = Pas::new(true, Ledger::open(&path).unwrap(), Chance::seeded(7), Clock::system());
    let mut tasks = JoinSet::new();
    tasks.spawn(hospital.serve(listener, CancellationToken::new()));
    let to = destination(kind("mllp"), &settings, &json!({}), TIMEOUT);
    let sent = send_many(&*to, &json!({})).await;

    let (mut taken, mut busy, mut refused, mut unknown) = (0, 0, 0, Vec::new());
    let received = ledger(&path);
    for (delivery, result) in &sent {
        let lines = received.get(&delivery.id.to_string()).map_or(0, Vec::len);
        match result {
            Ok(_) => taken += usize::from(lines == 1),
            Err(DeliveryError::Transient { .. }) => busy += usize::from(lines == 0),
            Err(DeliveryError::Refused { .. }) => refused += 1,
            Err(DeliveryError::Unknown { .. }) => unknown.push(delivery),
        }
    }
    assert!(taken > MESSAGES / 2 && busy > 0 && refused > 0, "{taken} {busy} {refused}");
    assert_eq!(taken + busy + refused + unknown.len(), MESSAGES, "the ledger agrees with every answer");
    let silent = unknown.iter().filter(|delivery| received.contains_key(&delivery.id.to_string())).count();
    assert!(silent > 0 && silent < unknown.len(), "some were taken in silence, some were not: {silent}");

    for delivery in unknown.iter().filter(|delivery| received.contains_key(&delivery.id.to_string())) {
        to.deliver(delivery).await.unwrap();
        let lines = ledger(&path).remove(&delivery.id.to_string()).unwrap();
        assert_eq!((lines.len(), &lines[0]["again"], &lines[1]["again"]), (2, &json!(false), &json!(true)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moody_central_server_is_busy_now_and_then_and_keeps_one_of_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("received.jsonl");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/fhir", listener.local_addr().unwrap());
    let router = central::router(true, Ledger::open(&path).unwrap(), Chance::seeded(7));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    let options = json!({ "send": "create", "identifier": "https://fhir.nhs.uk/Id/nhs-number" });
    let to = destination(kind("fhir-rest"), &format!("base_url = \"{base}\""), &options, TIMEOUT);
    let sent = send_many(&*to, &options).await;

    let (mut created, mut found, mut limited, mut away) = (0, 0, 0, 0);
    let received = ledger(&path);
    for (delivery, result) in &sent {
        let noted = received.contains_key(&delivery.id.uuid().to_string());
        match result {
            Ok(taken) if taken.code == "201" => created += usize::from(noted),
            Ok(_) => found += usize::from(noted),
            Err(DeliveryError::Transient { retry_after: Some(_), .. }) => limited += usize::from(!noted),
            Err(DeliveryError::Transient { .. }) => away += usize::from(!noted),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(created, 1, "one patient, however often it is created");
    assert!(found > MESSAGES / 2 && limited > 0 && away > 0, "{found} {limited} {away}");
    assert_eq!(created + found + limited + away, MESSAGES, "the ledger agrees with every answer");
}
