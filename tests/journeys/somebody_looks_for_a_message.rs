//! The one search box: every id that people have leads to its message, and what leads nowhere is told as what it was
//! taken for. No number of a patient and no name comes into an address or a log.

use reqwest::StatusCode;
use signalbox::exchange::state::DeliveryState;

use crate::support::gateway_process::{folder_on, run};
use crate::support::log::Log;
use crate::support::people::Person;
use crate::support::{ADA, BEN, DOOR, MllpPeer, MllpSender, TestGateway, adt, patient};

/// Where the search box leads.
async fn led(person: &Person, what: &str) -> String {
    let answer = person.post("/exchanges/find", &[("what", what)]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{what}");
    answer.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_id_that_people_have_leads_to_its_message() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&format!("{DOOR}{}", peer.settings(""))).await;
    let person = Person::signed_in(&gateway, "viewer").await;
    let sent = gateway.accept(ADA, "Lovelace").await;
    let delivery = gateway.until_it_is(sent, DeliveryState::Delivered).await.id;
    let page = format!("/exchanges/{sent}");
    let quoted = peer.control_ids(ADA).remove(0);
    assert_eq!(quoted, delivery.to_string(), "the partner quotes the id of the delivery");
    for what in [sent.to_string(), quoted.to_lowercase(), delivery.uuid().to_string(), sent.uuid().to_string()] {
        assert_eq!(led(&person, &what).await, page, "{what}");
    }

    let mut sender = MllpSender::connect(gateway.mllp["adt"]).await;
    let exchange = sender.ask(&adt("A31", "WARD/0001", BEN, "Babbage")).await.split('|').nth(9).unwrap().to_owned();
    assert_eq!(led(&person, "WARD/0001").await, format!("/exchanges/{exchange}"));
    sender.ask(&adt("A31", "WARD/0001", BEN, "Another")).await;
    let several = led(&person, "WARD/0001").await;
    assert_eq!(several, "/exchanges?correlation=WARD%2F0001", "two messages of one id");
    let list = person.read(&several).await;
    assert!(list.contains(&exchange) && list.contains("Exchanges with correlation id"), "{list}");

    let of_ada = led(&person, ADA).await;
    for written in ["999 000 0018", "999-000-0018", &format!("https://fhir.nhs.uk/Id/nhs-number|{ADA}")] {
        assert_eq!(led(&person, written).await, of_ada, "{written}");
    }
    assert!(person.read(&of_ada).await.contains(&sent.to_string()));

    let folder = folder_on(&gateway.database);
    let show = |id: &str| run(&["show", id, "--config", folder.path().to_str().unwrap()]);
    let told = show(&quoted);
    assert!(told.code == 0 && told.out.contains(&format!("Exchange {sent}: create")), "{} {}", told.out, told.errors);
    assert!(show("00000000000000000000").errors.contains("no exchange or delivery"));
    gateway.finish().await;
}

#[tokio::test]
async fn what_leads_nowhere_is_told_as_what_it_was_taken_for() {
    let gateway = TestGateway::start().await;
    let person = Person::signed_in(&gateway, "viewer").await;
    let (log, listening) = Log::listen();
    for (what, told) in [
        ("9990000019", "not an NHS number: its check digit is wrong"),
        ("999-000-001", "not an NHS number, which has 10 digits"),
        ("Ada Lovelace", "names are not kept"),
        ("06H2HM7YMF", "must be whole"),
        ("06H2HM7YMFE0MSS9C0J2", "No exchange, delivery, request or message has this id"),
        ("3f1c9d2e-5a44-4c6b-9a1e-0c2f6a7b8c9d", "No exchange, delivery, request or message has this id"),
    ] {
        let answer = person.post("/exchanges/find", &[("what", what)]).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{what}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(told), "{what}: {page}");
    }
    let page = person.read(&led(&person, "999 000 0018").await).await;
    assert!(page.contains("No exchange about the patient with this number"), "{page}");
    drop(listening);
    for secret in ["9990000019", "Lovelace", "9990000018"] {
        assert!(!log.text().contains(secret), "{}", log.text());
    }

    let wrong = "9990000019";
    let sent = TestGateway::exchange_of(&gateway.send(reqwest::Method::POST, "Patient", patient(wrong, "Byron")).await);
    let to = led(&person, wrong).await;
    assert!(!to.contains(wrong), "{to}");
    let page = person.read(&to).await;
    assert!(page.contains("The check digit of this NHS number is wrong") && page.contains(&sent.to_string()), "{page}");
    gateway.finish().await;
}
