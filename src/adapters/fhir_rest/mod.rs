//! The FHIR REST adapter: delivers to another FHIR server by the interaction the route names
//! ([create](https://hl7.org/fhir/R4/http.html#create), [update](https://hl7.org/fhir/R4/http.html#update), conditional
//! or by id).

mod answer;
mod options;
mod request;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Adapter, Outside};
use crate::clock::Clock;
use crate::config::{Fault, Secret, partner};
use crate::delivery::destination::{Acknowledgement, Delivery, DeliveryError, Destination};
use crate::exchange::{Conditions, Interaction};
use options::Send;

/// Settings of a FHIR server.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FhirRest {
    /// Base URL, such as `https://central.example.nhs.uk/FHIR/R4`.
    pub base_url: String,
    /// Bearer token; a `secret:` reference.
    #[serde(default)]
    pub token: Secret,
    /// Further headers of every request; one that holds a credential is a `secret:` reference.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
}

impl Adapter for FhirRest {
    const TYPE: &'static str = "fhir-rest";
    const SENDS_JSON: bool = true;
    const EXAMPLE: &'static str = "base_url = \"http://127.0.0.1:9090/fhir\"";

    type Options = options::Options;

    fn check_options(options: &serde_json::Value) -> Result<(), String> {
        Send::read(options).map(|_| ())
    }

    fn destination(self, outside: &Outside) -> Result<Arc<dyn Destination>, Vec<Fault>> {
        let base = partner::base_url(&self.base_url);
        let base = base.map_err(|expected| vec![("base_url".to_owned(), format!("expected {expected}"))]);
        let further = self.headers.iter().map(|(name, value)| (name.as_str(), value.expose()));
        let headers = partner::headers(self.token.expose(), further);
        let (base, headers) = match (base, headers) {
            (Ok(base), Ok(headers)) => (base, headers),
            (base, headers) => return Err([base.err(), headers.err()].into_iter().flatten().flatten().collect()),
        };
        let (client, clock, timeout) = (outside.http.clone(), outside.clock.clone(), outside.timeout);
        Ok(Arc::new(Server { base, headers, client, clock, timeout }))
    }
}

struct Server {
    base: String,
    headers: HeaderMap,
    client: reqwest::Client,
    clock: Clock,
    timeout: Duration,
}

#[async_trait]
impl Destination for Server {
    async fn deliver(&self, delivery: &Delivery) -> Result<Acknowledgement, DeliveryError> {
        let send = Send::read(&delivery.options).map_err(DeliveryError::refused)?;
        let request = request::build(self, &send, delivery)?;
        match request.timeout(self.timeout).send().await {
            Ok(answer) => answer::judge(answer, self.clock.now(), delivery.reply.as_ref()).await,
            Err(error) => Err(unsent(&error, send.may_repeat_blindly())),
        }
    }

    fn render(&self, delivery: &Delivery) -> Result<Vec<u8>, DeliveryError> {
        let send = Send::read(&delivery.options).map_err(DeliveryError::refused)?;
        request::render(self, &send, delivery)
    }

    fn carries(&self, interaction: Interaction, conditions: &Conditions, options: &serde_json::Value) -> bool {
        Send::read(options).is_ok_and(|send| send.carries(interaction, conditions))
    }

    async fn check(&self) -> Result<(), DeliveryError> {
        let asked = self.client.get(format!("{}/metadata", self.base)).headers(self.headers.clone());
        match asked.timeout(self.timeout).send().await {
            Ok(_) => Ok(()),
            Err(_) => Err(DeliveryError::transient("the server does not answer")),
        }
    }
}

/// What a request without an answer means. Errors of the client may quote the URL, which may hold an identifier: they are
/// judged by kind and never quoted.
fn unsent(error: &reqwest::Error, may_repeat: bool) -> DeliveryError {
    if error.is_builder() {
        return DeliveryError::refused("the request could not be made of the resource");
    }
    if error.is_connect() {
        return DeliveryError::transient("the connection could not be opened");
    }
    let what = if error.is_timeout() { "no answer in time" } else { "the connection broke before the answer" };
    if may_repeat {
        DeliveryError::unknown(what)
    } else {
        DeliveryError::unknown(format!("{what}; a bare create cannot be told from a repeat"))
    }
}
