//! A sender that repeats itself, at once from many threads or after the configuration has changed, makes one exchange
//! and one delivery, and always gets the first exchange's answer; the same id with another body is a conflict (P3).

use std::collections::BTreeSet;

use reqwest::{Method, Response};
use signalbox::exchange::state::DeliveryState;
use tokio::task::JoinSet;

use crate::support::gateway::NOWHERE;
use crate::support::{ADA, MllpPeer, TestGateway, patient};

const REQUEST_ID: &str = "5f1a3c5e-3f0d-4b6e-9a51-9d8e6e0c7a10";

/// Sends all of these at once with one request id, and gives back status, Task and body of each answer.
async fn send_at_once(gateway: &TestGateway, bodies: Vec<String>) -> Vec<(u16, Option<String>, String)> {
    let mut sending = JoinSet::new();
    for body in bodies {
        let request = gateway.client.post(format!("{}/Patient", gateway.base)).bearer_auth(&gateway.token);
        let request = request.header("content-type", "application/fhir+json").header("x-request-id", REQUEST_ID);
        sending.spawn(async move {
            let answer = request.body(body).send().await.unwrap();
            let task = task_of(&answer);
            (answer.status().as_u16(), task, String::from_utf8(answer.bytes().await.unwrap().to_vec()).unwrap())
        });
    }
    sending.join_all().await
}

fn task_of(answer: &Response) -> Option<String> {
    answer.headers().get("content-location").map(|task| task.to_str().unwrap().to_owned())
}

async fn count(gateway: &TestGateway, what: &'static str) -> i64 {
    sqlx::query_scalar(what).fetch_one(&mut gateway.connect().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_one_exchange_and_one_delivery() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&peer.settings("")).await;
    let answers = send_at_once(&gateway, vec![patient(ADA, "Example"); 32]).await;
    let different: BTreeSet<_> = answers.iter().collect();
    assert_eq!(different.len(), 1, "all get the same answer: {different:?}");
    assert_eq!(answers[0].0, 202);
    assert!(answers[0].1.is_some());

    gateway.settle().await;
    assert_eq!(peer.received().len(), 1);
    assert_eq!(count(&gateway, "select count(*) from exchanges").await, 1);
    assert_eq!(count(&gateway, "select count(*) from deliveries").await, 1);
    let repeats = "select count(*) from audit where event = 'exchange' and outcome = 'repeated'";
    assert_eq!(count(&gateway, repeats).await, 31);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_bodies_under_one_id_exactly_one_wins() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&peer.settings("")).await;
    let bodies = (0..32).map(|number| patient(ADA, ["Example", "Other"][number % 2]));
    let answers = send_at_once(&gateway, bodies.collect()).await;
    let (accepted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(status, ..)| *status == 202);
    assert_eq!((accepted.len(), refused.len()), (16, 16));
    assert!(refused.iter().all(|(status, task, _)| *status == 409 && task.is_none()));
    assert_eq!(accepted.iter().map(|(_, task, _)| task).collect::<BTreeSet<_>>().len(), 1);

    gateway.settle().await;
    assert_eq!(peer.received().len(), 1);
    assert_eq!(count(&gateway, "select count(*) from deliveries").await, 1);
    assert_eq!(count(&gateway, "select count(*) from exchanges where outcome = 'refused'").await, 16);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_stays_accepted_when_the_routes_change() {
    let peer = MllpPeer::start();
    let mut gateway = TestGateway::with(&peer.settings("")).await;
    let first = send_at_once(&gateway, vec![patient(ADA, "Example")]).await.remove(0);
    gateway.settle().await;
    gateway.stop().await;

    let other = peer.settings("").replace("[[routes]]", "[[routes]]\ntypes = [\"Observation\"]");
    gateway.resume_with(&other).await;
    let again = send_at_once(&gateway, vec![patient(ADA, "Example")]).await.remove(0);
    assert_eq!((again.0, &again.2), (202, &first.2));
    let id = |task: &Option<String>| task.as_ref().unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(id(&again.1), id(&first.1));
    let new = gateway.send(Method::POST, "Patient", patient(ADA, "Example")).await;
    assert_eq!(new.status(), 422);
    assert_eq!(gateway.delivery(id(&first.1).parse().unwrap()).await.state, DeliveryState::Delivered);
    assert_eq!(peer.received().len(), 1);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_may_be_sent_again_under_its_id() {
    let mut gateway = TestGateway::with("[[routes]]\nname = \"none\"\ntypes = [\"Observation\"]\nto = []").await;
    let refused = send_at_once(&gateway, vec![patient(ADA, "Example")]).await.remove(0);
    assert_eq!(refused.0, 422);
    gateway.stop().await;
    gateway.resume_with(NOWHERE).await;
    let accepted = send_at_once(&gateway, vec![patient(ADA, "Corrected")]).await.remove(0);
    assert_eq!(accepted.0, 202);
    gateway.finish().await;
}
