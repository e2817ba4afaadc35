//! A partner that hangs, is down or asks to be left alone: calls to it are spaced, so that its silence costs a few
//! deliveries and not everybody's, and go out in order when it is back (P4, P5).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use signalbox::exchange::ExchangeId;
use signalbox::exchange::state::DeliveryState;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::people::Person;
use crate::support::{ADA, Answer, BEN, MllpPeer, TestGateway};

const PATIENTS: [&str; 8] =
    ["9990000018", "9990000026", "9990000034", "9990000042", "9990000050", "9990000069", "9990000077", "9990000085"];

async fn breaker_is(gateway: &TestGateway, open: u8) -> bool {
    let root = gateway.base.trim_end_matches("/fhir");
    let text = gateway.client.get(format!("{root}/metrics")).send().await.unwrap().text().await.unwrap();
    let line = format!("signalbox_destination_breaker_open{{destination=\"pas\"}} {open}");
    text.lines().any(|told| told == line)
}

/// An operator pauses the destination, and resumes it once the worker has seen that.
async fn pause_and_resume(gateway: &TestGateway, name: &str) {
    let engineer = Person::signed_in(gateway, "engineer").await;
    engineer.post(&format!("/destinations/{name}/pause"), &[("reason", "the partner restarts")]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    engineer.post(&format!("/destinations/{name}/resume"), &[("reason", "it is back")]).await;
}

async fn in_state(gateway: &TestGateway, exchanges: &[ExchangeId], state: DeliveryState) -> usize {
    let mut count = 0;
    for exchange in exchanges {
        count += usize::from(gateway.delivery(*exchange).await.state == state);
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_hangs_makes_a_few_unknown_and_the_others_wait_for_it() {
    let peer = MllpPeer::start();
    for patient in PATIENTS {
        peer.always(patient, Answer::Silence);
    }
    let patient = "timeout = \"200ms\"\non_unknown = \"hold\"\nretry = { first = \"1h\", max = \"1h\" }";
    let gateway = TestGateway::with(&peer.settings(patient)).await;
    let mut exchanges = Vec::new();
    for patient in PATIENTS {
        exchanges.push(gateway.accept(patient, "Example").await);
    }
    gateway.until_it_is(exchanges[4], DeliveryState::Unknown).await;
    assert!(breaker_is(&gateway, 1).await);
    let viewer = Person::signed_in(&gateway, "viewer").await;
    let page = viewer.read("/").await;
    assert!(page.contains("Calls are spaced: 5 in a row were not taken"), "{page}");
    // Several looks at the backlog, and several times as long as a call takes.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(in_state(&gateway, &exchanges, DeliveryState::Unknown).await, 5);
    assert_eq!(peer.received().len(), 5, "nobody else's was sent");

    for patient in PATIENTS {
        peer.always(patient, Answer::Accept);
    }
    pause_and_resume(&gateway, "pas").await;
    for exchange in &exchanges[5..] {
        gateway.until_it_is(*exchange, DeliveryState::Delivered).await;
    }
    assert!(breaker_is(&gateway, 0).await);
    for exchange in &exchanges[..5] {
        gateway.retry(gateway.delivery(*exchange).await.id, "the partner has nothing of it").await.unwrap();
    }
    gateway.settle().await;
    assert_eq!(in_state(&gateway, &exchanges, DeliveryState::Delivered).await, 8);
    let patients: Vec<_> = peer.received()[5..8].iter().map(|message| message.patient.clone()).collect();
    assert_eq!(patients, PATIENTS[5..]);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_partner_is_back_everything_goes_out_in_each_patients_order() {
    let mut peer = MllpPeer::down();
    let gateway = TestGateway::with(&peer.settings("concurrency = 4")).await;
    let mut exchanges = Vec::new();
    for family in ["First", "Second"] {
        for patient in PATIENTS {
            exchanges.push(gateway.accept(patient, family).await);
        }
    }
    for _ in 0..600 {
        if breaker_is(&gateway, 1).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(breaker_is(&gateway, 1).await);
    peer.open();
    gateway.settle().await;
    assert_eq!(in_state(&gateway, &exchanges, DeliveryState::Delivered).await, 16);
    for patient in PATIENTS {
        let received = peer.received().into_iter().filter(|message| message.patient == patient);
        let names: Vec<_> = received.map(|message| message.name.split('^').next().unwrap().to_owned()).collect();
        assert_eq!(names, ["First", "Second"]);
    }
    assert!(breaker_is(&gateway, 0).await);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_asks_to_be_left_alone_is_not_called_for_another_patient_either() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    let answer = move || {
        let first = seen.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if first {
                (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "3600")]).into_response()
            } else {
                StatusCode::CREATED.into_response()
            }
        }
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    let gateway = TestGateway::with(&format!(
        "[destinations.central]\ntype = \"fhir-rest\"\nsettings.base_url = \"http://{address}/fhir\"\n[[routes]]\n\
         name = \"all\"\nto = [{{ destination = \"central\", send = \"create\", resend = true }}]\n"
    ))
    .await;
    let busy = gateway.accept(ADA, "Busy").await;
    gateway.until(busy, |delivery| delivery.attempts == 1 && delivery.state == DeliveryState::Ready).await;
    let other = gateway.accept(BEN, "Other").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((gateway.delivery(other).await.attempts, count.load(Ordering::SeqCst)), (0, 1));

    pause_and_resume(&gateway, "central").await;
    gateway.until_it_is(other, DeliveryState::Delivered).await;
    gateway.skip(gateway.delivery(busy).await.id, "sent by hand").await.unwrap();
    gateway.finish().await;
}
