//! A patient sent by a GP system reaches the hospital's patient index as an ADT message, and everybody can see that it
//! did: the sender by its Task, the operator by the story, the auditor by the register (P1, P2, P3).

use reqwest::Method;
use signalbox::exchange::ids::Id;
use signalbox::exchange::state::DeliveryState;
use uuid::Uuid;

use crate::support::{ADA, Answer, MllpPeer, TestGateway, patient};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_patient_is_an_a28_under_the_id_of_its_delivery() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&peer.settings("")).await;
    let exchange = gateway.accept(ADA, "Example").await;
    gateway.settle().await;

    let delivery = gateway.delivery(exchange).await;
    let received = peer.received();
    assert_eq!(received.len(), 1);
    assert_eq!((&*received[0].event, &*received[0].patient), ("A28", ADA));
    assert!(received[0].name.starts_with("Example^Test"), "{}", received[0].name);
    assert_eq!((received[0].control_id.len(), received[0].control_id.parse()), (20, Ok(delivery.id)));

    let task = gateway.task(exchange).await;
    assert_eq!(task["status"], "completed");
    assert_eq!(task["output"][0]["type"]["text"], "pas");
    assert_eq!(task["output"][0]["valueCodeableConcept"]["coding"][0]["code"], "delivered");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_an_a31_and_comes_after_the_patient_it_updates() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&peer.settings("")).await;
    gateway.accept(ADA, "Example").await;
    let update = patient(ADA, "Married").replace("\"Patient\",", "\"Patient\",\"id\":\"ada\",");
    TestGateway::exchange_of(&gateway.send(Method::PUT, "Patient/ada", update).await);
    gateway.settle().await;
    let events: Vec<_> = peer.received().into_iter().map(|message| message.event).collect();
    assert_eq!(events, ["A28", "A31"]);
    gateway.finish().await;
}

/// Event, outcome, delivery, attempt and reason.
type Row = (String, String, Option<Uuid>, Option<i32>, Option<String>);

#[tokio::test(flavor = "multi_thread")]
async fn the_register_has_one_row_for_the_exchange_and_one_for_each_attempt() {
    let peer = MllpPeer::start();
    peer.will([Answer::Error(207)]);
    let gateway = TestGateway::with(&peer.settings("")).await;
    let exchange = gateway.accept(ADA, "Example").await;
    gateway.settle().await;
    let rows: Vec<Row> =
        sqlx::query_as("select event, outcome, delivery, attempt, reason from audit where exchange = $1 order by seq")
            .bind(exchange.uuid())
            .fetch_all(&mut gateway.connect().await)
            .await
            .unwrap();
    let delivery = Some(gateway.delivery(exchange).await.id.uuid());
    let row = |event: &str, outcome: &str, delivery, attempt, reason: Option<&str>| {
        (event.to_owned(), outcome.to_owned(), delivery, attempt, reason.map(str::to_owned))
    };
    let expected = [
        row("exchange", "accepted", None, None, None),
        row("attempt", "transient", delivery, Some(1), Some("MSA-1 AE, error 207")),
        row("attempt", "acknowledged", delivery, Some(2), Some("MSA-1 AA")),
    ];
    assert_eq!(rows, expected);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_reads_the_whole_story() {
    let peer = MllpPeer::start();
    peer.will([Answer::Error(207)]);
    let gateway = TestGateway::with(&peer.settings("")).await;
    let exchange = gateway.accept(ADA, "Example").await;
    gateway.until_it_is(exchange, DeliveryState::Delivered).await;

    let mut story = gateway.story(exchange).await;
    // What differs from run to run.
    let at = chrono::DateTime::UNIX_EPOCH;
    let id: Id = "01KE0000000000000000".parse().unwrap();
    (story.exchange.id, story.exchange.received_at) = (id.uuid(), at);
    "the caller's".clone_into(&mut story.exchange.correlation_id);
    (story.exchange.config_hash, story.exchange.packs) = ("c".repeat(64), "p".repeat(64));
    for (delivery, attempts, _) in &mut story.deliveries {
        (delivery.id, delivery.updated_at) = (id.uuid(), at);
        for attempt in attempts {
            (attempt.started_at, attempt.ended_at) = (at, at);
        }
    }
    let text = signalbox::cli::tell(&story, at);
    assert!(!text.contains(ADA) && !text.contains("Example"));
    insta::assert_snapshot!(text);
    gateway.finish().await;
}
