//! Postgres has committed and the connection breaks before it can say so. What is tried again must find that it has been
//! done: one exchange, one attempt, one row of the register for each (P1, P6), and nobody waits for a sweep (P4).

use signalbox::exchange::ExchangeId;
use signalbox::exchange::state::DeliveryState;

use crate::support::lost_commit::LostCommit;
use crate::support::{ADA, Answer, MllpPeer, TestGateway};

async fn on_a_wire_that_loses(statement: &'static str, peer: &MllpPeer) -> (TestGateway, LostCommit) {
    let mut gateway = TestGateway::with(&peer.settings("")).await;
    gateway.stop().await;
    let wire = LostCommit::of(gateway.database.app.get_socket().unwrap(), statement);
    gateway.database.app = gateway.database.app.clone().socket(wire.folder());
    gateway.resume().await;
    (gateway, wire)
}

async fn register(gateway: &TestGateway, exchange: ExchangeId) -> Vec<(String, String, Option<String>)> {
    let rows = "select event, outcome, reason from audit where exchange = $1 order by seq";
    sqlx::query_as(rows).bind(exchange.uuid()).fetch_all(&mut gateway.connect().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_is_answered_and_stored_once() {
    let peer = MllpPeer::start();
    let (gateway, wire) = on_a_wire_that_loses("insert into exchanges", &peer).await;
    let exchange = gateway.accept(ADA, "Lovelace").await;
    assert!(wire.has_happened());
    gateway.until_it_is(exchange, DeliveryState::Delivered).await;
    let events: Vec<String> = register(&gateway, exchange).await.into_iter().map(|row| row.0).collect();
    assert_eq!(events, ["exchange", "attempt"]);
    assert_eq!(peer.control_ids(ADA).len(), 1);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settled_attempt_is_recorded_once_and_the_next_of_its_patient_goes() {
    let peer = MllpPeer::start();
    peer.will([Answer::AfterRelease]);
    let (gateway, wire) = on_a_wire_that_loses("insert into attempts", &peer).await;
    let first = gateway.accept(ADA, "First").await;
    gateway.until_it_is(first, DeliveryState::Leased).await;
    let second = gateway.accept(ADA, "Second").await;
    gateway.until_it_is(second, DeliveryState::Waiting).await;
    peer.release();
    // Long before a sweep would find it.
    gateway.until_it_is(second, DeliveryState::Delivered).await;
    assert!(wire.has_happened());
    assert_eq!(gateway.delivery(first).await.state, DeliveryState::Delivered);
    let told = register(&gateway, first).await;
    let attempts: Vec<_> = told.iter().filter(|row| row.0 == "attempt").collect();
    assert_eq!(attempts.len(), 1, "{told:?}");
    assert_eq!(attempts[0].1, "acknowledged");
    assert!(!attempts[0].2.as_deref().unwrap_or_default().contains("lapsed"), "{told:?}");
    assert_eq!(peer.control_ids(ADA).len(), 2);
    gateway.finish().await;
}
