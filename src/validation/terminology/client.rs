//! The way to the server and back.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use signalbox_validator::CodeAnswer;

use super::request::Request;
use crate::config::{Fault, partner, terminology as settings};

/// Longest answer that is read.
const MOST: usize = 256 * 1024;

const FHIR_JSON: &str = "application/fhir+json";

pub(super) struct Client {
    base: String,
    headers: HeaderMap,
    timeout: Duration,
    http: reqwest::Client,
}

/// Why there is no answer. Nothing of what the server said is in it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: &'static str,
    pub(super) slow: bool,
}

impl Failure {
    fn of(reason: &'static str) -> Self {
        Self { reason, slow: false }
    }
}

impl Client {
    pub(super) fn of(settings: &settings::Terminology, http: reqwest::Client) -> Result<Self, Vec<Fault>> {
        let base = partner::base_url(&settings.url);
        let base = base.map_err(|expected| vec![("url".to_owned(), format!("expected {expected}"))])?;
        let further = settings.headers.iter().map(|(name, value)| (name.as_str(), value.expose()));
        let headers = partner::headers(settings.token.expose(), further)?;
        Ok(Self { base, headers, timeout: settings.timeout.0, http })
    }

    pub(super) async fn ask(&self, request: &Request) -> Result<CodeAnswer, Failure> {
        let asked = self.http.post(format!("{}/{}", self.base, request.path())).headers(self.headers.clone());
        let asked = asked.header(ACCEPT, FHIR_JSON).header(CONTENT_TYPE, FHIR_JSON).body(request.body());
        let answer = asked.timeout(self.timeout).send().await.map_err(|error| unanswered(&error))?;
        let status = answer.status().as_u16();
        match status {
            401 | 403 => return Err(Failure::of("it does not accept our credentials (terminology.token)")),
            408 | 425 | 429 => return Err(Failure::of("it asks to come later")),
            500..=599 => return Err(Failure::of("it has failed (a status of 500 or more)")),
            _ => {}
        }
        let body = read(answer).await?;
        let resource: Value = serde_json::from_slice(&body).map_err(|_| Failure::of("its answer is no JSON"))?;
        let understood = match status {
            200..=299 => request.answer(&resource),
            // It does not have the system or the value set, or cannot use it.
            400..=499 => (resource["resourceType"] == "OperationOutcome").then_some(CodeAnswer::CannotSay),
            _ => None,
        };
        understood.ok_or(Failure::of("its answer is none to what was asked: is terminology.url a FHIR base URL?"))
    }
}

async fn read(mut answer: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unanswered(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST {
            return Err(Failure::of("its answer is too long"));
        }
    }
    Ok(body)
}

/// Judged by kind: errors of the client may quote the URL.
fn unanswered(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure { reason: "it does not answer in time (terminology.timeout)", slow: true };
    }
    Failure::of(if error.is_connect() { "it cannot be connected to" } else { "the connection broke" })
}
