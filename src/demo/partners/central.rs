//! A fake central FHIR server: keeps resources in memory, honours conditional creates and updates, recognises a request
//! that comes again by its X-Request-ID. With moods it is sometimes busy (429 with Retry-After, 503).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::Ledger;
use crate::chance::Chance;

/// A central server.
pub struct Central {
    moody: bool,
    ledger: Ledger,
    chance: Chance,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// By `Type/id`, with the version.
    resources: HashMap<String, (u64, Value)>,
    /// What was answered to a request id.
    answered: HashMap<String, (StatusCode, String)>,
    next: u64,
}

/// The router of a server that keeps nothing yet.
pub fn router(moody: bool, ledger: Ledger, chance: Chance) -> Router {
    let central = Arc::new(Central { moody, ledger, chance, kept: Mutex::default() });
    Router::new()
        .route("/fhir/metadata", get(|| async { json!({"resourceType": "CapabilityStatement"}).to_string() }))
        .route("/fhir/{type}", post(create).put(update_identified))
        .route("/fhir/{type}/{id}", get(read).put(update))
        .with_state(central)
}

type Shared = State<Arc<Central>>;

async fn create(State(central): Shared, Path(kind): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let condition = headers.get("if-none-exist").and_then(|value| value.to_str().ok()).and_then(identifier);
    central.take(&kind, None, condition, &headers, &body, false)
}

async fn update_identified(
    State(central): Shared,
    Path(kind): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match query.as_deref().and_then(identifier) {
        Some(condition) => central.take(&kind, None, Some(condition), &headers, &body, true),
        None => refused(StatusCode::BAD_REQUEST, "required"),
    }
}

async fn update(
    State(central): Shared,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    central.take(&kind, Some(id), None, &headers, &body, true)
}

async fn read(State(central): Shared, Path((kind, id)): Path<(String, String)>) -> Response {
    let kept = central.kept.lock().unwrap_or_else(PoisonError::into_inner);
    match kept.resources.get(&format!("{kind}/{id}")) {
        Some((version, resource)) => answer(StatusCode::OK, &format!("{kind}/{id}"), *version, resource.to_string()),
        None => refused(StatusCode::NOT_FOUND, "not-found"),
    }
}

impl Central {
    fn take(
        &self,
        kind: &str,
        id: Option<String>,
        condition: Option<(String, String)>,
        headers: &HeaderMap,
        body: &[u8],
        update: bool,
    ) -> Response {
        match self.chance.bits() % 100 {
            0..4 if self.moody => return busy(StatusCode::TOO_MANY_REQUESTS, Some("1")),
            4..7 if self.moody => return busy(StatusCode::SERVICE_UNAVAILABLE, None),
            _ => {}
        }
        let Ok(resource) = serde_json::from_slice::<Value>(body) else {
            return refused(StatusCode::BAD_REQUEST, "structure");
        };
        if resource["resourceType"] != kind {
            return refused(StatusCode::BAD_REQUEST, "invalid");
        }
        let request = headers.get("x-request-id").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let again = kept.answered.get(&request).cloned();
        let noted = self.ledger.note(&json!({
            "id": request, "type": kind, "update": update, "again": again.is_some(),
            "patient": condition.as_ref().map(|(_, value)| value), "name": resource["name"][0]["given"],
        }));
        if noted.is_err() {
            return busy(StatusCode::SERVICE_UNAVAILABLE, None);
        }
        if let Some((status, place)) = again {
            return answer(status, &place, 1, String::new());
        }
        let found = condition.and_then(|(system, value)| kept.find(kind, &system, &value));
        let (status, place) = kept.put(kind, id.or(found), resource, update);
        kept.answered.insert(request, (status, place.clone()));
        let version = kept.resources.get(&place).map_or(1, |(version, _)| *version);
        answer(status, &place, version, String::new())
    }
}

impl Kept {
    fn find(&self, kind: &str, system: &str, value: &str) -> Option<String> {
        let has = |resource: &Value| {
            let listed = resource["identifier"].as_array();
            listed.is_some_and(|list| list.iter().any(|one| one["system"] == system && one["value"] == value))
        };
        let prefix = format!("{kind}/");
        let mut of_kind =
            self.resources.iter().filter_map(|(place, (_, resource))| Some((place.strip_prefix(&prefix)?, resource)));
        of_kind.find(|(_, resource)| has(resource)).map(|(id, _)| id.to_owned())
    }

    /// A create that finds one leaves it as it is; an update replaces it.
    fn put(&mut self, kind: &str, id: Option<String>, mut resource: Value, update: bool) -> (StatusCode, String) {
        let id = id.unwrap_or_else(|| {
            self.next += 1;
            format!("c{}", self.next)
        });
        let place = format!("{kind}/{id}");
        let version = self.resources.get(&place).map_or(0, |(version, _)| *version);
        if version > 0 && !update {
            return (StatusCode::OK, place);
        }
        resource["id"] = json!(id);
        self.resources.insert(place.clone(), (version + 1, resource));
        (if version == 0 { StatusCode::CREATED } else { StatusCode::OK }, place)
    }
}

/// `identifier=SYSTEM|VALUE` of a query.
fn identifier(query: &str) -> Option<(String, String)> {
    let (_, token) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "identifier")?;
    let (system, value) = token.split_once('|')?;
    Some((system.to_owned(), value.to_owned()))
}

fn answer(status: StatusCode, place: &str, version: u64, body: String) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, "application/fhir+json")], body).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("/fhir/{place}/_history/{version}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    if let Ok(tag) = HeaderValue::try_from(format!("W/\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn refused(status: StatusCode, code: &str) -> Response {
    let outcome = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]});
    (status, [(header::CONTENT_TYPE, "application/fhir+json")], outcome.to_string()).into_response()
}

fn busy(status: StatusCode, retry_after: Option<&'static str>) -> Response {
    let mut response = refused(status, "throttled");
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    response
}
