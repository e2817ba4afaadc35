//! A message was sent and no acknowledgement that can be trusted came back. That is a state of its own: the message is
//! sent again under the same id, so that the partner can see the repeat, or waits for an operator (P3, P5).

use signalbox::exchange::state::DeliveryState;

use crate::support::{ADA, Answer, BEN, MllpPeer, TestGateway};

#[tokio::test(flavor = "multi_thread")]
async fn without_an_answer_it_is_sent_again_under_the_same_id() {
    let peer = MllpPeer::start();
    peer.will([Answer::HangUp, Answer::HangUpHalfway, Answer::AnotherMessage]);
    let gateway = TestGateway::with(&peer.settings("")).await;
    let exchange = gateway.accept(ADA, "Example").await;
    gateway.settle().await;
    let delivery = gateway.delivery(exchange).await;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    assert_eq!(peer.control_ids(ADA), vec![delivery.id.to_string(); 4]);
    let outcomes: Vec<_> = gateway.attempts(exchange).await.into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(outcomes, ["unknown", "unknown", "unknown", "acknowledged"]);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_no_answer() {
    let peer = MllpPeer::start();
    peer.will([Answer::Silence]);
    let gateway = TestGateway::with(&peer.settings("timeout = \"500ms\"")).await;
    let exchange = gateway.accept(ADA, "Example").await;
    gateway.settle().await;
    let attempts = gateway.attempts(exchange).await;
    assert_eq!(attempts[0].0, "unknown");
    assert!(attempts[0].1.contains("no acknowledgement within the timeout"), "{}", attempts[0].1);
    assert_eq!(attempts.last().unwrap().0, "acknowledged");
    let id = gateway.delivery(exchange).await.id.to_string();
    assert!(peer.control_ids(ADA).iter().all(|sent| *sent == id));
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_must_not_see_repeats_sees_none_until_an_operator_says_so() {
    let peer = MllpPeer::start();
    peer.always(ADA, Answer::HangUp);
    let mut gateway = TestGateway::with(&peer.settings("on_unknown = \"hold\"")).await;
    let exchange = gateway.accept(ADA, "First").await;
    let held = gateway.until_it_is(exchange, DeliveryState::Unknown).await;
    assert_eq!(held.due, None);
    let next = gateway.accept(ADA, "Second").await;
    gateway.stop().await;
    gateway.resume().await;
    let other = gateway.accept(BEN, "Other").await;
    gateway.until_it_is(other, DeliveryState::Delivered).await;
    assert_eq!(gateway.delivery(exchange).await.state, DeliveryState::Unknown);
    assert_eq!(gateway.delivery(next).await.state, DeliveryState::Waiting);
    assert_eq!(gateway.task(exchange).await["status"], "in-progress");
    assert_eq!(peer.control_ids(ADA).len(), 1);

    peer.always(ADA, Answer::Accept);
    gateway.retry(held.id, "the partner says it has nothing").await.unwrap();
    gateway.settle().await;
    let second = gateway.delivery(next).await.id;
    assert_eq!(peer.control_ids(ADA), [held.id, held.id, second].map(|id| id.to_string()));
    gateway.finish().await;
}

/// A gateway that is killed leaves its leases behind; that is written here as it would have left them.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_under_way_when_the_gateway_vanished_is_unknown() {
    let mut peer = MllpPeer::down();
    let settings = peer.settings("retry = { first = \"1h\", max = \"1h\" }");
    let mut gateway = TestGateway::with(&settings).await;
    let exchange = gateway.accept(ADA, "Example").await;
    let id = gateway.until(exchange, |delivery| delivery.attempts == 1 && delivery.due.is_some()).await.id;
    gateway.stop().await;
    let left = "update deliveries set state = 'leased', attempts = attempts + 1, leased_by = gen_random_uuid(),
                       lease_until = now() + interval '1 hour', due = now()";
    sqlx::query(left).execute(&mut gateway.database.connect_as_owner().await).await.unwrap();

    gateway.resume_with(&peer.settings("")).await;
    gateway.until(exchange, |delivery| delivery.attempts > 2).await;
    peer.open();
    gateway.settle().await;
    let attempts = gateway.attempts(exchange).await;
    assert_eq!(attempts[1], ("unknown", "the gateway stopped while it was being sent".to_owned()));
    assert_eq!(attempts.last().unwrap().0, "acknowledged");
    assert_eq!(peer.control_ids(ADA), [id.to_string()]);
    gateway.finish().await;
}
