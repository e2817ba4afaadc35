//! By the policy of its source a message that is not valid waits for a person (P2): stored in one commit, held in its
//! place among those of its patient (P4), then delivered or refused by a named operator.

use reqwest::StatusCode;
use signalbox::clock::Clock;
use signalbox::delivery::operator::{Act, ActError};
use signalbox::delivery::quarantine::{Decision, decide};
use signalbox::exchange::ExchangeId;
use signalbox::exchange::state::DeliveryState;

use crate::support::gateway_process::{folder_on, run};
use crate::support::guides::{issues, source};
use crate::support::people::Person;
use crate::support::{ADA, BEN, DOOR, MllpPeer, MllpSender, TestGateway, ack_of, adt, patient};

const WARY: u64 = 41;
const BY_POLICY: &str = "by the policy of its source: 1 error was found";

async fn gateway(peer: &MllpPeer, policy: &str) -> TestGateway {
    TestGateway::with(&format!("{}{}", source("wary", WARY, policy), peer.settings(""))).await
}

fn invalid(number: &str, family: &str) -> String {
    patient(number, family).replace("\"female\"", "\"woman\"")
}

/// Sends a patient that is not valid and is held.
async fn hold(gateway: &TestGateway, number: &str, family: &str) -> ExchangeId {
    let exchange = TestGateway::exchange_of(&gateway.send_as(WARY, "Patient", invalid(number, family)).await);
    assert_eq!(gateway.delivery(exchange).await.state, DeliveryState::Quarantined);
    exchange
}

/// Sends a valid patient as the same source.
async fn send(gateway: &TestGateway, number: &str, family: &str) -> ExchangeId {
    TestGateway::exchange_of(&gateway.send_as(WARY, "Patient", patient(number, family)).await)
}

async fn say(gateway: &TestGateway, exchange: ExchangeId, decision: Decision, why: &str) -> Result<usize, ActError> {
    let act = Act {
        actor: "sam".to_owned(),
        reason: why.to_owned(),
        now: Clock::system().now(),
        config_hash: "of a test".to_owned(),
        packs: "of a test".to_owned(),
    };
    decide(&mut gateway.connect().await, exchange, decision, &act).await
}

async fn task(gateway: &TestGateway, exchange: ExchangeId) -> serde_json::Value {
    let (token, _) = signalbox::config::token::new_token(&signalbox::chance::Chance::seeded(WARY));
    let request = gateway.client.get(format!("{}/Task/{exchange}", gateway.base)).bearer_auth(token.expose());
    serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
}

/// Ids of the Tasks with this status that the source finds.
async fn found(gateway: &TestGateway, status: &str) -> Vec<String> {
    let (token, _) = signalbox::config::token::new_token(&signalbox::chance::Chance::seeded(WARY));
    let request = gateway.client.get(format!("{}/Task?status={status}", gateway.base)).bearer_auth(token.expose());
    let bundle: serde_json::Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

fn names(peer: &MllpPeer) -> Vec<String> {
    peer.received().into_iter().map(|message| message.name.split('^').next().unwrap().to_owned()).collect()
}

/// What the register has of an exchange: event, outcome, who, why.
async fn register(
    gateway: &TestGateway,
    exchange: ExchangeId,
) -> Vec<(String, String, Option<String>, Option<String>)> {
    sqlx::query_as(
        "select event, outcome, actor, reason from audit where exchange = $1 and event <> 'attempt' order by seq",
    )
    .bind(exchange.uuid())
    .fetch_all(&mut gateway.connect().await)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_goes_out_in_its_place_when_it_is_released() {
    let peer = MllpPeer::start();
    let gateway = gateway(&peer, "on_error = \"quarantine\"").await;
    let answer = gateway.send_as(WARY, "Patient", invalid(ADA, "First")).await;
    let held = TestGateway::exchange_of(&answer);
    let told = issues(answer).await;
    assert!(told[0].starts_with("warning | business-rule") && told[0].contains("held in quarantine"), "{told:?}");
    assert!(told.iter().any(|issue| issue.starts_with("error") && issue.contains("Patient.gender")), "{told:?}");
    let on_hold = task(&gateway, held).await;
    assert_eq!(found(&gateway, "on-hold").await, [held.to_string()]);
    assert_eq!(found(&gateway, "in-progress").await, Vec::<String>::new());
    assert_eq!((&on_hold["status"], &on_hold["businessStatus"]["text"]), (&"on-hold".into(), &"1 quarantined".into()));
    assert!(on_hold["output"][0]["valueCodeableConcept"]["text"].as_str().unwrap().contains(BY_POLICY), "{on_hold}");

    let behind = send(&gateway, ADA, "Second").await;
    let other = send(&gateway, BEN, "Other").await;
    gateway.until_it_is(other, DeliveryState::Delivered).await;
    assert_eq!(gateway.delivery(behind).await.state, DeliveryState::Waiting);
    assert_eq!(names(&peer), ["Other"], "nobody else is held up");
    let story = signalbox::cli::tell(&gateway.story(behind).await, Clock::system().now());
    assert!(story.contains("waiting behind 1 earlier one(s)") && story.contains("quarantined"), "{story}");
    let story = signalbox::cli::tell(&gateway.story(held).await, Clock::system().now());
    for part in
        ["create of Patient, quarantined", "held for an operator", BY_POLICY, "later messages of the same patient wait"]
    {
        assert!(story.contains(part), "{part}\n{story}");
    }

    let delivery = gateway.delivery(held).await.id;
    for refused in [gateway.retry(delivery, "go").await, gateway.skip(delivery, "go").await] {
        assert!(refused.unwrap_err().to_string().contains("release or refuse"), "one delivery alone is not decided on");
    }
    assert!(matches!(say(&gateway, held, Decision::Release, " ").await, Err(ActError::NoReason)));
    let give_up = async |exchange: ExchangeId| -> chrono::DateTime<chrono::Utc> {
        let found = sqlx::query_scalar("select give_up_at from deliveries where exchange = $1").bind(exchange.uuid());
        found.fetch_one(&mut gateway.connect().await).await.unwrap()
    };
    let before = give_up(behind).await;
    assert_eq!(say(&gateway, held, Decision::Release, "the ward knows the code").await.unwrap(), 1);
    assert!(give_up(behind).await > before, "what waited behind it gets its time anew");
    gateway.until_it_is(behind, DeliveryState::Delivered).await;
    assert_eq!(names(&peer), ["Other", "First", "Second"]);
    assert_eq!(task(&gateway, held).await["status"], "completed");
    assert!(matches!(say(&gateway, held, Decision::Refuse, "too late").await, Err(ActError::NotQuarantined(_))));
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        register(&gateway, held).await,
        [
            ("exchange".to_owned(), "quarantined".to_owned(), None, None),
            ("operator".to_owned(), "release".to_owned(), some("sam"), some("the ward knows the code")),
        ]
    );
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_cancelled_and_the_next_may_pass() {
    let peer = MllpPeer::start();
    let gateway = gateway(&peer, "on_error = \"quarantine\"").await;
    let held = hold(&gateway, ADA, "First").await;
    let behind = send(&gateway, ADA, "Second").await;
    assert_eq!(say(&gateway, held, Decision::Refuse, "the practice sends it again").await.unwrap(), 1);
    gateway.until_it_is(behind, DeliveryState::Delivered).await;
    assert_eq!(names(&peer), ["Second"]);
    let refused = task(&gateway, held).await;
    assert_eq!(refused["status"], "cancelled");
    let text = refused["output"][0]["valueCodeableConcept"]["text"].as_str().unwrap();
    assert!(text.contains("refused in quarantine by an operator") && !text.contains("practice"), "{text}");
    let unknown = ExchangeId::first_at(Clock::system().now());
    assert!(matches!(say(&gateway, unknown, Decision::Refuse, "x").await, Err(ActError::NoExchange(_))));
    let found = register(&gateway, held).await;
    assert_eq!((found[1].1.as_str(), found[1].2.as_deref()), ("refuse", Some("sam")));
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_operators_at_once_one_decides_and_nothing_is_stuck() {
    let peer = MllpPeer::start();
    let gateway = gateway(&peer, "on_error = \"quarantine\"").await;
    for round in 0..12 {
        let both = hold(&gateway, &format!("99902{round:05}"), "Both").await;
        let (release, refuse) = tokio::join!(
            say(&gateway, both, Decision::Release, "one operator"),
            say(&gateway, both, Decision::Refuse, "and another at once"),
        );
        assert!(release.is_ok() != refuse.is_ok(), "one of them decides");
        assert!(matches!(release.and(refuse), Err(ActError::NotQuarantined(_))), "and the other is told");
    }
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_held_over_a_restart_and_sent_twice_is_held_once() {
    let peer = MllpPeer::start();
    let mut gateway = gateway(&peer, "on_error = \"quarantine\"").await;
    let (token, _) = signalbox::config::token::new_token(&signalbox::chance::Chance::seeded(WARY));
    let send_again = |gateway: &TestGateway| {
        let request = gateway.client.post(format!("{}/Patient", gateway.base)).bearer_auth(token.expose());
        let request = request.header("x-request-id", "3f1c9d2e-5a44-4c6b-9a1e-0c2f6a7b8c9d");
        request.header("content-type", "application/fhir+json").body(invalid(ADA, "First")).send()
    };
    let held = TestGateway::exchange_of(&send_again(&gateway).await.unwrap());
    let behind = send(&gateway, ADA, "Second").await;
    gateway.stop().await;
    // The start sweeps: what stands first is made ready, and this is not.
    gateway.resume().await;
    assert_eq!(gateway.delivery(held).await.state, DeliveryState::Quarantined);
    assert_eq!(gateway.delivery(behind).await.state, DeliveryState::Waiting);
    let again = send_again(&gateway).await.unwrap();
    assert_eq!(TestGateway::exchange_of(&again), held, "the same exchange");
    assert!(issues(again).await[0].contains("held in quarantine"), "and its answer of now");
    say(&gateway, held, Decision::Release, "seen").await.unwrap();
    gateway.until_it_is(behind, DeliveryState::Delivered).await;
    assert_eq!(names(&peer), ["First", "Second"]);
    let again = send_again(&gateway).await.unwrap();
    assert!(!issues(again).await[0].contains("quarantine"), "released is not held");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_may_be_held_and_what_goes_nowhere_is_only_flagged() {
    let peer = MllpPeer::start();
    let nowhere = "[[routes]]\nname = \"nowhere\"\ntypes = [\"Encounter\"]\nto = []\n";
    let only = peer.settings("").replace("name = \"everything\"", "name = \"patients\"\ntypes = [\"Patient\"]");
    let wary = source("wary", WARY, "on_warning = \"quarantine\"\non_error = \"quarantine\"");
    let gateway = TestGateway::with(&format!("{wary}{nowhere}{only}")).await;
    let unknown = patient(ADA, "Claims").replacen(
        "{\"resourceType\"",
        "{\"meta\":{\"profile\":[\"https://guides.example.org/nobody-has-it\"]},\"resourceType\"",
        1,
    );
    let held = TestGateway::exchange_of(&gateway.send_as(WARY, "Patient", unknown).await);
    let delivery = gateway.delivery(held).await;
    assert_eq!(delivery.state, DeliveryState::Quarantined);
    assert!(delivery.note.unwrap().contains("warning"), "the reason says what was found");
    let answer = gateway.send_as(WARY, "Encounter", "{\"resourceType\":\"Encounter\",\"status\":\"no\"}").await;
    let told = issues(answer).await;
    assert!(told[0].contains("no destination") && told[0].contains("not valid"), "{told:?}");
    say(&gateway, held, Decision::Refuse, "seen").await.unwrap();
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hl7_is_held_by_the_same_policy_where_it_is_checked() {
    let peer = MllpPeer::start();
    let wrong = |id: &str, family: &str| adt("A31", id, ADA, family).replace("19650102", "19651301");
    for (policy, content, state) in [
        ("quarantine", "check", DeliveryState::Quarantined),
        ("accept-and-flag", "check", DeliveryState::Delivered),
        ("quarantine", "pass", DeliveryState::Delivered),
    ] {
        let door =
            DOOR.replace("[mllp.adt]\n", &format!("on_error = \"{policy}\"\n[mllp.adt]\ncontent = \"{content}\"\n"));
        let gateway = TestGateway::with(&format!("{door}{}", peer.settings(""))).await;
        let mut sender = MllpSender::connect(gateway.mllp["adt"]).await;
        let answer = sender.ask(&wrong("C1", policy)).await;
        assert_eq!(ack_of(&answer), "AA C1", "{policy}, {content}: it is stored");
        let exchange = answer.lines().next().unwrap().split('|').nth(9).unwrap().parse().unwrap();
        let delivery = gateway.until_it_is(exchange, state).await;
        if state == DeliveryState::Quarantined {
            assert_eq!(delivery.note.as_deref(), Some(BY_POLICY));
            assert_eq!(ack_of(&sender.ask(&adt("A31", "C2", ADA, "Behind")).await), "AA C2");
            say(&gateway, exchange, Decision::Release, "the year is right").await.unwrap();
        }
        let flagged = gateway.story(exchange).await.exchange.issues.0.iter().any(signalbox::outcome::Issue::is_error);
        assert_eq!(flagged, content == "check", "{policy}, {content}");
        gateway.finish().await;
    }
    assert_eq!(names(&peer), ["quarantine", "Behind", "accept-and-flag", "quarantine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_decide_at_the_command_line_and_at_the_page() {
    let peer = MllpPeer::start();
    let gateway = gateway(&peer, "on_error = \"quarantine\"").await;
    let folder = folder_on(&gateway.database);
    let config = folder.path().to_str().unwrap();
    let quarantine = |arguments: &[&str]| run(&[&["quarantine"], arguments, &["--config", config]].concat());
    assert_eq!(quarantine(&["list"]).out, "Nothing is in quarantine.\n");
    let [first, second, third] =
        [hold(&gateway, ADA, "First").await, hold(&gateway, ADA, "Second").await, hold(&gateway, BEN, "Third").await];

    let said = quarantine(&["list"]);
    let lines: Vec<&str> = said.out.lines().filter(|line| !line.starts_with(' ')).collect();
    assert!(
        lines[0].starts_with(&first.to_string()) && lines[0].ends_with("wary create Patient to pas; 1 waits behind it")
    );
    assert!(lines[1].starts_with(&second.to_string()) && lines.len() == 3, "{}", said.out);
    assert!(said.out.contains("    error code-invalid: ") && !said.out.contains(ADA), "{}", said.out);
    assert!(quarantine(&["list", "--limit", "1"]).out.ends_with("and 2 more; --limit says how many are told\n"));
    for (arguments, code, why) in [
        (&["release", &first.to_string()][..], 2, "--reason"),
        (&["release", "nonsense", "--reason", "x"], 2, "20 characters"),
        (&["refuse", "00000000000000000000", "--reason", "x"], 1, "there is no exchange"),
        (&["refuse", &first.to_string(), "--reason", " "], 1, "a reason is needed"),
    ] {
        let said = quarantine(arguments);
        assert_eq!(said.code, code, "{arguments:?}: {}", said.errors);
        assert!(said.errors.contains(why), "{arguments:?}: {}", said.errors);
    }
    for filter in [["--outcome", "quarantined"], ["--state", "quarantined"]] {
        let found = run(&[&["exchanges", "--config", config], &filter[..]].concat());
        assert_eq!(found.out.lines().count(), 3, "{filter:?}: {}{}", found.out, found.errors);
    }
    let metrics =
        gateway.client.get(gateway.base.replace("/fhir", "/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("signalbox_messages_total{source=\"wary\",outcome=\"quarantined\"} 3"), "{metrics}");
    assert!(metrics.contains("signalbox_deliveries{destination=\"pas\",state=\"quarantined\"} 3"), "{metrics}");
    assert!(
        metrics.contains("signalbox_oldest_delivery_seconds{destination=\"pas\"} 0"),
        "what waits for a person: {metrics}"
    );

    let refuse = |exchange: ExchangeId| format!("/quarantine/{exchange}/refuse");
    for role in ["viewer", "auditor"] {
        let person = Person::signed_in(&gateway, role).await;
        let answer = person.post(&refuse(third), &[("reason", "because")]).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{role}");
        let page = person.read("/quarantine").await;
        assert!(
            page.contains(&third.to_string()) && !page.contains("<form method=\"post\" action=\"/quarantine"),
            "{page}"
        );
    }
    let person = Person::signed_in(&gateway, "operator").await;
    let page = person.read("/quarantine").await;
    assert!(page.contains("3 messages are held") && page.contains("1 later delivery waits behind it"), "{page}");
    assert!(page.contains("Patient.gender") && !page.contains(ADA) && !page.contains("First"), "{page}");
    assert!(person.read("/").await.contains("3 in quarantine for somebody to release or refuse"));
    let silent = person.post(&refuse(third), &[("reason", " ")]).await;
    assert_eq!(silent.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let strange = person.post(&format!("/quarantine/{third}/explode"), &[("reason", "x")]).await;
    assert_eq!(strange.status(), StatusCode::NOT_FOUND);
    let answer = person.post(&refuse(third), &[("reason", "a test"), ("next", "/quarantine")]).await;
    assert_eq!(answer.headers()["location"], "/quarantine?notice=refused");
    let again = person.post(&refuse(third), &[("reason", "a test"), ("next", "/quarantine")]).await;
    assert_eq!(again.headers()["location"], "/quarantine?notice=unchanged");

    let said = quarantine(&["release", &first.to_string(), "--reason", "checked by phone", "--operator", "sam"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, &*format!("Exchange {first} is released: it goes out (1 delivery).\n"))
    );
    let twice = quarantine(&["release", &first.to_string(), "--reason", "x"]);
    assert!(twice.code == 1 && twice.errors.contains("is not in quarantine"), "{}", twice.errors);
    gateway.until_it_is(first, DeliveryState::Delivered).await;
    assert_eq!(gateway.delivery(second).await.state, DeliveryState::Quarantined, "the next is held for itself");
    let story = person.read(&format!("/exchanges/{second}")).await;
    assert!(story.contains(&format!("action=\"/quarantine/{second}/release\"")), "{story}");
    person.post(&format!("/quarantine/{second}/release"), &[("reason", "seen")]).await;
    gateway.until_it_is(second, DeliveryState::Delivered).await;
    assert_eq!(names(&peer), ["First", "Second"]);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_not_hidden_by_what_is_held() {
    let mut peer = MllpPeer::down();
    let gateway = gateway(&peer, "on_error = \"quarantine\"").await;
    let operator = Person::signed_in(&gateway, "operator").await;
    let held = hold(&gateway, ADA, "Held").await;
    let page = operator.read("/").await;
    assert!(page.contains("1 destination needs somebody") && page.contains("To decide"), "{page}");
    assert!(!page.contains("Stuck"), "nothing is wrong with the destination: {page}");

    let tried = gateway.accept(BEN, "Tried").await;
    gateway.until(tried, |delivery| delivery.attempts >= 2).await;
    let page = operator.read("/").await;
    assert!(page.contains("Trying again: cannot connect to"), "{page}");
    assert!(page.contains("connection refused; and 1 in quarantine for somebody to release or refuse"), "{page}");
    peer.open();
    say(&gateway, held, Decision::Refuse, "the practice sends it again").await.unwrap();
    gateway.finish().await;
}
