//! Runs one golden case and compares what comes of it.

use std::path::Path;

use bytes::Bytes;
use encoding_rs::WINDOWS_1252;
use signalbox_validator::json::Document;
use uuid::Uuid;

use super::case::Case;
use crate::chance::Chance;
use crate::config::Config;
use crate::delivery::destination::Delivery;
use crate::exchange::ids::Id;
use crate::exchange::{Arrival, Conditions, Interaction, OdsCode, RequestIds, Sender};
use crate::formats::hl7v2::header::Header;
use crate::gateway::{Judge, Judgement};
use crate::rejection::Rejection;
use crate::routing::Target;

/// What was not as the case expects.
#[derive(Debug, PartialEq, Eq)]
pub enum Difference {
    /// The case itself cannot be run.
    Case(String),
    /// Another answer to the sender.
    Answer {
        /// In the words of the case.
        expected: String,
        /// What came.
        found: String,
    },
    /// A destination that was expected got nothing.
    Missing(String),
    /// A destination that was not expected got a payload.
    Surplus(String),
    /// Another payload.
    Payload {
        /// The destination.
        destination: String,
        /// The file in the case.
        file: String,
        /// What the file holds; line ends are `\n` here, whatever they are in the message.
        expected: String,
        /// What would be sent.
        found: String,
    },
    /// The payload of this destination was written into the case.
    Written(String),
}

/// The destinations that were reached, and what was not as expected.
pub(super) fn run(
    judge: &Judge,
    config: &Config,
    folder: &Path,
    case: &Case,
    write: bool,
) -> (Vec<String>, Vec<Difference>) {
    let arrival = match arrive(config, folder, case) {
        Ok(arrival) => arrival,
        Err(sentence) => return (Vec::new(), vec![Difference::Case(sentence)]),
    };
    let answer = |found: String| Difference::Answer { expected: expected_answer(case), found };
    match (judge.judge(&arrival).0, case.refused) {
        (Err(rejection), Some(status)) if rejection.rendering().status == status => (Vec::new(), Vec::new()),
        (Err(rejection), _) => (Vec::new(), vec![answer(refusal(&rejection))]),
        (Ok(judgement), Some(_)) => (Vec::new(), vec![answer(taken(judgement.held.is_some()).to_owned())]),
        (Ok(judgement), None) if judgement.held.is_some() != case.quarantined => {
            (Vec::new(), vec![answer(taken(judgement.held.is_some()).to_owned())])
        }
        (Ok(judgement), None) => {
            let reached = judgement.targets.iter().map(|target| target.destination.clone()).collect();
            (reached, compare(judge, folder, case, &arrival, &judgement, write))
        }
    }
}

fn expected_answer(case: &Case) -> String {
    case.refused.map_or_else(|| taken(case.quarantined).to_owned(), |status| format!("it is refused with {status}"))
}

fn taken(held: bool) -> &'static str {
    if held { "it is held in quarantine" } else { "it is accepted" }
}

fn refusal(rejection: &Rejection) -> String {
    let issues: Vec<String> = rejection
        .issues()
        .into_iter()
        .filter(crate::outcome::Issue::is_error)
        .map(|issue| match issue.expression {
            Some(place) => format!("{} ({place})", issue.message),
            None => issue.message,
        })
        .collect();
    format!("it is refused with {}: {}", rejection.rendering().status, issues.join("; "))
}

fn arrive(config: &Config, folder: &Path, case: &Case) -> Result<Arrival, String> {
    let source = config.sources.get(&case.source);
    let source = source.ok_or_else(|| format!("case.toml: source: there is no [sources.{}]", case.source))?;
    let path = folder.join(&case.resource);
    let body = std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", case.resource))?;
    let interaction = case.interaction()?;
    if interaction == Interaction::Message {
        return Ok(message(config, case, source.ods.clone(), body));
    }
    let named = |key: &str| {
        Document::read(&body).ok().and_then(|document| document.root().str_at(&[key]).map(std::borrow::Cow::into_owned))
    };
    Ok(Arrival {
        endpoint: "fhir".into(),
        sender: Sender { source: case.source.clone(), ods: source.ods.clone() },
        end_user_ods: None,
        interaction,
        resource_type: named("resourceType").unwrap_or_default(),
        resource_id: named("id").filter(|_| interaction == Interaction::Update),
        conditions: Conditions::default(),
        ids: RequestIds { request: None, correlation: Uuid::nil().to_string() },
        received_at: case.received,
        reply: false,
        body: Bytes::from(body),
    })
}

/// An HL7 v2 message by the first door that its source may use. Written by hand, its segments may end with line feeds.
fn message(config: &Config, case: &Case, ods: OdsCode, body: Vec<u8>) -> Arrival {
    let door = config.mllp.iter().find(|(_, door)| door.sources.contains(&case.source));
    let header = Header::read(&body);
    Arrival {
        endpoint: format!("mllp/{}", door.map_or("", |(name, _)| name)).into(),
        sender: Sender { source: case.source.clone(), ods },
        end_user_ods: None,
        interaction: Interaction::Message,
        resource_type: header.map(|header| header.kind()).unwrap_or_default(),
        resource_id: None,
        conditions: Conditions::default(),
        ids: RequestIds { request: None, correlation: Uuid::nil().to_string() },
        received_at: case.received,
        reply: false,
        body: Bytes::from(body),
    }
}

fn compare(
    judge: &Judge,
    folder: &Path,
    case: &Case,
    arrival: &Arrival,
    judgement: &Judgement,
    write: bool,
) -> Vec<Difference> {
    let reached = |name: &String| judgement.targets.iter().any(|target| target.destination == **name);
    let missing = case.expected.keys().filter(|name| !reached(name)).cloned().map(Difference::Missing);
    let compared = judgement.targets.iter().enumerate().filter_map(|(at, target)| {
        let Some(file) = case.expected.get(&target.destination) else {
            return Some(Difference::Surplus(target.destination.clone()));
        };
        let found = match payload(judge, arrival, target, at) {
            Ok(found) => found,
            Err(sentence) => return Some(Difference::Case(sentence)),
        };
        payload_difference(folder, target, file, &found, write)
    });
    missing.chain(compared).collect()
}

fn payload_difference(folder: &Path, target: &Target, file: &str, found: &str, write: bool) -> Option<Difference> {
    let path = folder.join(file);
    let expected = std::fs::read(&path).map(|bytes| readable(&bytes));
    if expected.as_ref().is_ok_and(|expected| expected == found) {
        return None;
    }
    let destination = target.destination.clone();
    if write {
        return Some(match std::fs::write(&path, format!("{found}\n")) {
            Ok(()) => Difference::Written(destination),
            Err(error) => Difference::Case(format!("{file} cannot be written: {error}")),
        });
    }
    match expected {
        Ok(expected) => {
            Some(Difference::Payload { destination, file: file.to_owned(), expected, found: found.to_owned() })
        }
        Err(error) => Some(Difference::Case(format!("{file} cannot be read: {error}; --write makes it"))),
    }
}

fn payload(judge: &Judge, arrival: &Arrival, target: &Target, at: usize) -> Result<String, String> {
    let known = judge.destinations.get(&target.destination);
    let known = known.ok_or_else(|| format!("there is no destination {}", target.destination))?;
    // The same ids in every run, another one for each destination.
    let id = |number: usize| Id::new(arrival.received_at, &Chance::seeded(number as u64));
    let delivery = Delivery {
        id: id(at + 1),
        exchange: id(0),
        attempt: 1,
        interaction: arrival.interaction,
        resource_type: arrival.resource_type.clone(),
        conditions: arrival.conditions.clone(),
        sender: arrival.sender.clone(),
        correlation_id: arrival.ids.correlation.clone(),
        received_at: arrival.received_at,
        options: target.options.clone(),
        body: arrival.body.clone(),
        reply: None,
    };
    let rendered = known.destination.render(&delivery);
    rendered.map(|bytes| readable(&bytes)).map_err(|error| format!("{}: {error}", target.destination))
}

/// Text with `\n` at its line ends (HL7 v2 has `\r`) and none after the last; bytes that are not UTF-8 are read as
/// Windows-1252, which has a character for each.
fn readable(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).map_or_else(|_| WINDOWS_1252.decode(bytes).0, Into::into);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.trim_end_matches('\n').to_owned()
}
