//! A small FHIR terminology server: it knows a few codes and two value sets, writes down what it is asked, and does what a
//! test wants of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Code systems that it has.
pub(crate) const SNOMED: &str = "http://snomed.info/sct";
/// The value set that Conditions must have their code from.
pub(crate) const PROBLEMS: &str = "https://guides.example.org/ValueSet/problems";
/// The value set that they should have their severity from.
pub(crate) const SEVERITIES: &str = "https://guides.example.org/ValueSet/severities";

/// The codes it has, each with its displays; those of a value set begin alike.
const CODES: [(&str, &[&str]); 4] = [
    ("1001", &["Example disorder", "Disorder of the examples"]),
    ("1002", &["Second disorder"]),
    ("2001", &["Example severity"]),
    ("3001", &["Example site"]),
];

/// What it does when it is asked.
#[derive(Clone, Copy)]
pub(crate) enum Mood {
    /// It answers.
    Well,
    /// It answers after this time.
    Slow(Duration),
    /// It answers everything with this.
    Says(u16, &'static str),
}

/// One question as it arrived.
#[derive(Clone)]
pub(crate) struct Asked {
    /// Below the base.
    pub path: String,
    pub headers: HeaderMap,
    pub text: String,
}

pub(crate) struct TerminologyServer {
    pub base: String,
    desk: Arc<Desk>,
    _tasks: JoinSet<()>,
}

struct Desk {
    mood: Mutex<Mood>,
    asked: Mutex<Vec<Asked>>,
}

impl TerminologyServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/fhir", listener.local_addr().unwrap());
        let desk = Arc::new(Desk { mood: Mutex::new(Mood::Well), asked: Mutex::default() });
        let at_desk = Arc::clone(&desk);
        let answer = move |request: Request| {
            let desk = Arc::clone(&at_desk);
            async move { desk.answer(request).await }
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
        Self { base, desk, _tasks: tasks }
    }

    /// `[terminology]` with its URL, and what else a test says.
    pub(crate) fn settings(&self, more: &str) -> String {
        format!("[terminology]\nurl = \"{}\"\n{more}\n", self.base)
    }

    pub(crate) fn is(&self, mood: Mood) {
        *self.desk.mood.lock().unwrap() = mood;
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.desk.asked.lock().unwrap().clone()
    }

    /// The same as operation and code, sorted: they may come at once.
    pub(crate) fn operations(&self) -> Vec<String> {
        let told = |asked: Asked| {
            let parameters: Value = serde_json::from_str(&asked.text).unwrap();
            format!("{} {}", asked.path, text(&parameters, "code"))
        };
        let mut operations: Vec<String> = self.asked().into_iter().map(told).collect();
        operations.sort();
        operations
    }
}

impl Desk {
    async fn answer(&self, request: Request) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let path = parts.uri.path().trim_start_matches("/fhir/").to_owned();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let parameters: Value = serde_json::from_str(&text).unwrap();
        self.asked.lock().unwrap().push(Asked { path: path.clone(), headers: parts.headers, text });
        let mood = *self.mood.lock().unwrap();
        let (status, body) = match mood {
            Mood::Says(status, body) => (status, body.to_owned()),
            Mood::Slow(wait) => {
                tokio::time::sleep(wait).await;
                operation(&path, &parameters)
            }
            Mood::Well => operation(&path, &parameters),
        };
        let answer = Response::builder().status(status).header("content-type", "application/fhir+json");
        answer.body(Body::from(body)).unwrap()
    }
}

fn text<'p>(parameters: &'p Value, name: &str) -> &'p str {
    let all = parameters["parameter"].as_array().unwrap();
    let found = all.iter().find(|parameter| parameter["name"] == name);
    let value = found.and_then(|found| found.as_object()?.iter().find(|(key, _)| key.starts_with("value")));
    value.and_then(|(_, value)| value.as_str()).unwrap_or_default()
}

fn operation(path: &str, parameters: &Value) -> (u16, String) {
    let code = text(parameters, "code");
    let displays = CODES.iter().find(|(known, _)| *known == code).map(|(_, displays)| *displays);
    let display = |text: &str| json!({ "name": "display", "valueString": text });
    let result = |is: bool| json!({ "name": "result", "valueBoolean": is });
    let (url, system) = (text(parameters, "url"), text(parameters, "system"));
    let (has_it, beginning) = match (path, url) {
        ("ValueSet/$validate-code", PROBLEMS) => (system == SNOMED, "1"),
        ("ValueSet/$validate-code", SEVERITIES) => (system == SNOMED, "2"),
        ("CodeSystem/$validate-code", SNOMED) => (true, ""),
        ("CodeSystem/$lookup", "") => (system == SNOMED, ""),
        _ => (false, ""),
    };
    let found = displays.filter(|_| code.starts_with(beginning));
    let answer = match (has_it, path, found) {
        (false, ..) | (_, "CodeSystem/$lookup", None) => {
            let issue = json!({ "severity": "error", "code": "not-found", "diagnostics": "not here" });
            return (404, json!({ "resourceType": "OperationOutcome", "issue": [issue] }).to_string());
        }
        (_, "CodeSystem/$lookup", Some([preferred, others @ ..])) => {
            let of = |text: &&str| json!({ "name": "designation", "part": [{ "name": "value", "valueString": text }] });
            [vec![display(preferred)], others.iter().map(of).collect()].concat()
        }
        (_, _, Some(displays)) => vec![result(true), display(displays[0])],
        (_, _, None) => vec![result(false), json!({ "name": "message", "valueString": "no such code" })],
    };
    (200, json!({ "resourceType": "Parameters", "parameter": answer }).to_string())
}
