//! What a FHIR server really gets from the fhir-rest adapter, and what each of its answers means; and what a folder holds
//! after a crash and a repeat.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Response};
use serde_json::{Value, json};
use signalbox::delivery::destination::{Acknowledgement, Delivery, DeliveryError};
use signalbox::exchange::{Conditions, Interaction};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::adapters::{delivery, destination, kind};
use crate::support::{ADA, patient};

const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";
const TIMEOUT: Duration = Duration::from_secs(20);

/// One request as it arrived.
#[derive(Clone)]
struct Received {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Received {
    fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }
}

/// A FHIR server that gives one answer to everything.
struct Central {
    base: String,
    received: Arc<Mutex<Vec<Received>>>,
    _tasks: JoinSet<()>,
}

impl Central {
    async fn answering(status: u16, headers: &'static [(&'static str, &'static str)], text: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/fhir", listener.local_addr().unwrap());
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let desk = Arc::clone(&received);
        let answer = move |request: Request| {
            let desk = Arc::clone(&desk);
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
                let path = parts.uri.path_and_query().unwrap().to_string();
                desk.lock().unwrap().push(Received { method: parts.method, path, headers: parts.headers, body });
                let answer = headers
                    .iter()
                    .fold(Response::builder().status(status), |answer, (name, value)| answer.header(*name, *value));
                answer.body(axum::body::Body::from(text)).unwrap()
            }
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
        Self { base, received, _tasks: tasks }
    }

    async fn deliver(&self, mut delivery: Delivery, options: Value) -> Result<Acknowledgement, DeliveryError> {
        let settings =
            format!("base_url = \"{}/\"\ntoken = \"t0ken\"\nheaders = {{ x-app = \"signalbox\" }}", self.base);
        let destination = destination(kind("fhir-rest"), &settings, &options, TIMEOUT);
        delivery.options = options;
        destination.deliver(&delivery).await
    }

    fn only_request(&self) -> Received {
        let received = self.received.lock().unwrap();
        assert_eq!(received.len(), 1);
        received[0].clone()
    }
}

fn encoded() -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("identifier", &format!("{NHS_NUMBER}|{ADA}")).finish()
}

#[tokio::test]
async fn a_create_says_by_what_it_is_recognised() {
    let central = Central::answering(201, &[], "").await;
    let sent = delivery(&patient(ADA, "Lovelace"));
    let taken = central.deliver(sent.clone(), json!({ "send": "create", "identifier": NHS_NUMBER })).await.unwrap();
    assert_eq!(taken.code, "201");
    let request = central.only_request();
    assert_eq!((request.method.clone(), &*request.path), (Method::POST, "/fhir/Patient"));
    assert_eq!(request.header("if-none-exist"), Some(&*encoded()));
    assert_eq!(request.header("content-type"), Some("application/fhir+json"));
    assert_eq!(request.header("authorization"), Some("Bearer t0ken"));
    assert_eq!(request.header("x-app"), Some("signalbox"));
    assert_eq!(request.header("x-correlation-id"), Some("c-1"));
    assert_eq!(request.header("x-request-id"), Some(&*sent.id.uuid().to_string()), "the same on every attempt");
    assert_eq!(request.body, sent.body, "byte for byte");
}

#[tokio::test]
async fn an_update_by_identifier_leaves_our_id_out() {
    let central = Central::answering(200, &[], "").await;
    let body = patient(ADA, "Lovelace").replacen('{', r#"{"id":"p1","#, 1);
    let mut sent = delivery(&body);
    sent.conditions = Conditions { if_none_exist: None, if_match: Some("W/\"7\"".to_owned()) };
    central.deliver(sent, json!({ "send": "update", "identifier": NHS_NUMBER })).await.unwrap();
    let request = central.only_request();
    assert_eq!((request.method.clone(), &*request.path), (Method::PUT, &*format!("/fhir/Patient?{}", encoded())));
    assert_eq!(request.header("if-match"), Some("W/\"7\""));
    assert!(!String::from_utf8_lossy(&request.body).contains("\"id\""));
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap()["name"][0]["family"], "Lovelace");
}

#[tokio::test]
async fn an_update_by_id_keeps_it() {
    let central = Central::answering(200, &[], "").await;
    let sent = delivery(r#"{"resourceType":"Patient","id":"p1"}"#);
    central.deliver(sent.clone(), json!({ "send": "update", "by": "id" })).await.unwrap();
    let request = central.only_request();
    assert_eq!((request.method.clone(), &*request.path, request.body), (Method::PUT, "/fhir/Patient/p1", sent.body));
}

#[tokio::test]
async fn a_transaction_goes_to_the_base() {
    let central = Central::answering(200, &[], "").await;
    let mut sent = delivery(r#"{"resourceType":"Bundle","type":"transaction"}"#);
    (sent.resource_type, sent.interaction) = ("Bundle".to_owned(), Interaction::Transaction);
    central.deliver(sent.clone(), json!({ "send": "transaction", "resend": true })).await.unwrap();
    let request = central.only_request();
    assert_eq!((request.method.clone(), &*request.path, request.body), (Method::POST, "/fhir", sent.body));
}

#[tokio::test]
async fn a_resource_without_the_identifier_is_refused_and_not_sent() {
    let central = Central::answering(201, &[], "").await;
    let without = delivery(r#"{"resourceType":"Patient"}"#);
    let refused = central.deliver(without, json!({ "send": "create", "identifier": NHS_NUMBER })).await.unwrap_err();
    assert!(matches!(&refused, DeliveryError::Refused { reason } if reason.contains(NHS_NUMBER)), "{refused}");
    assert!(central.received.lock().unwrap().is_empty());
}

#[tokio::test]
async fn every_status_has_one_meaning() {
    let options = || json!({ "send": "create", "identifier": NHS_NUMBER });
    let minute = Some(Duration::from_mins(1));
    for status in [200, 201, 202, 204] {
        let central = Central::answering(status, &[], "").await;
        assert_eq!(central.deliver(delivery(&patient(ADA, "L")), options()).await.unwrap().code, status.to_string());
    }
    for status in [400, 405, 412, 413, 415, 422] {
        let central = Central::answering(status, &[("location", "/elsewhere")], "").await;
        let refused = central.deliver(delivery(&patient(ADA, "L")), options()).await.unwrap_err();
        assert!(
            matches!(&refused, DeliveryError::Refused { reason } if reason.contains(&status.to_string())),
            "{refused:?}"
        );
    }
    // What somebody mends, or passes, and no fault of the record.
    for (status, word) in [
        (300, "base_url"),
        (302, "base_url"),
        (304, "base_url"),
        (307, "base_url"),
        (404, "base_url"),
        (409, ""),
        (410, "base_url"),
        (423, ""),
    ] {
        let central = Central::answering(status, &[("location", "/elsewhere")], "").await;
        let failed = central.deliver(delivery(&patient(ADA, "L")), options()).await.unwrap_err();
        assert!(
            matches!(&failed, DeliveryError::Transient { reason, .. }
                if reason.contains(&status.to_string()) && reason.contains(word)),
            "{failed:?}"
        );
        assert_eq!(central.only_request().path, "/fhir/Patient", "no redirect is followed");
    }
    for (status, wait) in
        [(401, None), (403, None), (408, minute), (429, minute), (500, minute), (502, minute), (503, minute)]
    {
        let central = Central::answering(status, &[("retry-after", "60")], "").await;
        let failed = central.deliver(delivery(&patient(ADA, "L")), options()).await.unwrap_err();
        assert!(
            matches!(failed, DeliveryError::Transient { retry_after, .. } if retry_after == wait),
            "{status}: {failed:?}"
        );
    }
}

#[tokio::test]
async fn of_an_outcome_only_codes_and_places_are_kept() {
    let outcome = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid",
        "diagnostics":"9990000018 is Lovelace","expression":["Patient.name"]}]}"#;
    let central = Central::answering(422, &[], outcome).await;
    let refused =
        central.deliver(delivery(&patient(ADA, "Lovelace")), json!({ "send": "create", "resend": true })).await;
    let told = refused.unwrap_err().to_string();
    assert_eq!(told, "answered 422: error invalid at Patient.name");
}

#[tokio::test]
async fn a_page_that_a_proxy_sends_for_the_server_is_no_acknowledgement() {
    let options = || json!({ "send": "create", "identifier": NHS_NUMBER });
    let page = "<html>Down for maintenance</html>";
    let central = Central::answering(200, &[("content-type", "text/html; charset=utf-8")], page).await;
    let failed = central.deliver(delivery(&patient(ADA, "Lovelace")), options()).await.unwrap_err();
    let told = "answered 200 with text/html: a page of a proxy or a login?";
    assert!(matches!(&failed, DeliveryError::Transient { reason, .. } if reason == told), "{failed:?}");

    let outcome = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing"}]}"#;
    let central = Central::answering(200, &[("content-type", "application/fhir+json")], outcome).await;
    let refused = central.deliver(delivery(&patient(ADA, "Lovelace")), options()).await.unwrap_err();
    let told = "answered 200: error processing";
    assert!(matches!(&refused, DeliveryError::Refused { reason } if reason == told), "{refused:?}");
}

#[tokio::test]
async fn a_connection_cut_after_the_request_leaves_the_outcome_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = format!("base_url = \"http://{}/fhir\"", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
    });
    let options = json!({ "send": "create", "resend": true });
    let mut sent = delivery(&patient(ADA, "Lovelace"));
    sent.options = options.clone();
    let cut = destination(kind("fhir-rest"), &settings, &options, TIMEOUT).deliver(&sent).await.unwrap_err();
    assert!(matches!(cut, DeliveryError::Unknown { .. }), "{cut:?}");
}

#[tokio::test]
async fn a_file_is_whole_and_written_once_whatever_a_crash_left() {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("folder = '{}'\nname = \"{{delivery}}.json\"", folder.path().display());
    let destination = destination(kind("file"), &settings, &json!({}), TIMEOUT);
    let sent = delivery(&patient(ADA, "Lovelace"));
    let path = folder.path().join(format!("{}.json", sent.id));
    std::fs::write(folder.path().join(format!("{}.json.tmp", sent.id)), "half of an earl").unwrap();

    assert_eq!(destination.deliver(&sent).await.unwrap().note, "written and flushed");
    assert_eq!(std::fs::read(&path).unwrap(), sent.body);
    let modified = || std::fs::metadata(&path).unwrap().modified().unwrap();
    let first = modified();
    assert_eq!(destination.deliver(&sent).await.unwrap().note, "found written by an earlier attempt");
    assert_eq!(modified(), first);
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [path.file_name().unwrap()], "nothing half-written is left");

    std::fs::write(&path, "another's").unwrap();
    assert!(matches!(destination.deliver(&sent).await, Err(DeliveryError::Refused { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"another's", "it is not written over");
}

#[tokio::test]
async fn nothing_is_written_into_the_mount_point_of_a_share_that_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("folder = '{}'\nname = \"{{delivery}}.json\"\nmarker = \".here\"", folder.path().display());
    let destination = destination(kind("file"), &settings, &json!({}), TIMEOUT);
    let sent = delivery(&patient(ADA, "Lovelace"));
    let told = "settings.marker is not in settings.folder: the share may not be mounted";
    for failed in [destination.deliver(&sent).await.unwrap_err(), destination.check().await.unwrap_err()] {
        assert!(matches!(&failed, DeliveryError::Transient { reason, .. } if reason == told), "{failed:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    std::fs::write(folder.path().join(".here"), "").unwrap();
    assert_eq!(destination.deliver(&sent).await.unwrap().note, "written and flushed");
    assert!(destination.check().await.is_ok());
    assert_eq!(std::fs::read(folder.path().join(format!("{}.json", sent.id))).unwrap(), sent.body);
}
