//! The pipeline, as named steps: judge, record, commit, answer. Whatever its end, a message of a known source leaves one
//! row in `exchanges` and one in the register, in one commit.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use sha2::{Digest, Sha256};
use signalbox_validator::json::Value;
use tokio::sync::{mpsc::error::TrySendError, oneshot};

use super::commit::{Commit, Committed};
use super::judge::{self, Judgement, Opened};
use super::{Accepted, Inner, Question, Refused};
use crate::delivery::replies::Expected;
use crate::exchange::ids::Id;
use crate::exchange::rows::{BodyRow, DeliveryRow, ExchangeOutcome, ExchangeRow};
use crate::exchange::{Arrival, Conditions, Interaction};
use crate::outcome::Issue;
use crate::rejection::{MessageFault, Rejection};
use crate::validation::Checked;
use crate::validation::terminology::Answers;

/// Bodies longer than this are judged off the async threads: validation is pure computation.
const LONG_BODY: usize = 128 * 1024;

const RETRY_AFTER: Duration = Duration::from_secs(5);

pub(super) async fn accept(inner: &Arc<Inner>, arrival: Arrival) -> Result<Accepted, Rejection> {
    let (opened, keys) = open_message(inner, &arrival).await?;
    let judged = match opened {
        Ok(opened) => {
            let answers = ask(inner, opened.checked()).await;
            inner.judge.decide(&arrival, opened, &answers)
        }
        Err(rejection) => Err(rejection),
    };
    match judged {
        Ok(judgement) => store(inner, arrival, judgement).await,
        // Boxed, as all that is rare: every task is as large as the largest it may wait for.
        Err(rejection) => Box::pin(turn_away(inner, &arrival, rejection, keys)).await,
    }
}

/// What a terminology server says of the codes that nobody here knows.
async fn ask(inner: &Inner, checked: &Checked) -> Answers {
    match &inner.terminology {
        Some(terminology) if !checked.questions().is_empty() => Box::pin(terminology.ask(checked.questions())).await,
        _ => Answers::default(),
    }
}

type MaybeOpened = (Result<Opened, Rejection>, Vec<[u8; 32]>);

async fn open_message(inner: &Arc<Inner>, arrival: &Arrival) -> Result<MaybeOpened, Rejection> {
    if arrival.body.len() <= LONG_BODY {
        return Ok(inner.judge.open(arrival));
    }
    let (inner, arrival) = (Arc::clone(inner), arrival.clone());
    let correlation_id = arrival.ids.correlation.clone();
    tokio::task::spawn_blocking(move || inner.judge.open(&arrival)).await.map_err(|_| {
        tracing::error!(correlation_id, "judging a message panicked");
        Rejection::Fault
    })
}

/// Commits an accepted message.
async fn store(inner: &Inner, arrival: Arrival, judgement: Judgement) -> Result<Accepted, Rejection> {
    let destinations: Vec<String> = judgement.targets.iter().map(|target| target.destination.clone()).collect();
    let issues = judgement.issues.clone();
    let quarantined = judgement.held.is_some();
    // Nobody waits for what waits for a person.
    let replies = arrival.reply && !quarantined;
    let replying: Vec<bool> = judgement.targets.iter().map(|target| target.reply && replies).collect();
    let row = accepted_row(inner, &arrival, judgement);
    let exchange = row.id;
    let expected = expect(inner, &row, &destinations, &replying);
    match commit(inner, row, true).await? {
        Committed::Held { exchange, same: true } => {
            let quarantined = Box::pin(super::status::is_quarantined(&inner.pool, exchange)).await?;
            Ok(Accepted { exchange, repeated: true, issues, destinations, quarantined, expected: Vec::new() })
        }
        Committed::Held { same: false, .. } => Box::pin(used_again(inner, &arrival)).await,
        _ => Ok(Accepted { exchange, repeated: false, issues, destinations, quarantined, expected }),
    }
}

/// Refuses another message under an id that is taken.
async fn used_again(inner: &Inner, arrival: &Arrival) -> Result<Accepted, Rejection> {
    let (source, correlation_id) = (&arrival.sender.source, &arrival.ids.correlation);
    tracing::warn!(source, correlation_id, "a message id was used again for another request");
    inner.metrics.reused(source);
    let rejection = duplicate(arrival);
    record(inner, refused_row(inner, arrival, &rejection, Vec::new())).await?;
    Err(rejection)
}

fn duplicate(arrival: &Arrival) -> Rejection {
    if arrival.interaction != Interaction::Message {
        return Rejection::DuplicateId;
    }
    let sentence = "This control id (MSH-10) came before with another message; every new message needs one of its own.";
    Rejection::Message(MessageFault::content(205, "MSH-10", sentence))
}

/// Begins to wait before the commit: a delivery may settle before its sender is answered.
fn expect(inner: &Inner, row: &ExchangeRow, names: &[String], replying: &[bool]) -> Vec<Expected> {
    let rows = row.deliveries.iter().zip(names).zip(replying).filter(|(_, replying)| **replying);
    rows.map(|((delivery, name), _)| inner.replies.expect(delivery.id.uuid(), name.clone())).collect()
}

/// Records a refusal; but a message that was accepted before gets the answer it got then, whatever the configuration
/// says now.
pub(super) async fn turn_away(
    inner: &Inner,
    arrival: &Arrival,
    rejection: Rejection,
    keys: Vec<[u8; 32]>,
) -> Result<Accepted, Rejection> {
    let before = super::status::accepted_before(&inner.pool, arrival, &request_hash(arrival)).await?;
    if let Some((exchange, destinations)) = before {
        let quarantined = super::status::is_quarantined(&inner.pool, exchange).await?;
        let (issues, expected) = (Vec::new(), Vec::new());
        return Ok(Accepted { exchange, repeated: true, issues, destinations, quarantined, expected });
    }
    record(inner, refused_row(inner, arrival, &rejection, keys)).await?;
    Err(rejection)
}

/// Records a message that was turned away before it was judged, its body with it.
pub(super) async fn reject(inner: &Inner, arrival: &Arrival, rejection: Rejection) -> Rejection {
    match record(inner, refused_row(inner, arrival, &rejection, Vec::new())).await {
        Ok(()) => rejection,
        Err(unrecorded) => unrecorded,
    }
}

pub(super) async fn refuse(inner: &Inner, refused: Refused, rejection: Rejection) -> Rejection {
    let mut row = base_row(inner, &refused);
    row.status = rejection.rendering().status;
    row.issues = issues_json(&rejection.issues());
    match record(inner, row).await {
        Ok(()) => rejection,
        Err(unrecorded) => unrecorded,
    }
}

pub(super) async fn validate(inner: &Arc<Inner>, question: Question) -> Result<Vec<Issue>, Rejection> {
    let mut row = base_row(
        inner,
        &Refused {
            endpoint: question.endpoint.clone(),
            sender: question.sender.clone(),
            request: "validate".to_owned(),
            resource_type: question.resource_type.clone(),
            ids: question.ids.clone(),
            received_at: question.received_at,
        },
    );
    row.body_hash = Sha256::digest(&question.body).into();
    row.body_length = question.body.len();
    let checked = check_question(inner, question).await;
    match &checked {
        Ok(issues) => {
            (row.outcome, row.status) = (ExchangeOutcome::Validated, 200);
            row.issues = issues_json(issues);
        }
        Err(rejection) => {
            row.status = rejection.rendering().status;
            row.issues = issues_json(&rejection.issues());
        }
    }
    record(inner, row).await?;
    checked
}

async fn check_question(inner: &Arc<Inner>, question: Question) -> Result<Vec<Issue>, Rejection> {
    let Question { sender, body, resource_type, .. } = question;
    let checking = Arc::clone(inner);
    let check = move || check_body(&checking, &sender.source, &body, resource_type.as_deref());
    let checked = tokio::task::spawn_blocking(check).await.unwrap_or(Err(Rejection::Fault))?;
    let answers = ask(inner, &checked).await;
    Ok(checked.settle(&answers).0)
}

/// The body is the resource, or a Parameters whose part `resource` holds it
/// ([validate](https://hl7.org/fhir/R4/resource-operation-validate.html)).
fn check_body(inner: &Inner, source: &str, body: &Bytes, wanted: Option<&str>) -> Result<Checked, Rejection> {
    let document = judge::read(body, inner.judge.max_depth)?;
    let found = judge::resource_type(&inner.judge, document.root())?;
    let is_part = |part: &Value<'_>| part.get("name").and_then(Value::as_str).as_deref() == Some("resource");
    let parts = document.root().get("parameter").map(|parts| parts.items().filter(is_part).collect::<Vec<_>>());
    let inside = parts.and_then(|parts| parts.first().and_then(|part| part.get("resource")));
    match (inside, wanted) {
        (Some(resource), wanted) if found == "Parameters" && wanted != Some("Parameters") => {
            // Read again on its own, so that expressions start at the resource.
            check_body(inner, source, &Bytes::copy_from_slice(resource.raw().as_bytes()), wanted)
        }
        (_, Some(wanted)) if wanted != found => {
            let message = format!("The URL is for a {wanted}, the body is a {found}.");
            Err(Rejection::Unreadable(vec![Issue::error("invalid", message)]))
        }
        _ => {
            let selection = inner.judge.routes.select(source, &found, document.root(), inner.clock.now());
            Ok(judge::check(&inner.judge, source, &document, &selection))
        }
    }
}

async fn record(inner: &Inner, row: ExchangeRow) -> Result<(), Rejection> {
    commit(inner, row, false).await.map(|_| ())
}

/// Hands a row to the writers and waits for the commit.
async fn commit(inner: &Inner, row: ExchangeRow, claims: bool) -> Result<Committed, Rejection> {
    let (reply, committed) = oneshot::channel();
    let unavailable = || Rejection::Unavailable { retry_after: RETRY_AFTER };
    match inner.queue.try_send(Commit { row, claims, reply }) {
        Ok(()) => {}
        Err(TrySendError::Full(_) | TrySendError::Closed(_)) => return Err(unavailable()),
    }
    match committed.await {
        Ok(Committed::Failed) => Err(Rejection::Fault),
        Ok(Committed::Unavailable) | Err(_) => Err(Rejection::Unanswered { retry_after: RETRY_AFTER }),
        Ok(committed) => Ok(committed),
    }
}

fn accepted_row(inner: &Inner, arrival: &Arrival, judgement: Judgement) -> ExchangeRow {
    let deliveries = judgement.targets.into_iter().filter_map(|target| {
        let known = inner.judge.destinations.get(&target.destination)?;
        Some(DeliveryRow {
            id: Id::new(arrival.received_at, &inner.chance),
            destination: known.number,
            route: target.route,
            options: target.options,
            keys: order_keys(&judgement.keys, known.one_stream),
            give_up_at: arrival.received_at + known.give_up_after,
            held: judgement.held.clone(),
        })
    });
    let quarantined = judgement.held.is_some();
    ExchangeRow {
        outcome: if quarantined { ExchangeOutcome::Quarantined } else { ExchangeOutcome::Accepted },
        status: 202,
        routes: judgement.routes,
        issues: issues_json(&judgement.issues),
        body: Some(body_row("accepted", arrival)),
        deliveries: deliveries.collect(),
        keys: judgement.keys.clone(),
        ..message_row(inner, arrival)
    }
}

/// The key of everything that goes to a destination in one order; no HMAC is all zeros.
const STREAM: [u8; 32] = [0; 32];

/// What a delivery is ordered by.
fn order_keys(patients: &[[u8; 32]], one_stream: bool) -> Vec<[u8; 32]> {
    one_stream.then_some(STREAM).into_iter().chain(patients.iter().copied()).collect()
}

fn refused_row(inner: &Inner, arrival: &Arrival, rejection: &Rejection, keys: Vec<[u8; 32]>) -> ExchangeRow {
    ExchangeRow {
        status: rejection.rendering().status,
        issues: issues_json(&rejection.issues()),
        body: Some(body_row("refused", arrival)),
        keys,
        ..message_row(inner, arrival)
    }
}

fn message_row(inner: &Inner, arrival: &Arrival) -> ExchangeRow {
    let refused = Refused {
        endpoint: arrival.endpoint.clone(),
        sender: arrival.sender.clone(),
        request: arrival.interaction.as_str().to_owned(),
        resource_type: Some(arrival.resource_type.clone()).filter(|name| !name.is_empty()),
        ids: arrival.ids.clone(),
        received_at: arrival.received_at,
    };
    ExchangeRow {
        end_user_ods: arrival.end_user_ods.clone(),
        body_hash: request_hash(arrival),
        body_length: arrival.body.len(),
        ..base_row(inner, &refused)
    }
}

fn base_row(inner: &Inner, refused: &Refused) -> ExchangeRow {
    ExchangeRow {
        id: Id::new(refused.received_at, &inner.chance),
        received_at: refused.received_at,
        endpoint: refused.endpoint.clone(),
        sender: refused.sender.clone(),
        end_user_ods: None,
        ids: refused.ids.clone(),
        interaction: refused.request.clone(),
        resource_type: refused.resource_type.clone(),
        outcome: ExchangeOutcome::Refused,
        status: 500,
        routes: Vec::new(),
        issues: json!([]),
        body_hash: Sha256::digest(b"").into(),
        body_length: 0,
        body: None,
        keys: Vec::new(),
        deliveries: Vec::new(),
        packs: Arc::clone(inner.judge.guides.of(&refused.sender.source).packs_hash()),
    }
}

fn body_row(retention: &'static str, arrival: &Arrival) -> BodyRow {
    BodyRow { retention, content: arrival.body.clone(), conditions: arrival.conditions.clone() }
}

fn issues_json(issues: &[Issue]) -> serde_json::Value {
    serde_json::to_value(issues).unwrap_or_else(|_| json!([]))
}

/// SHA-256 of everything that makes a request what it is: two requests with one message id and one hash are one message.
fn request_hash(arrival: &Arrival) -> [u8; 32] {
    let mut hash = Sha256::new();
    let Conditions { if_none_exist, if_match } = &arrival.conditions;
    let id = arrival.resource_id.as_deref();
    let parts = [
        Some(arrival.interaction.as_str()),
        Some(&*arrival.resource_type),
        id,
        if_none_exist.as_deref(),
        if_match.as_deref(),
    ];
    for part in parts {
        // A length before each part: no two requests run together into the same bytes.
        hash.update(part.map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
        hash.update(part.unwrap_or_default());
    }
    hash.update(&arrival.body);
    hash.finalize().into()
}
