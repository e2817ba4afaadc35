//! What each role may do at the pages, asked of the server whatever the page shows; every act and every look into a
//! body stands in the register with who and why, and the command line reads the same state.

use reqwest::StatusCode;
use signalbox::exchange::ExchangeId;
use signalbox::exchange::state::DeliveryState;

use crate::support::gateway_process::{folder_on, run};
use crate::support::people::Person;
use crate::support::{ADA, Answer, BEN, MllpPeer, TestGateway};

const GIVE_UP_SOON: &str = "retry = { first = \"50ms\", max = \"200ms\", give_up_after = \"1s\" }";

async fn register(gateway: &TestGateway) -> Vec<(String, String, String)> {
    sqlx::query_as("select outcome, actor, reason from audit where event = 'operator' order by seq")
        .fetch_all(&mut gateway.connect().await)
        .await
        .unwrap()
}

fn entry(outcome: &str, name: &str, reason: &str) -> (String, String, String) {
    (outcome.to_owned(), name.to_owned(), reason.to_owned())
}

/// A gateway with one dead letter about ADA, and its exchange.
async fn with_a_dead_letter(peer: &MllpPeer) -> (TestGateway, ExchangeId) {
    peer.always(ADA, Answer::Error(207));
    let gateway = TestGateway::with(&peer.settings(GIVE_UP_SOON)).await;
    let exchange = gateway.accept(ADA, "Lovelace").await;
    gateway.until_it_is(exchange, DeliveryState::Dead).await;
    (gateway, exchange)
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_and_auditors_change_nothing() {
    let peer = MllpPeer::start();
    let (gateway, exchange) = with_a_dead_letter(&peer).await;
    let delivery = gateway.delivery(exchange).await.id;
    let reason = [("reason", "because"), ("destination", "pas"), ("state", "dead")];
    for role in ["viewer", "auditor"] {
        let person = Person::signed_in(&gateway, role).await;
        for path in [
            format!("/deliveries/{delivery}/retry"),
            format!("/deliveries/{delivery}/skip"),
            "/dead-letters/retry".to_owned(),
            "/dead-letters/skip".to_owned(),
            "/destinations/pas/pause".to_owned(),
            "/destinations/pas/resume".to_owned(),
        ] {
            let answer = person.post(&path, &reason).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{role} {path}");
            assert!(answer.text().await.unwrap().contains(&format!("The role '{role}' does not allow this")));
        }
    }
    assert_eq!(register(&gateway).await, []);
    assert_eq!(gateway.delivery(exchange).await.state, DeliveryState::Dead);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_seen_by_those_who_may_for_a_reason_that_is_kept() {
    let peer = MllpPeer::start();
    let (gateway, exchange) = with_a_dead_letter(&peer).await;
    let path = format!("/exchanges/{exchange}/body");
    for (role, may) in [("viewer", false), ("operator", true), ("engineer", true), ("auditor", true)] {
        let person = Person::signed_in(&gateway, role).await;
        let story = person.read(&format!("/exchanges/{exchange}")).await;
        assert!(!story.contains(ADA) && !story.contains("Lovelace"), "the story holds nothing of the patient");
        let asked = person.get(&path).await;
        assert_eq!(asked.status(), StatusCode::SEE_OTHER, "an address shows no body");
        assert_eq!(asked.headers()["location"], *format!("/exchanges/{exchange}"));
        let answer = person.post(&path, &[("reason", "the ward asks")]).await;
        assert_eq!(answer.status(), if may { StatusCode::OK } else { StatusCode::FORBIDDEN }, "{role}");
        assert_eq!(answer.text().await.unwrap().contains("Lovelace"), may, "{role}");
        for nothing in ["", "   "] {
            let answer = person.post(&path, &[("reason", nothing)]).await;
            let wanted = if may { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::FORBIDDEN };
            assert_eq!(answer.status(), wanted, "{role}");
            assert!(!answer.text().await.unwrap().contains("Lovelace"));
        }
    }
    let person = Person::signed_in(&gateway, "viewer").await;
    let story = person.read(&format!("/exchanges/{exchange}")).await;
    assert!(story.contains("view body by auditor: the ward asks"), "who looked is part of the story: {story}");
    let told = signalbox::cli::tell(&gateway.story(exchange).await, signalbox::clock::Clock::system().now());
    assert!(told.contains("auditor said view body: the ward asks"), "{told}");
    let seen = |name| entry("view body", name, "the ward asks");
    assert_eq!(register(&gateway).await, [seen("operator"), seen("engineer"), seen("auditor")]);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_retried_and_skipped_from_their_page() {
    let peer = MllpPeer::start();
    let (gateway, first) = with_a_dead_letter(&peer).await;
    let behind = gateway.accept(ADA, "Byron").await;
    gateway.until_it_is(behind, DeliveryState::Waiting).await;
    let person = Person::signed_in(&gateway, "operator").await;
    let page = person.read("/dead-letters").await;
    assert!(page.contains("1 × pas") && page.contains(&first.to_string()) && !page.contains(ADA), "{page}");
    let story = person.read(&format!("/exchanges/{behind}")).await;
    assert!(
        story.contains("Waiting behind 1 earlier one") && story.contains(&format!("/exchanges/{first}")),
        "{story}"
    );

    let delivery = gateway.delivery(first).await.id;
    let skip = format!("/deliveries/{delivery}/skip");
    assert_eq!(person.post(&skip, &[("reason", " ")]).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let strange = person.post("/deliveries/00000000000000000000/skip", &[("reason", "x")]).await;
    assert_eq!(strange.status(), StatusCode::NOT_FOUND);
    let explode = person.post(&format!("/deliveries/{delivery}/explode"), &[("reason", "x")]).await;
    assert_eq!(explode.status(), StatusCode::NOT_FOUND);

    // What waited behind it is tried for another day, so only a refusal ends it soon.
    peer.always(ADA, Answer::Reject(101));
    let answer = person.post(&skip, &[("reason", "sent by hand"), ("next", "//evil.example")]).await;
    assert_eq!(answer.headers()["location"], "/?notice=skipped-1", "nobody is sent elsewhere");
    assert_eq!(person.post(&skip, &[("reason", "again")]).await.status(), StatusCode::CONFLICT);
    gateway.until_it_is(behind, DeliveryState::Refused).await;
    peer.always(ADA, Answer::Accept);
    let because = gateway.delivery(behind).await.note.unwrap_or_default();
    let other = [("destination", "pas"), ("state", "refused"), ("because", "another"), ("reason", "mended")];
    let answer = person.post("/dead-letters/retry", &other).await;
    assert_eq!(answer.headers()["location"], "/dead-letters?notice=unchanged", "another reason, another group");
    let all = [("destination", "pas"), ("state", "refused"), ("because", &*because), ("reason", "mended")];
    let answer = person.post("/dead-letters/retry", &all).await;
    assert_eq!(answer.headers()["location"], "/dead-letters?notice=retried-1");
    gateway.until_it_is(behind, DeliveryState::Delivered).await;
    assert_eq!(
        register(&gateway).await,
        [entry("skip", "operator", "sent by hand"), entry("retry", "operator", "mended")]
    );
    let story = person.read(&format!("/exchanges/{behind}")).await;
    let (_, timeline) = story.split_once("Timeline").unwrap();
    let at = |what: &str| timeline.find(what).unwrap_or_else(|| panic!("no '{what}' in {timeline}"));
    assert!(
        at("pas: refused") < at("retry by operator") && at("retry by operator") < at("pas: delivered"),
        "{timeline}"
    );
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_a_paused_destination_until_it_is_resumed() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&peer.settings("")).await;
    let person = Person::signed_in(&gateway, "engineer").await;
    let silent = person.post("/destinations/pas/pause", &[("reason", "  ")]).await;
    assert_eq!(silent.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let pause = person.post("/destinations/pas/pause", &[("reason", "PAS upgrade")]).await;
    assert_eq!(pause.headers()["location"], "/?notice=paused");
    assert_eq!(person.post("/destinations/nowhere/pause", &[("reason", "x")]).await.status(), StatusCode::NOT_FOUND);
    let again = person.post("/destinations/pas/pause", &[("reason", "x")]).await;
    assert_eq!(again.headers()["location"], "/?notice=unchanged");

    let held = gateway.accept(BEN, "Held").await;
    gateway.until_it_is(held, DeliveryState::Ready).await;
    for _ in 0..5 {
        // Longer than the workers' poll in all.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        assert_eq!(gateway.delivery(held).await.state, DeliveryState::Ready);
    }
    assert_eq!(peer.received(), []);
    let page = person.read("/").await;
    assert!(page.contains("Paused by engineer") && page.contains("PAS upgrade"), "{page}");

    let page = person.read(&format!("/exchanges/{held}")).await;
    assert!(page.contains("Ready, and held: pas was paused by engineer at") && page.contains("PAS upgrade"), "{page}");
    let (_, since) = page.split_once("paused by engineer at ").unwrap();
    assert!(!since.starts_with("20"), "moments are written one way on a page: {since}");
    let told = signalbox::cli::tell(&gateway.story(held).await, signalbox::clock::Clock::system().now());
    assert!(told.contains("ready, and held: pas was paused by engineer at"), "{told}");

    person.post("/destinations/pas/resume", &[("reason", "it is back")]).await;
    gateway.until_it_is(held, DeliveryState::Delivered).await;
    let expected = [entry("pause", "engineer", "PAS upgrade"), entry("resume", "engineer", "it is back")];
    assert_eq!(register(&gateway).await, expected);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_and_the_pages_pause_the_same_destination() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&peer.settings("")).await;
    let person = Person::signed_in(&gateway, "operator").await;
    let folder = folder_on(&gateway.database);
    let config = folder.path().to_str().unwrap();
    let destinations = |verb, name| {
        run(&["destinations", verb, name, "--reason", "PAS upgrade", "--operator", "sam", "--config", config])
    };
    let long = "é".repeat(201);
    let said = run(&["destinations", "pause", "pas", "--reason", &long, "--operator", "sam", "--config", config]);
    assert_eq!(said.code, 1);
    assert!(said.errors.contains("200 characters at most, and this one has 201"), "{}", said.errors);
    let said = person.post("/destinations/pas/pause", &[("reason", &long)]).await;
    assert_eq!(said.status(), StatusCode::UNPROCESSABLE_ENTITY, "the same limit at the pages");
    assert_eq!(destinations("pause", "pas").code, 0);
    assert!(person.read("/").await.contains("Paused by sam"), "the page has what the command did");
    for (verb, name, why) in [("pause", "pas", "paused already"), ("resume", "nowhere", "no destination 'nowhere'")] {
        let said = destinations(verb, name);
        assert_eq!(said.code, 1, "{verb} {name}");
        assert!(said.errors.contains(why), "{}", said.errors);
    }
    person.post("/destinations/pas/resume", &[("reason", "it is back")]).await;
    assert!(destinations("resume", "pas").errors.contains("running already"), "the command has what the page did");
    let expected = [entry("pause", "sam", "PAS upgrade"), entry("resume", "operator", "it is back")];
    assert_eq!(register(&gateway).await, expected);
    gateway.finish().await;
}
