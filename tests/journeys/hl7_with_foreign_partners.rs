//! HL7 v2 to and from implementations of MLLP that we did not write.

use crate::support::gateway::NOWHERE;
use crate::support::peers::Peer;
use crate::support::{ADA, BEN, DOOR, TestGateway, adt};

#[tokio::test(flavor = "multi_thread")]
async fn foreign_senders_are_understood_and_understand_the_answers() {
    for peer in Peer::installed() {
        let gateway = TestGateway::with(&format!("{DOOR}{NOWHERE}")).await;
        let messages: Vec<String> = (0..5).map(|number| adt("A31", &format!("M{number}"), ADA, "Zoë")).collect();
        let answers = peer.send(gateway.mllp["adt"], &messages).await;
        assert_eq!(answers, ["AA M0", "AA M1", "AA M2", "AA M3", "AA M4"], "{peer:?}");
        let again =
            [messages[4].clone(), adt("A31", "M3", BEN, "Other"), adt("A31", "M9", ADA, "X").replace("|P|", "|T|")];
        assert_eq!(peer.send(gateway.mllp["adt"], &again).await, ["AA M4", "AE M3", "AR M9"], "{peer:?}");
        let stored: Vec<Vec<u8>> = sqlx::query_scalar(
            "select b.content from exchanges e join bodies b on b.exchange = e.id where e.outcome = 'accepted' order by e.id",
        )
        .fetch_all(&mut gateway.connect().await)
        .await
        .unwrap();
        assert_eq!(stored.len(), 5, "{peer:?}: a repeat is stored once");
        for (stored, sent) in stored.iter().zip(&messages) {
            let (stored, sent) = (String::from_utf8_lossy(stored), sent.trim_end());
            assert_eq!(stored.trim_end(), sent, "{peer:?}");
        }
        gateway.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_receivers_take_what_is_passed_on_and_what_was_fhir() {
    for peer in Peer::installed() {
        let mut receiver = peer.receive().await;
        let settings = format!(
            "{DOOR}[[routes]]\nname = \"everything\"\nto = [\"ward\"]\n[destinations.ward]\ntype = \"mllp\"\n\
             [destinations.ward.settings]\naddress = \"{}\"\nsending_application = \"SIGNALBOX\"\n\
             sending_facility = \"RXX\"\nreceiving_application = \"WARD\"\nreceiving_facility = \"RYY\"\n",
            receiver.address
        );
        let gateway = TestGateway::with(&settings).await;
        let mut sender = crate::support::MllpSender::connect(gateway.mllp["adt"]).await;
        for number in 0..3 {
            sender.ask(&adt("A31", &format!("M{number}"), ADA, "Zoë")).await;
            assert_eq!(receiver.next().await, format!("M{number} Zoë^Test"), "{peer:?}");
        }
        let fhir = crate::support::patient(ADA, "Lovelace");
        assert_eq!(gateway.send(reqwest::Method::POST, "Patient", fhir).await.status(), 202);
        assert!(receiver.next().await.contains("Lovelace"), "{peer:?}");
        gateway.settle().await;
        let delivered: i64 = sqlx::query_scalar("select count(*) from deliveries where state = 'delivered'")
            .fetch_one(&mut gateway.connect().await)
            .await
            .unwrap();
        assert_eq!(delivered, 4, "{peer:?}");
        gateway.finish().await;
    }
}
