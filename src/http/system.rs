//! `POST [base]` ([batch and transaction](https://hl7.org/fhir/R4/http.html#transaction)). A batch is one exchange per
//! entry and is answered entry by entry; a transaction is one exchange, accepted or refused as a whole and never split:
//! its entries refer to each other.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};
use signalbox_validator::json::Position;

use super::batch::{self, Entry};
use super::preference::{Preference, Return};
use super::submission::{accept, arrive};
use super::visit::Visit;
use super::{Desk, answer};
use crate::exchange::{Arrival, Interaction};
use crate::gateway::Accepted;
use crate::outcome::{Issue, OperationOutcome};
use crate::rejection::Rejection;

/// Entries under way at once; they share commits.
const AT_ONCE: usize = 64;

/// Takes a Bundle.
pub(super) async fn bundle(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Arc<Visit>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let place = desk.place(&uri);
    let arrived = arrive(&visit, Interaction::Transaction, "Bundle".to_owned(), &place, &uri, &headers).await;
    let whole = match arrived {
        Ok(whole) => whole,
        Err(rejection) => return desk.turn_away(&visit, &place, rejection).await,
    };
    let (length, batch) = match split(&desk, &whole).await {
        Ok(split) => split,
        Err(rejection) => return answer::rejected(&rejection),
    };
    if let Some(rejection) = too_long(&visit, length) {
        return desk.turn_away(&visit, &place, rejection).await;
    }
    match batch {
        Some(entries) => answer_batch(&desk, &visit, entries, &headers).await,
        // Whatever else it is, the gateway judges and records it as a transaction.
        None => accept(&desk, &visit, whole, Preference::read(&headers)).await,
    }
}

/// Why a Bundle of this many entries is not taken.
pub(super) fn too_long(visit: &Visit, length: usize) -> Option<Rejection> {
    (length > visit.max_entries).then(|| {
        let sentence =
            format!("The Bundle has more than {} entries, which is the most that is taken.", visit.max_entries);
        Rejection::Invalid(vec![Issue::error("too-long", sentence)])
    })
}

/// How many entries a Bundle has that is sent as a resource.
///
/// # Errors
/// When reading it failed in a way that is ours.
pub(super) async fn length(desk: &Arc<Desk>, arrival: &Arrival) -> Result<usize, Rejection> {
    let (desk, body) = (Arc::clone(desk), arrival.body.clone());
    let count = move || desk.gateway.read(&body).map_or(0, |document| batch::length(&document));
    tokio::task::spawn_blocking(count).await.map_err(|_| Rejection::Fault)
}

/// Entries are never waited for: `return=minimal` leaves out what there is to say of those that are stored.
async fn answer_batch(desk: &Desk, visit: &Visit, entries: Vec<Entry>, headers: &HeaderMap) -> Response {
    let preference = Preference::read(headers);
    let mut entries = match visit.within(run(desk, visit, entries)).await {
        Ok(entries) => entries,
        Err(rejection) => return answer::rejected(&rejection),
    };
    if preference.returned == Some(Return::Minimal) {
        for response in entries.iter_mut().filter_map(|entry| entry["response"].as_object_mut()) {
            if response["status"].as_str().is_some_and(|status| status.starts_with('2')) {
                response.remove("outcome");
            }
        }
    }
    let bundle = json!({ "resourceType": "Bundle", "type": "batch-response", "entry": entries });
    let mut answer = answer::resource(StatusCode::OK, &bundle);
    // Of each entry there is an outcome or nothing, and there is no later answer to ask for.
    let returned = preference.returned.filter(|returned| *returned != Return::Representation);
    Preference { returned, ..Preference::default() }.tell(answer.headers_mut());
    answer
}

/// How many entries it has, and those of a batch. Reads a long body off the async threads.
async fn split(desk: &Arc<Desk>, whole: &Arrival) -> Result<(usize, Option<Vec<Entry>>), Rejection> {
    let (desk, whole) = (Arc::clone(desk), whole.clone());
    let split = move || {
        // What cannot be read is told by the gateway.
        let Ok(document) = desk.gateway.read(&whole.body) else { return (0, None) };
        let entries = batch::entries(&document, &whole, |name| desk.gateway.is_resource_type(name));
        (batch::length(&document), entries)
    };
    tokio::task::spawn_blocking(split).await.map_err(|_| Rejection::Fault)
}

/// Every entry's answer, in order; one that fails takes no other with it.
async fn run(desk: &Desk, visit: &Visit, entries: Vec<Entry>) -> Result<Vec<Value>, Rejection> {
    let answers = stream::iter(entries).map(|entry| serve(desk, visit, entry)).buffered(AT_ONCE);
    Ok(answers.collect().await)
}

async fn serve(desk: &Desk, visit: &Visit, entry: Entry) -> Value {
    let accepted = match entry.arrival {
        Ok(arrival) => desk.gateway.accept(arrival).await,
        Err(rejection) => {
            let refused = visit.refused(entry.resource_type.as_deref());
            Err(desk.gateway.refuse(refused, rejection).await)
        }
    };
    told(desk, &accepted, entry.begins)
}

fn told(desk: &Desk, accepted: &Result<Accepted, Rejection>, begins: Position) -> Value {
    let (status, issues) = match accepted {
        Ok(accepted) => (StatusCode::ACCEPTED, answer::remarks(accepted)),
        Err(rejection) => (answer::status_of(rejection), rejection.issues()),
    };
    let issues: Vec<Issue> = issues.into_iter().map(|issue| in_bundle(issue, begins)).collect();
    let mut entry = json!({ "response": { "status": status.to_string(), "outcome": OperationOutcome(&issues) } });
    if let Ok(accepted) = accepted {
        entry["link"] = json!([{ "relation": "monitor", "url": answer::task(&desk.base_url, accepted) }]);
    }
    entry
}

/// Lines and columns count in the body that was sent, not in the entry's resource.
fn in_bundle(mut issue: Issue, begins: Position) -> Issue {
    if issue.line == Some(1) {
        issue.column = issue.column.map(|column| column + begins.column - 1);
    }
    issue.line = issue.line.map(|line| line + begins.line - 1);
    issue
}
