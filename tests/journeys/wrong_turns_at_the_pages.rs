//! Whoever asks the pages for what there is not gets a page that helps, and strangers learn nothing.

use reqwest::StatusCode;
use signalbox::exchange::state::DeliveryState;

use crate::support::log::Log;
use crate::support::people::Person;
use crate::support::{ADA, Answer, MllpPeer, TestGateway};

/// Asks as a browser does.
async fn browse(person: &Person, path: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let request = client.get(format!("{}{path}", person.root)).header("cookie", &person.cookie);
    request.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8").send().await.unwrap()
}

fn leads_to(answer: &reqwest::Response) -> &str {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", answer.url());
    answer.headers()["location"].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_there_is_not_is_a_page_for_people_and_nothing_for_strangers() {
    let gateway = TestGateway::start().await;
    let person = Person::signed_in(&gateway, "viewer").await;
    let nowhere = browse(&person, "/nonsense").await;
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    assert!(nowhere.headers().contains_key("content-security-policy"));
    let page = nowhere.text().await.unwrap();
    assert!(page.contains("There is no page at this address") && page.contains("Dead letters"), "{page}");
    for (path, to) in [
        ("/exchanges/?source=gp", "/exchanges?source=gp"),
        ("/dead-letters/", "/dead-letters"),
        ("//evil.example/", "/"),
        ("/exchanges/find", "/exchanges"),
        ("/exchanges/00000000000000000000/body", "/exchanges/00000000000000000000"),
        ("/exchanges/..%2F..%2Fevil/body", "/exchanges"),
        ("/dead-letters/retry", "/dead-letters"),
        ("/quarantine/00000000000000000000/release", "/quarantine"),
        ("/deliveries/00000000000000000000/skip", "/dead-letters"),
        ("/destinations/pas/pause", "/"),
        ("/sign-out", "/"),
    ] {
        assert_eq!(leads_to(&browse(&person, path).await), to, "{path}");
    }
    assert_eq!(browse(&person, "/favicon.ico").await.headers()["content-type"], "image/svg+xml");
    for fhir in ["/fhir/Nonsense", "/fhir/a/b/c/d"] {
        let answer = browse(&person, fhir).await;
        assert_eq!(answer.headers()["content-type"], "application/fhir+json; charset=utf-8", "{fhir}");
    }
    assert_eq!(person.get("/nonsense").await.status(), StatusCode::UNAUTHORIZED, "as a program asks");

    let stranger = Person::stranger(&gateway);
    for path in ["/nonsense", "/exchanges/", "/quarantine"] {
        assert!(leads_to(&browse(&stranger, path).await).starts_with("/sign-in?next=%2F"), "{path}");
    }
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_sent_after_the_session_has_ended_leads_to_signing_in_and_back() {
    let gateway = TestGateway::start().await;
    let person = Person::signed_in(&gateway, "operator").await;
    person.post("/sign-out", &[]).await;
    let referer = format!("{}/dead-letters?notice=unchanged", person.root);
    let headers = [("origin", &*person.root), ("referer", &referer)];
    let answer = person.post_from("/dead-letters/retry", &[("reason", "mended")], &headers).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let page = answer.text().await.unwrap();
    assert!(page.contains("Nothing was done"), "{page}");
    assert!(page.contains("href=\"/sign-in?next=%2Fdead-letters%3Fnotice%3Dunchanged\""), "{page}");
    gateway.finish().await;
}

#[tokio::test]
async fn a_filter_that_means_nothing_is_said_to_mean_nothing() {
    let gateway = TestGateway::start().await;
    let person = Person::signed_in(&gateway, "viewer").await;
    let (log, listening) = Log::listen();
    for name in ["type", "source", "destination", "correlation"] {
        let answer = person.get(&format!("/exchanges?{name}=%00")).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{name}");
        assert!(answer.text().await.unwrap().contains("control character"), "{name}");
    }
    let answer = person.get("/exchanges?type=Patients").await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(answer.text().await.unwrap().contains("neither a resource type"));
    assert_eq!(person.sign_in("\0", "\0").await.status(), StatusCode::UNAUTHORIZED);
    drop(listening);
    assert!(!log.text().contains("ERROR"), "{}", log.text());
    let sent = gateway.accept(ADA, "Lovelace").await.to_string();
    for word in ["patient", "Patient", "PATIENT"] {
        assert!(person.read(&format!("/exchanges?type={word}")).await.contains(&sent), "{word}");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn what_is_left_for_a_destination_that_is_no_longer_configured_is_found() {
    let peer = MllpPeer::start();
    peer.will([Answer::Reject(101)]);
    let mut gateway = TestGateway::with(&peer.settings("")).await;
    let sent = gateway.accept(ADA, "Left").await;
    gateway.until_it_is(sent, DeliveryState::Refused).await;
    gateway.stop().await;
    let (log, listening) = Log::listen();
    gateway.resume_with(crate::support::gateway::NOWHERE).await;
    drop(listening);
    let logged = log.text();
    let warned = logged.lines().find(|line| line.contains("of a destination that is gone")).unwrap_or_default();
    assert!(warned.contains("WARN") && warned.contains("\"pas\"") && warned.contains("dead=1"), "{logged}");

    let person = Person::signed_in(&gateway, "viewer").await;
    let list = person.read("/exchanges?destination=pas&request=3f1c9d2e-5a44-4c6b-9a1e-0c2f6a7b8c9d").await;
    assert!(list.contains("<option value=\"pas\" selected>pas (not configured)</option>"), "{list}");
    assert!(list.contains("type=\"hidden\" name=\"request\" value=\"3f1c9d2e"), "{list}");
    assert!(person.read("/exchanges?destination=pas").await.contains(&sent.to_string()));
    gateway.skip(gateway.delivery(sent).await.id, "nobody takes it any more").await.unwrap();
    gateway.finish().await;
}
