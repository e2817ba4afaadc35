//! A destination gets another name, or goes from the configuration, while deliveries wait for it: they keep their place, or
//! the gateway says what to do and does not start, because what comes for another name would overtake them (P4).

use signalbox::exchange::state::DeliveryState;

use crate::support::{ADA, MllpPeer, TestGateway};

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_it_goes_first_under_the_new_name() {
    let mut peer = MllpPeer::down();
    let settings = peer.settings("");
    let mut gateway = TestGateway::with(&settings).await;
    let first = gateway.accept(ADA, "First").await;
    gateway.until(first, |delivery| delivery.attempts > 0 && delivery.state == DeliveryState::Ready).await;
    gateway.stop().await;

    let renamed = settings.replace("\"pas\"", "\"hospital\"").replace("destinations.pas", "destinations.hospital");
    for without in [crate::support::gateway::NOWHERE, &renamed] {
        let refused = gateway.try_resume_with(without).await.unwrap_err();
        assert!(refused.contains("1 deliveries wait for 'pas'"), "{refused}");
        assert!(refused.contains("renamed_from = \"pas\"") && refused.contains("[destinations.pas]"), "{refused}");
    }

    let renamed = renamed.replace("type = \"mllp\"", "type = \"mllp\"\nrenamed_from = \"pas\"");
    gateway.resume_with(&renamed).await;
    assert_eq!(gateway.delivery(first).await.destination, "hospital");
    gateway.accept(ADA, "Second").await;
    peer.open();
    gateway.settle().await;
    let names: Vec<_> = peer.received().into_iter().map(|message| message.name).collect();
    assert!(names.len() == 2 && names[0].starts_with("First") && names[1].starts_with("Second"), "{names:?}");
    gateway.stop().await;
    gateway.resume_with(&renamed).await;
    gateway.finish().await;
}
