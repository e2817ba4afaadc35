//! The porter at a router of test interactions: who gets in, what is mirrored, and what the log holds.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use futures_util::FutureExt;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::identity::Identities;
use super::issuers::Issuers;
use super::limits::Limits;
use super::porter::Porter;
use super::tokens::TokenTable;
use super::visit::Visit;
use super::{answer, attended};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::Config;

const PATIENT: &str = "9990000018";

/// What a test sees besides answers.
#[derive(Clone, Default)]
struct Seen {
    refused: Arc<Mutex<Vec<IpAddr>>>,
    visits: Arc<AtomicUsize>,
}

fn porter(seen: &Seen) -> Porter {
    let refused = Arc::clone(&seen.refused);
    let hash = crate::config::token::hash_of("secret");
    let sources = format!("[sources.pas]\nods = \"RX809\"\ntoken_sha256 = [\"{hash}\"]\nlimits.max_body = \"16 B\"\n");
    let config = Config::from_toml(&sources, std::path::Path::new(".")).unwrap();
    let tokens = TokenTable::of(&config.sources).unwrap();
    Porter {
        clock: Clock::set_to("2026-07-01T09:30:00Z".parse().unwrap()),
        chance: Chance::seeded(1),
        identities: Identities::new(tokens, Issuers::none(), &config.sources),
        limits: Limits::of(&config),
        tasks: TaskTracker::new(),
        max_body: 16,
        time: Duration::from_secs(30),
        pause: Duration::from_secs(30),
        count_refusal: Box::new(move |address, _| refused.lock().unwrap().push(address)),
    }
}

async fn explode() -> StatusCode {
    panic!("a panic that quotes {PATIENT}")
}

fn house(seen: &Seen) -> Router {
    let visits = Arc::clone(&seen.visits);
    let read = move |Extension(visit): Extension<Arc<Visit>>| async move {
        visits.fetch_add(1, Ordering::SeqCst);
        match visit.body().await {
            Ok(body) => Response::new(Body::from(body)),
            Err(rejection) => answer::rejected(&rejection),
        }
    };
    let stuck = |Extension(visit): Extension<Arc<Visit>>| async move {
        let never = visit.within(std::future::pending::<Result<(), _>>()).await;
        answer::rejected(&never.unwrap_err())
    };
    let router = Router::new()
        .route("/fhir/{type}", post(read))
        .route("/fhir/{type}/{id}", get(explode).put(stuck))
        .fallback(async || StatusCode::NOT_FOUND);
    attended(router, porter(seen))
}

fn request(method: &str, uri: &str, headers: &[(&str, &str)], body: &'static str) -> Request {
    let mut request = axum::http::Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::from(body)).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4000))));
    request
}

async fn ask(seen: &Seen, request: Request) -> (StatusCode, HeaderMap, String) {
    let (parts, body) = house(seen).oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

const TOKEN: (&str, &str) = ("authorization", "Bearer secret");

#[tokio::test]
async fn without_a_credential_nobody_gets_past_the_porter_anywhere() {
    let seen = Seen::default();
    for (method, uri) in [("POST", "/fhir/Patient"), ("GET", "/fhir/Patient/1"), ("PATCH", "/elsewhere"), ("GET", "/")]
    {
        let (status, headers, body) =
            ask(&seen, request(method, uri, &[("authorization", "Bearer wrong")], "{}")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(headers["www-authenticate"], "Bearer");
        assert!(body.contains("OperationOutcome") && body.contains("\"login\""));
    }
    assert_eq!(seen.visits.load(Ordering::SeqCst), 0);
    assert_eq!(*seen.refused.lock().unwrap(), [IpAddr::from([127, 0, 0, 1]); 4]);
}

#[tokio::test]
async fn ids_are_mirrored_in_every_answer_and_nothing_is_cached() {
    let id = "f8a5be28-7e1d-4d1e-9a4c-0c8f1d2a3b4c";
    let ids = [("x-request-id", id), ("x-correlation-id", "ward 7"), ("nhsd-end-user-organisation-ods", "A81001")];
    for credential in [TOKEN, ("authorization", "Basic no")] {
        let mut headers = ids.to_vec();
        headers.push(credential);
        let (_, answer, _) = ask(&Seen::default(), request("POST", "/fhir/Patient", &headers, "{}")).await;
        for (name, value) in ids {
            assert_eq!(answer[name], value);
        }
        assert_eq!(answer["cache-control"], "no-store");
        assert!(!answer.contains_key("server"));
    }
}

#[tokio::test]
async fn a_request_without_a_correlation_id_is_given_one() {
    let (_, answer, _) = ask(&Seen::default(), request("POST", "/fhir/Patient", &[TOKEN], "{}")).await;
    assert!(uuid::Uuid::parse_str(answer["x-correlation-id"].to_str().unwrap()).is_ok());
}

#[tokio::test]
async fn the_body_reaches_the_interaction_up_to_the_limit() {
    let seen = Seen::default();
    let (status, _, body) = ask(&seen, request("POST", "/fhir/Patient", &[TOKEN], "exactly 16 bytes")).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "exactly 16 bytes"));
    let (status, _, body) = ask(&seen, request("POST", "/fhir/Patient", &[TOKEN], "exactly 17 bytes!")).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(body.contains("too-long"));
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_does_not_answer_is_said_to_be_so() {
    let (status, headers, body) = ask(&Seen::default(), request("PUT", "/fhir/Patient/1", &[TOKEN], "{}")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(headers.contains_key("retry-after") && body.contains("same X-Request-ID"));
}

/// The log of what happens while it is held.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_holds_one_line_per_request_and_nothing_of_the_patient() {
    // While there is one subscriber only, an event that another thread meets first is switched off for all: have two.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .without_time()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let named = [TOKEN, ("x-correlation-id", "ward-7")];
    let requests = [
        ("POST", format!("/fhir/Patient?identifier={PATIENT}"), named.to_vec()),
        ("GET", format!("/fhir/Patient/{PATIENT}"), named.to_vec()),
        (PATIENT, format!("/elsewhere/{PATIENT}"), named.to_vec()),
        ("PUT", format!("/fhir/Patient/{PATIENT}"), vec![("x-correlation-id", "ward-7")]),
    ];
    for (method, uri, headers) in requests {
        ask(&Seen::default(), request(method, &uri, &headers, PATIENT)).await;
    }
    // A sender that hangs up while its request is under way.
    let uri = format!("/fhir/Patient/{PATIENT}");
    let stuck = house(&Seen::default()).oneshot(request("PUT", &uri, &named, PATIENT));
    assert!(stuck.now_or_never().is_none());
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains(PATIENT), "{text}");
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn a_panic_is_an_opaque_answer() {
    let (status, _, body) = ask(&Seen::default(), request("GET", "/fhir/Patient/1", &[TOKEN], "")).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(body.contains("OperationOutcome") && !body.contains(PATIENT));
}
