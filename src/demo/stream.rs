//! The stream: what the demo's trust systems send, one message after the other, and what they are answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use reqwest::Method;

use super::people::{self, below};
use super::{faults, resources};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::exchange::ExchangeId;

/// One message to send.
pub(super) struct Message {
    method: Method,
    path: String,
    body: String,
    token: String,
    request_id: String,
    faulty: bool,
}

/// The senders, and what they were answered.
pub(super) struct Stream {
    client: reqwest::Client,
    base_url: String,
    /// Token of the practice system, the hospital's admissions and the laboratory.
    tokens: [String; 3],
    clock: Clock,
    chance: Chance,
    seed: u64,
    next: AtomicU64,
    pub(super) tally: Tally,
}

/// Counts of answers, and the ids of what was accepted.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) accepted: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) failed: AtomicU64,
    /// Faulty messages that were accepted and sound ones that were refused: both are wrong.
    pub(super) surprises: AtomicU64,
    pub(super) tasks: Mutex<Vec<ExchangeId>>,
}

/// How many people the demo knows; small enough that the same patient comes again.
const PEOPLE: u64 = 400;

impl Stream {
    pub(super) fn new(base_url: String, tokens: [String; 3], clock: Clock, chance: Chance) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(30)).no_proxy().build()?;
        let seed = chance.bits();
        let (next, tally) = (AtomicU64::new(0), Tally::default());
        Ok(Self { client, base_url, tokens, clock, chance, seed, next, tally })
    }

    /// Makes the next message, sends it, and now and then sends it again as systems do that lost the answer.
    pub(super) async fn send_next(&self) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let message = self.message(number);
        let first = self.send(&message).await;
        self.count(&message, first);
        if self.chance.unit() < 0.03 {
            let again = self.send(&message).await;
            // The same answer for the same message, or something is wrong.
            if first.is_some() && again.is_some() && first != again {
                self.tally.surprises.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn message(&self, number: u64) -> Message {
        let chance = &self.chance;
        let person = people::person(self.seed, below(PEOPLE, chance));
        let (method, path, resource, sender) = match below(10, chance) {
            0..3 => (Method::POST, "Patient".to_owned(), resources::patient(&person, number), 0),
            3..6 => {
                let path = format!("Patient/{}", person.hospital_number);
                (Method::PUT, path, resources::patient(&person, number), 0)
            }
            6 => (
                Method::POST,
                "Encounter".to_owned(),
                resources::encounter(&person, number, false, self.clock.now()),
                1,
            ),
            7 => {
                let path = format!("Encounter/visit-{number}");
                (Method::PUT, path, resources::encounter(&person, number, true, self.clock.now()), 1)
            }
            _ => {
                let result = resources::observation(&person, number, below(30, chance), self.clock.now());
                (Method::POST, "Observation".to_owned(), result, 2)
            }
        };
        let fault = faults::draw(chance);
        let body = fault.map_or_else(|| resource.to_string(), |fault| faults::spoil(fault, resource.clone()));
        let request_id = uuid::Builder::from_random_bytes(chance.bytes()).into_uuid().to_string();
        Message { method, path, body, token: self.tokens[sender].clone(), request_id, faulty: fault.is_some() }
    }

    /// The status and, when accepted, the exchange.
    async fn send(&self, message: &Message) -> Option<(u16, Option<ExchangeId>)> {
        let url = format!("{}/{}", self.base_url, message.path);
        let answer = self
            .client
            .request(message.method.clone(), url)
            .bearer_auth(&message.token)
            .header("content-type", "application/fhir+json")
            .header("x-request-id", &message.request_id)
            .body(message.body.clone())
            .send()
            .await
            .ok()?;
        let task = answer.headers().get("content-location").and_then(|place| place.to_str().ok());
        let exchange = task.and_then(|place| place.rsplit('/').next()).and_then(|id| id.parse().ok());
        Some((answer.status().as_u16(), exchange))
    }

    fn count(&self, message: &Message, answer: Option<(u16, Option<ExchangeId>)>) {
        let one = |counter: &AtomicU64| {
            counter.fetch_add(1, Ordering::Relaxed);
        };
        match answer {
            Some((202, Some(exchange))) => {
                one(&self.tally.accepted);
                self.tally.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
                if message.faulty {
                    one(&self.tally.surprises);
                }
            }
            Some((400 | 422, _)) => {
                one(&self.tally.refused);
                if !message.faulty {
                    one(&self.tally.surprises);
                }
            }
            _ => one(&self.tally.failed),
        }
    }
}
