//! A partner that is down for a while, or for too long: deliveries are tried again, become dead letters that hold their
//! patient and nobody else, and wait for an operator, who is named in the register with a reason (P2, P4).

use signalbox::delivery::operator::ActError;
use signalbox::exchange::ExchangeId;
use signalbox::exchange::ids::Id;
use signalbox::exchange::state::DeliveryState;

use crate::support::people::Person;
use crate::support::{ADA, Answer, BEN, MllpPeer, TestGateway};

const GIVE_UP_SOON: &str = "retry = { first = \"50ms\", max = \"200ms\", give_up_after = \"1s\" }";

fn names(peer: &MllpPeer) -> Vec<String> {
    peer.received().into_iter().map(|message| message.name.split('^').next().unwrap().to_owned()).collect()
}

/// What operators did to an exchange, as the register has it: what, who, why, and the state they found.
async fn acts(gateway: &TestGateway, exchange: ExchangeId) -> Vec<[String; 4]> {
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(
        "select outcome, actor, reason, code from audit where exchange = $1 and event = 'operator' order by seq",
    )
    .bind(exchange.uuid())
    .fetch_all(&mut gateway.connect().await)
    .await
    .unwrap();
    rows.into_iter().map(|(what, who, why, found)| [what, who, why, found]).collect()
}

fn act(what: &str, why: &str, found: &str) -> [String; 4] {
    [what, "sam", why, found].map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_sent_goes_out_when_the_partner_is_back() {
    let mut peer = MllpPeer::down();
    let gateway = TestGateway::with(&peer.settings("")).await;
    let exchange = gateway.accept(ADA, "Example").await;
    let trying = gateway.until(exchange, |delivery| delivery.attempts >= 3).await;
    assert!(!trying.state.is_ended());
    assert_eq!(gateway.task(exchange).await["status"], "in-progress");
    peer.open();
    gateway.settle().await;

    assert_eq!(peer.control_ids(ADA), [trying.id.to_string()]);
    let mut attempts = gateway.attempts(exchange).await;
    assert_eq!(attempts.pop(), Some(("acknowledged", "MSA-1 AA".to_owned())));
    assert!(attempts.len() >= 3);
    for (outcome, note) in attempts {
        assert_eq!(outcome, "transient");
        assert!(note.contains("cannot connect"), "{note}");
    }
    assert_eq!(gateway.task(exchange).await["status"], "completed");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_of_one_outage_are_one_group_with_its_reason() {
    let peer = MllpPeer::down();
    let gateway = TestGateway::with(&peer.settings(GIVE_UP_SOON)).await;
    let operator = Person::signed_in(&gateway, "operator").await;
    for number in [ADA, BEN] {
        gateway.accept(number, "Example").await;
    }
    gateway.settle().await;
    let page = operator.read("/dead-letters").await;
    assert!(page.contains("2 in 1 group") && page.contains("2 × pas"), "{page}");
    assert!(page.contains("cannot connect to") && page.contains("connection refused"), "{page}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_went_back_puts_nothing_off() {
    let mut peer = MllpPeer::down();
    let mut gateway = TestGateway::with(&peer.settings("")).await;
    let exchange = gateway.accept(ADA, "Example").await;
    gateway.until(exchange, |delivery| delivery.attempts > 0 && delivery.state == DeliveryState::Ready).await;
    gateway.stop().await;
    // As it stands when the clock was two hours ahead at its last try.
    let later = "update deliveries set due = due + interval '2 hours'";
    sqlx::raw_sql(later).execute(&mut gateway.connect().await).await.unwrap();
    peer.open();
    gateway.resume().await;
    gateway.settle().await;
    assert_eq!(gateway.delivery(exchange).await.state, DeliveryState::Delivered);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_holds_its_patient_and_nobody_else_until_it_is_retried() {
    let peer = MllpPeer::start();
    peer.always(ADA, Answer::Error(207));
    let gateway = TestGateway::with(&peer.settings(GIVE_UP_SOON)).await;
    let first = gateway.accept(ADA, "First").await;
    let second = gateway.accept(ADA, "Second").await;
    let other = gateway.accept(BEN, "Other").await;
    gateway.settle().await;

    let dead = gateway.delivery(first).await;
    assert_eq!(dead.state, DeliveryState::Dead);
    assert_eq!(gateway.delivery(second).await.state, DeliveryState::Waiting);
    assert_eq!(gateway.delivery(other).await.state, DeliveryState::Delivered);
    for (exchange, status) in [(first, "failed"), (second, "in-progress"), (other, "completed")] {
        assert_eq!(gateway.task(exchange).await["status"], status);
    }
    let (_, _, before) = gateway.story(second).await.deliveries.remove(0);
    let before = before.expect("it says what it waits behind");
    assert_eq!((before.id, before.state, before.others), (dead.id.uuid(), DeliveryState::Dead, 1));

    peer.always(ADA, Answer::Accept);
    let attempts = gateway.attempts(first).await.len();
    gateway.retry(dead.id, "the partner was repaired").await.unwrap();
    gateway.settle().await;
    for exchange in [first, second] {
        assert_eq!(gateway.delivery(exchange).await.state, DeliveryState::Delivered);
    }
    let sent = names(&peer);
    let of_ada: Vec<_> = sent.iter().filter(|name| *name != "Other").collect();
    assert_eq!(of_ada[of_ada.len() - 2..], ["First", "Second"]);
    assert_eq!(of_ada.len(), attempts + 2);
    assert!(peer.control_ids(ADA)[..=attempts].iter().all(|id| *id == dead.id.to_string()));
    assert_eq!(acts(&gateway, first).await, [act("retry", "the partner was repaired", "was dead")]);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn skipping_it_lets_the_next_pass_and_it_is_never_sent() {
    let peer = MllpPeer::start();
    peer.will([Answer::Reject(101)]);
    let gateway = TestGateway::with(&peer.settings("")).await;
    let first = gateway.accept(ADA, "First").await;
    let refused = gateway.until_it_is(first, DeliveryState::Refused).await;
    let second = gateway.accept(ADA, "Second").await;
    gateway.settle().await;
    assert_eq!(gateway.delivery(second).await.state, DeliveryState::Waiting);

    gateway.skip(refused.id, "entered by hand").await.unwrap();
    gateway.settle().await;
    assert_eq!(gateway.delivery(first).await.state, DeliveryState::Skipped);
    assert_eq!(gateway.task(first).await["status"], "failed");
    assert_eq!(gateway.delivery(second).await.state, DeliveryState::Delivered);
    assert_eq!(names(&peer), ["First", "Second"]);
    assert_eq!(acts(&gateway, first).await, [act("skip", "entered by hand", "was refused")]);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_behind_it_gets_its_time_anew() {
    let peer = MllpPeer::start();
    peer.will([Answer::Reject(101)]);
    let gateway = TestGateway::with(&peer.settings(GIVE_UP_SOON)).await;
    let first = gateway.accept(ADA, "First").await;
    let refused = gateway.until_it_is(first, DeliveryState::Refused).await;
    let second = gateway.accept(ADA, "Second").await;
    peer.always(ADA, Answer::Error(207));
    // Longer than it may be tried after it was accepted.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    gateway.skip(refused.id, "entered by hand").await.unwrap();
    gateway.until(second, |delivery| delivery.attempts >= 3).await;
    assert!(!gateway.delivery(second).await.state.is_ended(), "a first failure is not its last");
    peer.always(ADA, Answer::Accept);
    gateway.settle().await;
    assert_eq!(gateway.delivery(second).await.state, DeliveryState::Delivered);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_waits_can_be_skipped_too() {
    let peer = MllpPeer::start();
    peer.will([Answer::Reject(101)]);
    let gateway = TestGateway::with(&peer.settings("")).await;
    let first = gateway.accept(ADA, "First").await;
    let refused = gateway.until_it_is(first, DeliveryState::Refused).await;
    let second = gateway.accept(ADA, "Second").await;
    let third = gateway.accept(ADA, "Third").await;
    gateway.skip(gateway.delivery(second).await.id, "sent twice").await.unwrap();
    gateway.settle().await;
    assert_eq!(gateway.delivery(third).await.state, DeliveryState::Waiting);
    gateway.retry(refused.id, "the partner knows the patient now").await.unwrap();
    gateway.settle().await;
    assert_eq!(names(&peer), ["First", "First", "Third"]);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_may_let_later_messages_pass() {
    let peer = MllpPeer::start();
    peer.will([Answer::Reject(101)]);
    let gateway = TestGateway::with(&peer.settings("on_reject = \"skip\"")).await;
    let first = gateway.accept(ADA, "First").await;
    let second = gateway.accept(ADA, "Second").await;
    gateway.settle().await;
    assert_eq!(gateway.delivery(first).await.state, DeliveryState::Refused);
    assert_eq!(gateway.delivery(second).await.state, DeliveryState::Delivered);
    assert_eq!(acts(&gateway, first).await, Vec::<[String; 4]>::new());
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_needs_a_reason_and_a_delivery_that_can_take_it() {
    let peer = MllpPeer::start();
    peer.always(ADA, Answer::AfterRelease);
    let gateway = TestGateway::with(&peer.settings("concurrency = 2")).await;
    let done = gateway.accept(BEN, "Done").await;
    gateway.settle().await;
    let under_way = gateway.accept(ADA, "First").await;
    let waiting = gateway.accept(ADA, "Second").await;
    gateway.until_it_is(under_way, DeliveryState::Leased).await;

    let done = gateway.delivery(done).await.id;
    let under_way = gateway.delivery(under_way).await.id;
    let waiting = gateway.delivery(waiting).await.id;
    for reason in ["", "  \t"] {
        assert!(matches!(gateway.skip(waiting, reason).await, Err(ActError::NoReason)));
        assert!(matches!(gateway.retry(waiting, reason).await, Err(ActError::NoReason)));
    }
    let unknown: Id = "01KE0000000000000000".parse().unwrap();
    assert!(matches!(gateway.skip(unknown, "why").await, Err(ActError::NotFound(id)) if id == unknown));
    assert!(matches!(gateway.retry(unknown, "why").await, Err(ActError::NotFound(id)) if id == unknown));
    let impossible = [
        gateway.retry(done, "why").await,
        gateway.skip(done, "why").await,
        gateway.retry(under_way, "why").await,
        gateway.skip(under_way, "why").await,
        gateway.retry(waiting, "why").await,
    ];
    for result in impossible {
        assert!(matches!(result, Err(ActError::NotPossible { .. })), "{result:?}");
    }
    gateway.skip(waiting, "why").await.unwrap();
    assert!(matches!(gateway.retry(waiting, "why").await, Err(ActError::NotPossible { .. })));
    assert!(matches!(gateway.skip(waiting, "why").await, Err(ActError::NotPossible { .. })));
    let written: i64 = sqlx::query_scalar("select count(*) from audit where event = 'operator'")
        .fetch_one(&mut gateway.connect().await)
        .await
        .unwrap();
    assert_eq!(written, 1, "only what was done is in the register");

    peer.release();
    gateway.settle().await;
    assert_eq!(names(&peer), ["Done", "First"]);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_may_hold_its_whole_stream() {
    let peer = MllpPeer::start();
    peer.always(ADA, Answer::Reject(101));
    let gateway = TestGateway::with(&peer.settings("on_reject = \"hold-stream\"\nconcurrency = 4")).await;
    let first = gateway.accept(ADA, "First").await;
    let other = gateway.accept(BEN, "Other").await;
    let third = gateway.accept(BEN, "Third").await;
    gateway.settle().await;
    assert_eq!(gateway.delivery(first).await.state, DeliveryState::Refused);
    for waiting in [other, third] {
        assert_eq!(gateway.delivery(waiting).await.state, DeliveryState::Waiting, "another patient waits too");
    }
    gateway.skip(gateway.delivery(first).await.id, "sent by hand").await.unwrap();
    gateway.settle().await;
    assert_eq!(names(&peer), ["First", "Other", "Third"], "in one order");
    gateway.finish().await;
}
