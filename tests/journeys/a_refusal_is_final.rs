//! A partner that says no is believed: the message is not sent again. One that is busy is asked again, under the same id
//! (P3). Each answer is an attempt in the story.

use signalbox::exchange::state::DeliveryState;

use crate::support::{ADA, Answer, BEN, MllpPeer, TestGateway};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_the_partner_refuses_is_sent_once() {
    let peer = MllpPeer::start();
    peer.will([Answer::Reject(203), Answer::Error(101)]);
    let gateway = TestGateway::with(&peer.settings("")).await;
    let rejected = gateway.accept(ADA, "Rejected").await;
    gateway.until_it_is(rejected, DeliveryState::Refused).await;
    let faulty = gateway.accept(BEN, "Faulty").await;
    gateway.until_it_is(faulty, DeliveryState::Refused).await;

    assert_eq!(gateway.attempts(rejected).await, [("refused", "MSA-1 AR, error 203".to_owned())]);
    assert_eq!(gateway.attempts(faulty).await, [("refused", "MSA-1 AE, error 101".to_owned())]);
    let task = gateway.task(rejected).await;
    assert_eq!(task["status"], "failed");
    let told = task["output"][0]["valueCodeableConcept"]["text"].as_str().unwrap();
    assert_eq!(told, "refused after 1 attempt: MSA-1 AR, error 203");

    // A restart does not make it forget.
    let mut gateway = gateway;
    gateway.stop().await;
    gateway.resume().await;
    gateway.accept("9990000034", "Next").await;
    gateway.settle().await;
    assert_eq!((peer.control_ids(ADA).len(), peer.control_ids(BEN).len(), peer.received().len()), (1, 1, 3));
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_partner_is_asked_again_under_the_same_id() {
    let peer = MllpPeer::start();
    peer.will([Answer::Error(207), Answer::Error(207)]);
    let gateway = TestGateway::with(&peer.settings("")).await;
    let exchange = gateway.accept(ADA, "Example").await;
    gateway.settle().await;
    let delivery = gateway.delivery(exchange).await;
    assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Delivered, 3));
    assert_eq!(peer.control_ids(ADA), vec![delivery.id.to_string(); 3]);
    let busy = ("transient", "MSA-1 AE, error 207".to_owned());
    let taken = ("acknowledged", "MSA-1 AA".to_owned());
    assert_eq!(gateway.attempts(exchange).await, [busy.clone(), busy, taken]);
    gateway.finish().await;
}
