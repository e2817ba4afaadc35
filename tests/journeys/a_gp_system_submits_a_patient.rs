//! A GP system submits patients: what it is answered, how a repeat is recognised, and where it asks what became of
//! its message. Promises P1 and P3 as a sender sees them ([RESTful API](https://hl7.org/fhir/R4/http.html)).

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::support::TestGateway;

const PATIENT: &str = r#"{
  "resourceType": "Patient",
  "identifier": [{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018" }],
  "name": [{ "family": "EXAMPLE", "given": ["Ada"] }],
  "gender": "female",
  "birthDate": "1980-02-29"
}"#;
const REQUEST_ID: &str = "5f1a3c5e-3f0d-4b6e-9a51-9d8e6e0c7a10";

fn ask(gateway: &TestGateway, method: Method, path: &str) -> RequestBuilder {
    gateway.client.request(method, format!("{}{path}", gateway.base)).bearer_auth(&gateway.token)
}

async fn submit(gateway: &TestGateway, headers: &[(&str, &str)], body: &'static str) -> Response {
    let request = ask(gateway, Method::POST, "/Patient").header("content-type", "application/fhir+json").body(body);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

fn header(answer: &Response, name: &str) -> String {
    answer.headers().get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap().to_owned()
}

async fn json(answer: Response) -> Value {
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_stored_patient_is_answered_with_its_task() {
    let gateway = TestGateway::start().await;
    let ids =
        [("x-request-id", REQUEST_ID), ("x-correlation-id", "ward 7"), ("nhsd-end-user-organisation-ods", "A81001")];
    let answer = submit(&gateway, &ids, PATIENT).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    for (name, value) in ids {
        assert_eq!(header(&answer, name), value);
    }
    assert_eq!(header(&answer, "content-type"), "application/fhir+json; charset=utf-8");
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert!(!answer.headers().contains_key("location") && !answer.headers().contains_key("server"));
    let task = header(&answer, "content-location");
    let exchange =
        task.strip_prefix(&format!("{}/Task/", gateway.base)).expect("the Task is under the base").to_owned();
    let outcome = json(answer).await;
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    assert_eq!(outcome["issue"][0]["severity"], "information");
    assert!(outcome["issue"][0]["diagnostics"].as_str().unwrap().contains(&exchange));
    assert!(!outcome.to_string().contains("EXAMPLE") && !outcome.to_string().contains("9990000018"));
}

#[tokio::test]
async fn the_task_has_one_output_per_destination() {
    let gateway = TestGateway::start().await;
    let stored = submit(&gateway, &[("x-correlation-id", "ward-7")], PATIENT).await;
    let location = header(&stored, "content-location");
    let text = json(stored).await["issue"][0]["diagnostics"].as_str().unwrap().to_owned();
    let answer = gateway.client.get(&location).bearer_auth(&gateway.token).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let tag = header(&answer, "etag");
    assert!(answer.headers().contains_key("last-modified"));
    let task = json(answer).await;
    assert_eq!(task["resourceType"], "Task");
    assert!(location.ends_with(task["id"].as_str().unwrap()));
    assert_eq!(tag, format!("W/\"{}\"", task["meta"]["versionId"].as_str().unwrap()));
    assert_eq!((&task["intent"], &task["identifier"][1]["value"]), (&"order".into(), &"ward-7".into()));
    assert!(["in-progress", "completed"].contains(&task["status"].as_str().unwrap()));
    for output in task["output"].as_array().into_iter().flatten() {
        let destination = output["type"]["text"].as_str().unwrap();
        assert!(text.contains(destination), "{destination} is not in: {text}");
        assert!(output["valueCodeableConcept"]["coding"][0]["code"].is_string());
    }
}

#[tokio::test]
async fn a_repeat_is_answered_with_the_first_task() {
    let gateway = TestGateway::start().await;
    let first = submit(&gateway, &[("x-request-id", REQUEST_ID)], PATIENT).await;
    let again = submit(&gateway, &[("x-request-id", &REQUEST_ID.to_uppercase())], PATIENT).await;
    assert_eq!(again.status(), StatusCode::ACCEPTED);
    assert_eq!(header(&first, "content-location"), header(&again, "content-location"));
    assert_eq!(json(first).await, json(again).await);
}

#[tokio::test]
async fn the_same_id_with_another_body_is_a_conflict() {
    let gateway = TestGateway::start().await;
    let first = submit(&gateway, &[("x-request-id", REQUEST_ID)], PATIENT).await;
    assert_eq!(first.status(), StatusCode::ACCEPTED);
    let other = submit(&gateway, &[("x-request-id", REQUEST_ID)], r#"{"resourceType":"Patient","active":true}"#).await;
    assert_eq!(other.status(), StatusCode::CONFLICT);
    assert!(!other.headers().contains_key("content-location"));
    assert_eq!(json(other).await["issue"][0]["code"], "duplicate");
}

#[tokio::test]
async fn without_a_request_id_the_same_body_is_a_new_message() {
    let gateway = TestGateway::start().await;
    let first = submit(&gateway, &[], PATIENT).await;
    let second = submit(&gateway, &[], PATIENT).await;
    assert_eq!((first.status(), second.status()), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
    assert_ne!(header(&first, "content-location"), header(&second, "content-location"));
    assert_ne!(header(&first, "x-correlation-id"), header(&second, "x-correlation-id"));
}

#[tokio::test]
async fn another_source_cannot_read_the_task_nor_tell_that_it_exists() {
    let gateway = TestGateway::start().await;
    let location = header(&submit(&gateway, &[], PATIENT).await, "content-location");
    let theirs = gateway.client.get(&location).bearer_auth(&gateway.other_token).send().await.unwrap();
    assert_eq!(theirs.status(), StatusCode::NOT_FOUND);
    let theirs = json(theirs).await;
    for id in ["00000000000000000000", "not-an-id"] {
        let none = ask(&gateway, Method::GET, &format!("/Task/{id}")).send().await.unwrap();
        assert_eq!(none.status(), StatusCode::NOT_FOUND);
        assert_eq!(json(none).await, theirs);
    }
}

#[tokio::test]
async fn the_same_request_id_from_another_source_is_another_message() {
    let gateway = TestGateway::start().await;
    let ours = submit(&gateway, &[("x-request-id", REQUEST_ID)], PATIENT).await;
    let theirs = gateway
        .client
        .post(format!("{}/Patient", gateway.base))
        .bearer_auth(&gateway.other_token)
        .header("content-type", "application/fhir+json")
        .header("x-request-id", REQUEST_ID)
        .body(PATIENT)
        .send()
        .await
        .unwrap();
    assert_eq!(theirs.status(), StatusCode::ACCEPTED);
    assert_ne!(header(&ours, "content-location"), header(&theirs, "content-location"));
}

#[tokio::test]
async fn an_update_is_stored_under_the_id_of_its_address() {
    let gateway = TestGateway::start().await;
    let put = |path: &'static str| {
        let body = r#"{"resourceType":"Patient","id":"ward-7.1","active":true}"#;
        ask(&gateway, Method::PUT, path).header("content-type", "application/json").body(body).send()
    };
    assert_eq!(put("/Patient/ward-7.1").await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(put("/Patient/another").await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_resource_can_be_validated_without_being_stored() {
    let gateway = TestGateway::start().await;
    for path in ["/$validate", "/Patient/$validate"] {
        let request = ask(&gateway, Method::POST, path).header("content-type", "application/fhir+json");
        let answer = request.body(PATIENT).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert!(!answer.headers().contains_key("content-location"));
        assert_eq!(json(answer).await["resourceType"], "OperationOutcome");
    }
}

#[tokio::test]
async fn the_capability_statement_says_what_is_served() {
    let gateway = TestGateway::start().await;
    let answer = ask(&gateway, Method::GET, "/metadata?mode=full&_format=json").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let statement = json(answer).await;
    assert_eq!((&statement["resourceType"], &statement["kind"]), (&"CapabilityStatement".into(), &"instance".into()));
    assert_eq!(statement["implementation"]["url"], gateway.base.as_str());
    let served = statement["rest"][0]["resource"].as_array().unwrap();
    let task = served.iter().find(|entry| entry["type"] == "Task").expect("Task is served");
    assert!(task["interaction"].as_array().unwrap().contains(&serde_json::json!({ "code": "read" })));

    // By our own measure.
    let body = serde_json::to_vec(&statement).unwrap();
    let checked = json(gateway.send(Method::POST, "CapabilityStatement/$validate", body).await).await;
    let issues = checked["issue"].as_array().unwrap();
    assert!(issues.iter().all(|issue| issue["severity"] == "information"), "{checked}");
}
