//! What create and update share: a resource is handed over and answered `202 Accepted` once it is stored, or refused
//! with the reason. The head is checked before a byte of the body is read.

use std::sync::Arc;

use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use tokio::time::Instant;

use super::preference::Preference;
use super::visit::{ENDPOINT, Visit};
use super::{Desk, answer, conditions, content, query, relay, system};
use crate::exchange::{Arrival, Interaction};
use crate::rejection::Rejection;

use super::place::Place;

/// Serves a create or an update.
pub(super) async fn submit(
    desk: &Arc<Desk>,
    visit: &Visit,
    interaction: Interaction,
    uri: &Uri,
    headers: &HeaderMap,
) -> Response {
    let place = desk.place(uri);
    let preference = Preference::read(headers);
    let arrived = match place.resource_type() {
        Ok(resource_type) => arrive(visit, interaction, resource_type, &place, uri, headers).await,
        Err(unknown) => Err(unknown),
    };
    let arrived = match arrived {
        Ok(arrival) if arrival.resource_type == "Bundle" => within_limit(desk, visit, arrival).await,
        arrived => arrived,
    };
    match arrived {
        Ok(arrival) => accept(desk, visit, arrival, preference).await,
        Err(rejection) => Box::pin(desk.turn_away(visit, &place, rejection)).await,
    }
}

async fn within_limit(desk: &Arc<Desk>, visit: &Visit, bundle: Arrival) -> Result<Arrival, Rejection> {
    match system::too_long(visit, system::length(desk, &bundle).await?) {
        Some(rejection) => Err(rejection),
        None => Ok(bundle),
    }
}

/// Hands a message over and answers what comes of it: once it is stored, or once the destinations that reply have
/// settled, if the sender waits for them.
pub(super) async fn accept(desk: &Desk, visit: &Visit, mut arrival: Arrival, preference: Preference) -> Response {
    let most = visit.bounds.time;
    let patience = preference.patience(desk.wait, most);
    arrival.reply = !patience.is_zero();
    let body = arrival.body.clone();
    let mut accepted = match visit.within(desk.gateway.accept(arrival)).await {
        Ok(accepted) => accepted,
        Err(rejection) => return answer::rejected(&rejection),
    };
    let left = visit.bounds.deadline.saturating_duration_since(Instant::now());
    let relayed = relay::reply(&mut accepted.expected, patience.min(left)).await;
    let task = answer::task(&desk.base_url, &accepted);
    let mut applied = Preference { wait: preference.wait.map(|wait| wait.min(most)), ..preference };
    let mut answer = if let Some(mut relayed) = relayed {
        // Its body is the partner's, not the Task's, and not what was asked for.
        applied.returned = None;
        answer::put(relayed.headers_mut(), header::LINK, &format!("<{task}>; rel=\"monitor\""));
        relayed
    } else {
        let mut stored = answer::accepted(preference.returned, &accepted, &body);
        answer::put(stored.headers_mut(), header::CONTENT_LOCATION, &task);
        stored
    };
    applied.tell(answer.headers_mut());
    answer
}

/// Checks the head, then reads the body.
///
/// # Errors
/// What is wrong with the head, or why the body could not be read.
pub(super) async fn arrive(
    visit: &Visit,
    interaction: Interaction,
    resource_type: String,
    place: &Place,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Arrival, Rejection> {
    let resource_id = match interaction {
        Interaction::Create | Interaction::Transaction | Interaction::Message => None,
        Interaction::Update => Some(place.logical_id()?),
    };
    content::check(headers)?;
    query::check(uri, headers)?;
    visit.named.check()?;
    let conditions = conditions::read(headers, Some(interaction))?;
    Ok(Arrival {
        endpoint: ENDPOINT.into(),
        sender: visit.sender.clone(),
        end_user_ods: visit.named.end_user_ods.clone(),
        interaction,
        resource_type,
        resource_id,
        conditions,
        ids: visit.named.ids.clone(),
        reply: false,
        received_at: visit.received_at,
        body: visit.body().await?,
    })
}
