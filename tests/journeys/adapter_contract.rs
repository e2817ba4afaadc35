//! The contract of every adapter in the list: what is taken is delivered, a refusal is a refusal, a closed door is worth
//! another try, silence ends at the timeout as unknown, and nothing of a patient is in a log line or a note.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use serde_json::{Value, json};
use signalbox::adapters::{ADAPTERS, Kind};
use signalbox::delivery::destination::{Acknowledgement, Delivery, DeliveryError};
use tokio::net::TcpListener;

use crate::support::adapters::{delivery, destination};
use crate::support::log::Log;
use crate::support::{ADA, Answer, MllpPeer, patient};

/// What a partner is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Taking,
    Refusing,
    /// Its door is closed.
    Away,
    /// It reads and never answers.
    Silent,
}

/// A real partner for one adapter; lives as long as its delivery.
struct Partner {
    settings: String,
    options: Value,
    received: Box<dyn Fn() -> usize>,
    _keep: Box<dyn std::any::Any>,
}

/// `None`: this kind of partner cannot be like that.
async fn partner(adapter: &str, mood: Mood, delivery: &Delivery) -> Option<Partner> {
    match adapter {
        "mllp" => Some(hospital(mood)),
        "fhir-rest" => Some(server(mood).await),
        "file" => folder(mood, delivery),
        other => panic!("the contract test has no partner for '{other}'"),
    }
}

fn hospital(mood: Mood) -> Partner {
    let peer = if mood == Mood::Away { MllpPeer::down() } else { MllpPeer::start() };
    match mood {
        Mood::Refusing => peer.will([Answer::Reject(200)]),
        Mood::Silent => peer.will([Answer::Silence]),
        Mood::Taking | Mood::Away => {}
    }
    let settings = peer.settings("").split("[destinations.pas.settings]").nth(1).unwrap().to_owned();
    let peer = Arc::new(peer);
    let received = Arc::clone(&peer);
    Partner {
        settings,
        options: json!({}),
        received: Box::new(move || received.received().len()),
        _keep: Box::new(peer),
    }
}

async fn server(mood: Mood) -> Partner {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&count);
    let answer = move |_: Bytes| {
        let seen = Arc::clone(&seen);
        async move {
            *seen.lock().unwrap() += 1;
            match mood {
                Mood::Silent => pending().await,
                Mood::Refusing => (StatusCode::UNPROCESSABLE_ENTITY, format!("no {ADA} here")),
                _ => (StatusCode::CREATED, String::new()),
            }
        }
    };
    let mut tasks = tokio::task::JoinSet::new();
    if mood != Mood::Away {
        tasks.spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    }
    Partner {
        settings: format!("base_url = \"http://{address}/fhir\""),
        options: json!({ "send": "create", "identifier": "https://fhir.nhs.uk/Id/nhs-number" }),
        received: Box::new(move || *count.lock().unwrap()),
        _keep: Box::new(tasks),
    }
}

fn folder(mood: Mood, delivery: &Delivery) -> Option<Partner> {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("outbox");
    let name = path.join(format!("{}.json", delivery.id));
    match mood {
        Mood::Taking => std::fs::create_dir(&path).unwrap(),
        Mood::Refusing => {
            std::fs::create_dir(&path).unwrap();
            std::fs::write(name, "somebody else's").unwrap();
        }
        Mood::Away => {}
        // A folder answers at once.
        Mood::Silent => return None,
    }
    let files = path.clone();
    Some(Partner {
        settings: format!("folder = '{}'\nname = \"{{delivery}}.json\"", path.display()),
        options: json!({}),
        received: Box::new(move || std::fs::read_dir(&files).map_or(0, Iterator::count)),
        _keep: Box::new(temporary),
    })
}

/// Delivers once; also gives what was logged meanwhile, in every detail, and how many messages the partner has now.
async fn deliver(
    kind: &Kind,
    mood: Mood,
    timeout: Duration,
) -> Option<(Result<Acknowledgement, DeliveryError>, String, usize)> {
    let mut delivery = delivery(&patient(ADA, "Zebedee"));
    let partner = partner(kind.name, mood, &delivery).await?;
    delivery.options = partner.options.clone();
    let destination = destination(kind, &partner.settings, &partner.options, timeout);
    let (log, guard) = Log::listen();
    let result = destination.deliver(&delivery).await;
    drop(guard);
    Some((result, log.text(), (partner.received)()))
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn what_a_partner_takes_is_delivered() {
    for kind in ADAPTERS {
        let (result, _, received) = deliver(kind, Mood::Taking, LONG).await.expect("every partner takes messages");
        let acknowledgement = result.unwrap_or_else(|error| panic!("{}: {error}", kind.name));
        assert!(!acknowledgement.code.is_empty(), "{}", kind.name);
        assert_eq!(received, 1, "{}", kind.name);
    }
}

#[tokio::test]
async fn a_refusal_is_a_refusal() {
    for kind in ADAPTERS {
        let (result, ..) = deliver(kind, Mood::Refusing, LONG).await.expect("every partner may refuse");
        assert!(matches!(result, Err(DeliveryError::Refused { .. })), "{}: {result:?}", kind.name);
    }
}

#[tokio::test]
async fn a_closed_door_is_worth_another_try() {
    for kind in ADAPTERS {
        let (result, _, received) = deliver(kind, Mood::Away, LONG).await.expect("every partner may be away");
        assert!(matches!(result, Err(DeliveryError::Transient { .. })), "{}: {result:?}", kind.name);
        assert_eq!(received, 0, "{}", kind.name);
    }
}

#[tokio::test]
async fn silence_ends_at_the_timeout_and_leaves_the_outcome_unknown() {
    for kind in ADAPTERS {
        let silent = deliver(kind, Mood::Silent, Duration::from_millis(300));
        let Some((result, _, received)) = tokio::time::timeout(LONG, silent).await.expect("it kept no timeout") else {
            continue;
        };
        assert!(matches!(result, Err(DeliveryError::Unknown { .. })), "{}: {result:?}", kind.name);
        assert_eq!(received, 1, "{}: it must have been sent", kind.name);
    }
}

#[tokio::test]
async fn nothing_of_the_patient_is_logged_or_noted() {
    for kind in ADAPTERS {
        for mood in [Mood::Taking, Mood::Refusing, Mood::Away] {
            let (result, logged, _) = deliver(kind, mood, LONG).await.unwrap();
            let told = format!("{result:?} {logged}");
            for secret in [ADA, "Zebedee", "19800229", "1980-02-29"] {
                assert!(!told.contains(secret), "{} {mood:?}: {secret} in {told}", kind.name);
            }
        }
    }
}
