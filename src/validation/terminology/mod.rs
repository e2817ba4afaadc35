//! A FHIR terminology server, asked about codes of systems that are not loaded
//! ([terminology service](https://hl7.org/fhir/R4/terminology-service.html)). It is told a code, its system and the value
//! set, and nothing else: no display, no text, nothing of the resource around.
//!
//! Reading order: `request` (what is asked, and how answers read), `client` (the way there), `cache`, `breaker`, `answers`.

mod answers;
mod breaker;
mod cache;
mod client;
mod request;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use signalbox_validator::{CodeAnswer, Questions, is_displayed};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::config::units::Period;
use crate::config::{Fault, terminology as settings};
use crate::telemetry::Metrics;
pub use answers::{Answers, Why};
use breaker::Breaker;
use cache::Cache;
use client::{Client, Failure};
use request::Request;

/// The server as all messages share it; cheap to clone.
#[derive(Clone)]
pub struct Terminology(Arc<Shared>);

struct Shared {
    client: Client,
    cache: Cache,
    breaker: Breaker,
    budget: settings::Budget,
    gate: Semaphore,
    metrics: Metrics,
}

impl Terminology {
    /// The server of these settings; `None` when nobody is to be asked.
    ///
    /// # Errors
    /// The settings that cannot be used, and why.
    pub fn of(
        settings: &settings::Terminology,
        http: reqwest::Client,
        metrics: Metrics,
    ) -> Result<Option<Self>, Vec<Fault>> {
        if !settings.is_on() {
            return Ok(None);
        }
        Ok(Some(Self(Arc::new(Shared {
            client: Client::of(settings, http)?,
            cache: Cache::new(settings.cache),
            breaker: Breaker::new(settings.breaker),
            budget: settings.budget,
            gate: Semaphore::new(settings.budget.at_once),
            metrics,
        }))))
    }

    /// Has the questions of one message answered, as far as its budget goes.
    pub async fn ask(&self, questions: &Questions) -> Answers {
        let (mut order, mut displays): (Vec<Request>, HashMap<Request, HashSet<&str>>) = (Vec::new(), HashMap::new());
        for (question, display) in questions.iter() {
            let request = Request::Validate(question.clone());
            let of_code = displays.entry(request.clone()).or_insert_with(|| {
                order.push(request);
                HashSet::new()
            });
            of_code.extend(display);
        }
        let deadline = after(Instant::now(), self.0.budget.time);
        let mut round = Round { shared: &self.0, left: self.0.budget.questions, deadline, answers: Answers::default() };
        round.ask(order).await;
        // A display that is not the one the server prefers may be another of the code's.
        let unlike = |(request, wanted): (Request, HashSet<&str>)| match (round.answers.of(&request), request) {
            (Some(CodeAnswer::Right(known)), Request::Validate(question))
                if !wanted.iter().all(|display| is_displayed(display, known)) =>
            {
                Some(Request::lookup(&question))
            }
            _ => None,
        };
        let lookups: BTreeSet<Request> = displays.into_iter().filter_map(unlike).collect();
        round.ask(lookups.into_iter().collect()).await;
        round.answers
    }
}

/// A moment some time from now; what is longer than a year is a year.
fn after(now: Instant, period: Period) -> Instant {
    now + period.0.min(Duration::from_hours(24 * 365))
}

/// The questions of one message.
struct Round<'s> {
    shared: &'s Shared,
    left: usize,
    deadline: Instant,
    answers: Answers,
}

impl Round<'_> {
    async fn ask(&mut self, requests: Vec<Request>) {
        let mut open = Vec::new();
        for request in requests {
            if let Some(answer) = self.shared.known(&request) {
                self.answers.add(request, answer);
            } else if self.left > 0 {
                self.left -= 1;
                open.push(request);
            } else {
                self.over_budget(1, Why::TooMany);
            }
        }
        let (shared, mut left) = (self.shared, open.len());
        let asked = stream::iter(open).map(|request| async move {
            let answer = shared.ask(&request).await;
            (request, answer)
        });
        let mut answered = asked.buffer_unordered(shared.budget.at_once);
        while left > 0 {
            match timeout_at(self.deadline, answered.next()).await {
                Ok(Some((request, Ok(answer)))) => self.answers.add(request, answer),
                Ok(Some((_, Err(why)))) => self.answers.lack(why),
                Ok(None) => break,
                Err(_) => {
                    self.over_budget(left, Why::Late);
                    break;
                }
            }
            left -= 1;
        }
    }

    fn over_budget(&mut self, questions: usize, why: Why) {
        self.answers.lack(why);
        (0..questions).for_each(|_| self.shared.metrics.terminology("over_budget"));
    }
}

impl Shared {
    fn known(&self, request: &Request) -> Option<CodeAnswer> {
        let answer = self.cache.get(request, Instant::now())?;
        self.metrics.terminology("cached");
        Some(answer)
    }

    async fn ask(&self, request: &Request) -> Result<CodeAnswer, Why> {
        let Ok(_pass) = self.gate.acquire().await else { return Err(Why::Down) };
        // Another message may have asked the same meanwhile.
        if let Some(answer) = self.known(request) {
            return Ok(answer);
        }
        let Some(admitted) = self.breaker.admit(Instant::now()) else {
            self.metrics.terminology("left_alone");
            return Err(Why::Down);
        };
        let started = Instant::now();
        let answer = self.client.ask(request).await;
        self.metrics.terminology_answered(started.elapsed());
        match answer {
            Ok(answer) => {
                if admitted.well() {
                    tracing::info!("the terminology server answers again");
                }
                self.metrics.terminology(match answer {
                    CodeAnswer::Right(_) => "right",
                    CodeAnswer::Wrong => "wrong",
                    CodeAnswer::CannotSay => "cannot_say",
                });
                self.cache.put(request.clone(), answer.clone(), Instant::now());
                Ok(answer)
            }
            Err(Failure { reason, slow }) => {
                self.metrics.terminology(if slow { "slow" } else { "failed" });
                if admitted.badly(Instant::now()) {
                    tracing::warn!(reason, pause = ?self.breaker.pause(), "the terminology server is left alone");
                }
                Err(Why::Down)
            }
        }
    }
}
