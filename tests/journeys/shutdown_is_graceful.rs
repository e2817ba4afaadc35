//! A gateway that is told to stop takes nothing new, waits for what it is sending, and writes down what came of it.

use signalbox::exchange::state::DeliveryState;

use crate::support::gateway_process::{self, GatewayProcess};
use crate::support::log::Log;
use crate::support::{ADA, Answer, BEN, MllpPeer, TestGateway};

/// A service manager may change its mind as soon as the gateway says that it listens.
#[test]
fn told_to_stop_as_soon_as_it_listens_it_stops_as_at_any_other_time() {
    let folder = gateway_process::folder();
    std::fs::write(folder.path().join("signalbox.toml"), "data = \"data\"\n[http]\nlisten = \"127.0.0.1:0\"\n")
        .unwrap();
    for _ in 0..3 {
        // Fails unless the gateway ends by itself, without a fault.
        GatewayProcess::start(folder.path()).terminate();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_never_answers_is_waited_for_as_long_as_is_said() {
    let peer = MllpPeer::start();
    peer.always(ADA, Answer::AfterRelease);
    let mut gateway = TestGateway::with(&peer.settings("on_unknown = \"hold\"")).await;
    gateway.stop().await;
    gateway.hurry(std::time::Duration::from_millis(500));
    gateway.resume().await;
    let under_way = gateway.accept(ADA, "First").await;
    gateway.until_it_is(under_way, DeliveryState::Leased).await;
    let (log, listening) = Log::listen();
    gateway.stop().await;
    drop(listening);
    let logged = log.text();
    assert!(logged.contains("they are unknown now") && !logged.contains("did not end in time"), "{logged}");
    assert_eq!(gateway.delivery(under_way).await.state, DeliveryState::Leased);

    gateway.resume().await;
    let held = gateway.until_it_is(under_way, DeliveryState::Unknown).await;
    gateway.skip(held.id, "the partner has it").await.unwrap();
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_under_way_is_waited_for_and_settled() {
    let peer = MllpPeer::start();
    peer.always(ADA, Answer::AfterRelease);
    let mut gateway = TestGateway::with(&peer.settings("")).await;
    let under_way = gateway.accept(ADA, "First").await;
    gateway.until_it_is(under_way, DeliveryState::Leased).await;
    let behind = gateway.accept(ADA, "Second").await;
    let other = gateway.accept(BEN, "Other").await;

    let (client, address) = (gateway.client.clone(), format!("{}/metadata", gateway.base));
    let released = async {
        // The closed door says that the stop has begun.
        while client.get(&address).send().await.is_ok() {
            tokio::task::yield_now().await;
        }
        peer.release();
    };
    tokio::join!(gateway.stop(), released);

    assert_eq!(gateway.delivery(under_way).await.state, DeliveryState::Delivered);
    assert_eq!(gateway.attempts(under_way).await, [("acknowledged", "MSA-1 AA".to_owned())]);
    for exchange in [behind, other] {
        let delivery = gateway.delivery(exchange).await;
        assert!(matches!(delivery.state, DeliveryState::Waiting | DeliveryState::Ready), "{delivery:?}");
        assert_eq!(delivery.attempts, 0);
    }
    assert_eq!(peer.received().len(), 1);

    peer.always(ADA, Answer::Accept);
    gateway.resume().await;
    gateway.settle().await;
    for exchange in [under_way, behind, other] {
        let delivery = gateway.delivery(exchange).await;
        assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Delivered, 1));
    }
    gateway.finish().await;
}
