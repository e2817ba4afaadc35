//! A sender that needs to know waits for the destination that replies, gets its answer, or is told where to ask; and
//! looks through what it has sent.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::{ADA, BEN, TestGateway, patient};

/// A FHIR server that gives one answer to everything, after a while.
struct Partner {
    base: String,
    _tasks: JoinSet<()>,
}

impl Partner {
    async fn answering(status: u16, body: &'static str, after: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/fhir", listener.local_addr().unwrap());
        let answer = move || async move {
            tokio::time::sleep(after).await;
            let answer = Response::builder().status(status).header("content-type", "application/fhir+json");
            let answer = answer.header("location", "/fhir/Patient/7/_history/1");
            answer.header("etag", "W/\"1\"").body(Body::from(body)).unwrap()
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
        Self { base, _tasks: tasks }
    }

    fn settings(&self, more: &str) -> String {
        format!(
            "[destinations.partner]\ntype = \"fhir-rest\"\n{more}settings.base_url = \"{}\"\n[[routes]]\nname = \"all\"\n\
             to = [{{ destination = \"partner\", reply = true, send = \"create\", resend = true }}]\n",
            self.base
        )
    }
}

async fn send(gateway: &TestGateway, prefer: &str, body: String) -> reqwest::Response {
    let request = gateway.client.post(format!("{}/Patient", gateway.base)).bearer_auth(&gateway.token);
    let request = request.header("content-type", "application/fhir+json").header("prefer", prefer);
    request.body(body).send().await.unwrap()
}

fn header<'a>(answer: &'a reqwest::Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

const CREATED: &str = "{\"resourceType\":\"Patient\",\"id\":\"7\",\"multipleBirthInteger\":1.50}";

#[tokio::test(flavor = "multi_thread")]
async fn the_partners_answer_is_relayed_once_it_is_settled() {
    let partner = Partner::answering(201, CREATED, Duration::from_millis(50)).await;
    let gateway = TestGateway::with(&partner.settings("")).await;
    let answer = send(&gateway, "wait=20, return=representation", patient(ADA, "A")).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let location = format!("{}/Patient/7/_history/1", partner.base);
    assert_eq!(header(&answer, "location"), location, "relative to the partner, not to us");
    assert_eq!((header(&answer, "etag"), header(&answer, "preference-applied")), ("W/\"1\"", "wait=20"));
    let task = header(&answer, "link").split(['<', '>']).nth(1).unwrap().to_owned();
    assert_eq!(answer.text().await.unwrap(), CREATED, "byte for byte");
    let task = gateway.client.get(task).bearer_auth(&gateway.token).send().await.unwrap();
    let task: Value = serde_json::from_str(&task.text().await.unwrap()).unwrap();
    assert_eq!(task["status"], "completed", "it was committed before the sender was told");

    let answer = send(&gateway, "respond-async, wait=20", patient(ADA, "A")).await;
    assert_eq!((answer.status(), header(&answer, "preference-applied")), (StatusCode::ACCEPTED, "respond-async"));
    let answer = gateway.send(Method::POST, "Patient", patient(ADA, "A")).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED, "nobody waits unless asked to");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_is_slow_or_down_leaves_the_sender_with_a_task() {
    let partner = Partner::answering(201, CREATED, Duration::from_secs(3)).await;
    let gateway = TestGateway::with(&partner.settings("")).await;
    let answer = send(&gateway, "wait=1", patient(ADA, "A")).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert!(header(&answer, "content-location").contains("/Task/"), "{answer:?}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_relayed_where_it_settles_the_message_and_kept_for_an_operator_where_it_does_not() {
    let outcome = "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\",\"code\":\"invalid\"}]}";
    let partner = Partner::answering(422, outcome, Duration::ZERO).await;
    let gateway = TestGateway::with(&partner.settings("on_reject = \"skip\"\n")).await;
    let answer = send(&gateway, "wait=20", patient(ADA, "A")).await;
    assert_eq!((answer.status(), answer.text().await.unwrap().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, outcome));
    gateway.finish().await;

    let all_the_same = Partner::answering(200, outcome, Duration::ZERO).await;
    let gateway = TestGateway::with(&all_the_same.settings("on_reject = \"skip\"\n")).await;
    let answer = send(&gateway, "wait=20", patient(ADA, "A")).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "a refusal is not told as a success");
    gateway.finish().await;

    let gateway = TestGateway::with(&partner.settings("")).await;
    let answer = send(&gateway, "wait=1", patient(ADA, "A")).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED, "an operator may still send it: it is not over");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_says_what_it_wants_to_be_answered_with() {
    let gateway = TestGateway::start().await;
    let body = patient(ADA, "A");
    let minimal = send(&gateway, "return=minimal", body.clone()).await;
    assert_eq!((minimal.status(), header(&minimal, "preference-applied")), (StatusCode::ACCEPTED, "return=minimal"));
    assert!(header(&minimal, "content-location").contains("/Task/"));
    assert_eq!(minimal.text().await.unwrap(), "");
    let whole = send(&gateway, "return=representation", body.clone()).await;
    assert_eq!(whole.text().await.unwrap(), body);
    let long = send(&gateway, "wait=700", body.clone()).await;
    assert_eq!(header(&long, "preference-applied"), "wait=30", "as long as a request may take");
    let batch = "{\"resourceType\":\"Bundle\",\"type\":\"batch\"}";
    for (prefer, applied) in
        [("return=representation, respond-async, wait=5", ""), ("return=minimal", "return=minimal")]
    {
        let request = gateway.client.post(&gateway.base).bearer_auth(&gateway.token).header("prefer", prefer);
        let answer = request.header("content-type", "application/fhir+json").body(batch).send().await.unwrap();
        assert_eq!((answer.status(), header(&answer, "preference-applied")), (StatusCode::OK, applied));
    }
    let outcome = send(&gateway, "return=OperationOutcome", body.clone()).await;
    assert!(outcome.text().await.unwrap().contains("OperationOutcome"));

    let pretty = gateway.send(Method::POST, "Patient?_pretty=true", body).await;
    let text = pretty.text().await.unwrap();
    assert!(text.starts_with("{\n  \"resourceType\": \"OperationOutcome\""), "{text}");
    gateway.finish().await;
}

async fn search(gateway: &TestGateway, query: &str) -> (StatusCode, Value) {
    let request = gateway.client.get(format!("{}/Task{query}", gateway.base)).bearer_auth(&gateway.token);
    let answer = request.send().await.unwrap();
    (answer.status(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

fn ids(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_looks_through_its_own_exchanges_page_by_page() {
    let gateway = TestGateway::start().await;
    let mut sent = Vec::new();
    for number in 0..5 {
        let body = patient(if number % 2 == 0 { ADA } else { BEN }, "A");
        let request = gateway.client.post(format!("{}/Patient", gateway.base)).bearer_auth(&gateway.token);
        let request = request.header("x-correlation-id", format!("ward-{number}"));
        let answer = request.header("content-type", "application/fhir+json").body(body).send().await.unwrap();
        sent.insert(0, TestGateway::exchange_of(&answer).to_string());
        // Ids made within one millisecond have no order.
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let (status, first) = search(&gateway, "?_count=2&status=completed,failed").await;
    assert_eq!((status, ids(&first)), (StatusCode::OK, sent[..2].to_vec()));
    let next = |bundle: &Value| {
        let mut links = bundle["link"].as_array()?.iter();
        let next = links.find(|link| link["relation"] == "next")?["url"].as_str()?;
        Some(next.split_once("/Task")?.1.to_owned())
    };
    let (_, second) = search(&gateway, &next(&first).unwrap()).await;
    let (_, third) = search(&gateway, &next(&second).unwrap()).await;
    assert_eq!((ids(&second), ids(&third)), (sent[2..4].to_vec(), sent[4..].to_vec()));
    assert_eq!(next(&third), None);

    let (_, one) = search(&gateway, "?identifier=ward-3").await;
    assert_eq!(ids(&one), sent[1..2]);
    assert_eq!(ids(&search(&gateway, &format!("?_id={}", sent[4])).await.1), sent[4..]);
    assert_eq!(ids(&search(&gateway, "?status=in-progress").await.1), Vec::<String>::new());
    assert_eq!(ids(&search(&gateway, "?authored-on=lt2020").await.1), Vec::<String>::new());
    assert_eq!(ids(&search(&gateway, "?authored-on=ge2020&authored-on=lt2999").await.1), sent);

    let others = gateway.client.get(format!("{}/Task", gateway.base)).bearer_auth(&gateway.other_token);
    let others: Value = serde_json::from_str(&others.send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(ids(&others), Vec::<String>::new(), "another source sees none of them");
    for wrong in ["?patient=9990000018", "?status=open", "?_count=0", "?authored-on=soon", "?_id=1"] {
        let (status, outcome) = search(&gateway, wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
        assert!(!outcome.to_string().contains("9990000018"));
    }
    gateway.finish().await;
}
