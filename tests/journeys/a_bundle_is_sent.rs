//! A system sends a Bundle to the base: a batch is taken entry by entry, each with its own answer and Task; a transaction is
//! taken whole or not at all, and goes only where it can go whole.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use signalbox::exchange::state::DeliveryState;

use crate::support::{ADA, BEN, MllpPeer, TestGateway, patient};

const BATCH: &str = r#"{"resourceType":"Bundle","type":"batch","entry":[
{"resource":{"resourceType":"Patient","gender":"female"},"request":{"method":"POST","url":"Patient"}},
{"resource":{"resourceType":"Patient","id":"p1"},"request":{"method":"PUT","url":"Patient/p1"}},
{"request":{"method":"GET","url":"Patient/p1"}},
{"resource":{"resourceType":"Patient",
  "gender":"lady"},"request":{"method":"POST","url":"Patient"}},
{"resource":{"resourceType":"Patient","gender":"lord"},"request":{"method":"POST","url":"Patient"}},
{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Ghost"}},
{"resource":{"resourceType":"Patient"}},
{"resource":{"resourceType":"Patient","id":"p2"},"request":{"method":"PUT","url":"Patient/p3"}},
{"resource":{"resourceType":"Patient"},"request":{"method":"PUT","url":"Patient?identifier=a|b"}},
{"request":{"method":"POST","url":"Patient"}},
{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient","ifMatch":"W/\"1\""}}
]}"#;

async fn send(gateway: &TestGateway, body: String) -> Response {
    gateway.send(Method::POST, "", body).await
}

async fn json(answer: Response) -> Value {
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

fn statuses(response: &Value) -> Vec<&str> {
    response["entry"].as_array().unwrap().iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect()
}

fn tasks(response: &Value) -> Vec<String> {
    let links = response["entry"].as_array().unwrap().iter().filter_map(|entry| entry["link"][0]["url"].as_str());
    links.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_of_a_batch_has_its_own_answer_in_its_place() {
    let gateway = TestGateway::start().await;
    let answer = send(&gateway, BATCH.to_owned()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let response = json(answer).await;
    assert_eq!(response["type"], "batch-response");
    let expected = [
        "202 Accepted",
        "202 Accepted",
        "501 Not Implemented",
        "422 Unprocessable Entity",
        "422 Unprocessable Entity",
        "404 Not Found",
        "400 Bad Request",
        "400 Bad Request",
        "501 Not Implemented",
        "400 Bad Request",
        "400 Bad Request",
    ];
    assert_eq!(statuses(&response), expected, "{response:#}");
    let place = |entry: usize| {
        let extension = &response["entry"][entry]["response"]["outcome"]["issue"][0]["extension"];
        (extension[0]["valueInteger"].as_u64().unwrap(), extension[1]["valueInteger"].as_u64().unwrap())
    };
    let column = |line: usize, text: &str| (BATCH.lines().nth(line - 1).unwrap().find(text).unwrap() + 1) as u64;
    assert_eq!(place(3), (6, column(6, "\"gender\"")), "places count in the body that was sent");
    assert_eq!(place(4), (7, column(7, "\"gender\"")));

    assert_eq!(tasks(&response).len(), 2);
    for task in tasks(&response) {
        let read = gateway.client.get(task).bearer_auth(&gateway.token).send().await.unwrap();
        assert_eq!(json(read).await["status"], "completed");
    }
    let outcomes: Vec<(String, i64)> =
        sqlx::query_as("select outcome::text, count(*) from exchanges group by 1 order by 1")
            .fetch_all(&mut gateway.connect().await)
            .await
            .unwrap();
    assert_eq!(outcomes, [("accepted".to_owned(), 2), ("refused".to_owned(), 9)]);

    let checked = json(gateway.send(Method::POST, "Bundle/$validate", response.to_string()).await).await;
    let issues = checked["issue"].as_array().unwrap();
    assert!(issues.iter().all(|issue| issue["severity"] != "error"), "{checked:#}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_a_batch_that_refer_to_each_other_are_told_to_come_as_a_transaction() {
    let gateway = TestGateway::start().await;
    let [ada, ben] = ["urn:uuid:5f0c8a3e-0000-4000-8000-000000000001", "urn:uuid:5f0c8a3e-0000-4000-8000-000000000002"];
    let observation = |subject: &str| {
        json!({ "resourceType": "Observation", "status": "final", "code": { "text": "weight" },
                "subject": { "reference": subject } })
    };
    let entry = |name: &str, url: &str, resource: Value| json!({ "fullUrl": name, "resource": resource, "request": { "method": "POST", "url": url } });
    let person = |number| serde_json::from_str(&patient(number, "Example")).unwrap();
    let bundle = json!({ "resourceType": "Bundle", "type": "batch", "entry": [
        entry(ada, "/Patient", person(ADA)),
        entry(ben, "Patient", person(BEN)),
        entry("urn:uuid:5f0c8a3e-0000-4000-8000-000000000003", "Observation", observation(ada)),
        entry("urn:uuid:5f0c8a3e-0000-4000-8000-000000000004", "Observation", observation("Patient/7")),
    ] });
    let response = json(send(&gateway, bundle.to_string()).await).await;
    let expected = ["202 Accepted", "202 Accepted", "422 Unprocessable Entity", "202 Accepted"];
    assert_eq!(statuses(&response), expected, "{response:#}");
    let told = response["entry"][2]["response"]["outcome"]["issue"][0]["diagnostics"].as_str().unwrap();
    assert!(told.contains("refers to entry 0") && told.contains("as a transaction") && !told.contains(ada), "{told}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_sent_twice_is_taken_once() {
    let gateway = TestGateway::start().await;
    let again = || async {
        let request = gateway.client.post(&gateway.base).bearer_auth(&gateway.token);
        let request = request.header("x-request-id", "0d1fdc4a-9c7a-4a2f-8b63-6e0b5c0e2a11");
        json(request.header("content-type", "application/fhir+json").body(BATCH).send().await.unwrap()).await
    };
    let (first, second) = (again().await, again().await);
    assert_eq!(tasks(&first), tasks(&second));
    assert_eq!(statuses(&first), statuses(&second));
    let accepted: i64 = sqlx::query_scalar("select count(*) from exchanges where outcome = 'accepted'")
        .fetch_one(&mut gateway.connect().await)
        .await
        .unwrap();
    assert_eq!(accepted, 2);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_without_end_is_refused_whole() {
    let gateway = TestGateway::start().await;
    let entries = vec![json!({ "request": { "method": "GET", "url": "Patient/1" } }); 1_001];
    let bundle = json!({ "resourceType": "Bundle", "type": "batch", "entry": entries });
    let answer = send(&gateway, bundle.to_string()).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(json(answer).await["issue"][0]["code"], "too-long");
    let rows: i64 =
        sqlx::query_scalar("select count(*) from exchanges").fetch_one(&mut gateway.connect().await).await.unwrap();
    assert_eq!(rows, 1);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_neither_batch_nor_transaction_is_explained() {
    let gateway = TestGateway::start().await;
    for (body, told) in [
        ("{", "not the JSON"),
        (r#"{"resourceType":"Patient"}"#, "The URL is for a Bundle"),
        (r#"{"resourceType":"Bundle","type":"collection"}"#, "'batch' or 'transaction'"),
        (r#"{"resourceType":"Bundle"}"#, "'batch' or 'transaction'"),
    ] {
        let answer = send(&gateway, body.to_owned()).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        let outcome = json(answer).await;
        assert!(outcome["issue"][0]["diagnostics"].as_str().unwrap().contains(told), "{outcome}");
    }
    gateway.finish().await;
}

fn transaction() -> String {
    let entry = |number: &str, family: &str| {
        format!(r#"{{"resource":{},"request":{{"method":"POST","url":"Patient"}}}}"#, patient(number, family))
    };
    let entries = [entry(ADA, "Lovelace"), entry(BEN, "Babbage")].join(",");
    format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{entries}]}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_one_exchange_and_arrives_whole() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = TestGateway::with(&format!(
        "[destinations.archive]\ntype = \"file\"\n[destinations.archive.settings]\nfolder = '{}'\n\
         [[routes]]\nname = \"all\"\nto = [\"archive\"]\n",
        folder.path().display()
    ))
    .await;
    let answer = send(&gateway, transaction()).await;
    let exchange = TestGateway::exchange_of(&answer);
    gateway.until_it_is(exchange, DeliveryState::Delivered).await;
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read_to_string(file).unwrap(), transaction());
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_refused_where_it_cannot_go_whole_or_is_not_valid() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&peer.settings("")).await;
    let answer = send(&gateway, transaction()).await;
    assert_eq!(answer.status(), StatusCode::NOT_IMPLEMENTED);
    let outcome = json(answer).await;
    let told = outcome["issue"][0]["diagnostics"].as_str().unwrap();
    assert!(told.contains("'transaction' cannot be carried to the destination 'pas'"), "{told}");

    let answer = send(&gateway, transaction().replacen("female", "lady", 1)).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let outcome = json(answer).await;
    let place = outcome["issue"][0]["expression"][0].as_str().unwrap();
    assert!(place.starts_with("Bundle.entry[0].resource"), "{place}");
    assert!(peer.received().is_empty());
    gateway.finish().await;
}
