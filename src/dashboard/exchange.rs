//! `/exchanges/{id}`: the whole story of one exchange: who sent it, what was checked, which route took it, each attempt,
//! what it waits for, what people did.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::access::Person;
use super::act::ask;
use super::page::{Place, moment, page, sentence, when};
use super::{Pages, body, notice, page as pages_, quarantine};
use crate::delivery::standing::{id, standing};
use crate::exchange::ExchangeId;
use crate::exchange::rows::ExchangeOutcome;
use crate::exchange::state::DeliveryState;
use crate::outcome::Issue;
use crate::store::stories::{self, Before, Story, Told, ToldAct, ToldAttempt, ToldDelivery};

/// The page.
pub(super) async fn show(
    State(pages): State<Arc<Pages>>,
    Extension(person): Extension<Person>,
    Path(exchange): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let Ok(exchange) = exchange.parse::<ExchangeId>() else {
        return pages_::missing(&person, "An exchange id is 20 characters of 0-9 and A-Z without I, L, O and U.");
    };
    let look = async {
        let mut db = pages.pool.acquire().await?;
        stories::tell(&mut db, exchange.uuid()).await
    };
    match look.await {
        Ok(Some(story)) => {
            let content = html! {
                (notice::shown(query.as_deref()))
                (told(&story, &person, pages.clock.now()))
            };
            page(&format!("Exchange {exchange}"), Some(Place::Exchanges), &person, &content)
        }
        Ok(None) => pages_::missing(&person, "There is no exchange with this id, or its record has been purged."),
        Err(error) => {
            tracing::error!(%error, "an exchange could not be read");
            pages_::unavailable()
        }
    }
}

fn told(story: &Story, person: &Person, now: DateTime<Utc>) -> Markup {
    let exchange = &story.exchange;
    let here = format!("/exchanges/{}", id(exchange.id));
    html! {
        h1 { "Exchange " span.id { (id(exchange.id)) } }
        p.lead {
            span.outcome.(exchange.outcome.as_str()) { (exchange.outcome.as_str()) } " "
            (exchange.interaction) " of " (exchange.resource_type.as_deref().unwrap_or("nothing readable"))
            " from " (exchange.source) ", " (moment(exchange.received_at))
        }
        (facts(exchange))
        (issues(&exchange.issues.0))
        section aria-labelledby="deliveries-title" {
            h2 #deliveries-title { "Deliveries" }
            @if story.deliveries.is_empty() { p { (nothing_sent(exchange)) } }
            @if is_held(story) && person.role.may_act() { (quarantine::acts(&id(exchange.id), &here)) }
            @for (delivery, attempts, before) in &story.deliveries {
                (one_delivery(delivery, attempts, before.as_ref(), person, &here, now))
            }
        }
        (timeline(story))
        (body::section(exchange, person))
    }
}

/// Whether somebody has still to decide about it.
fn is_held(story: &Story) -> bool {
    story.deliveries.iter().any(|(delivery, ..)| delivery.state == DeliveryState::Quarantined)
}

fn facts(told: &Told) -> Markup {
    let short = |hash: &str| hash.get(..12).unwrap_or(hash).to_owned();
    html! {
        dl.facts {
            div { dt { "Answered" } dd { (told.status) } }
            div { dt { "Came in by" } dd { (told.endpoint) } }
            div { dt { "Organisation" } dd { (told.ods)
                @if let Some(ods) = &told.end_user_ods { ", on behalf of " (ods) } } }
            @if let Some(request) = told.request_id {
                div { dt { "Request id" } dd { a href=(format!("/exchanges?request={request}")) { (request) } } }
            }
            div { dt { "Correlation id" } dd.long { (told.correlation_id) } }
            div { dt { "Routes" } dd { @if told.routes.0.is_empty() { "none" } @else { (told.routes.0.join(", ")) } } }
            div { dt { "Body" } dd.long { (told.body_length) " bytes, SHA-256 " (short(&hex::encode(&told.body_hash))) "…" } }
            div { dt { "Handled by" } dd.long { "configuration " (short(&told.config_hash)) ", packs " (short(&told.packs)) } }
        }
    }
}

fn issues(found: &[Issue]) -> Markup {
    html! {
        section aria-labelledby="issues-title" {
            h2 #issues-title { "Checked" }
            @if found.is_empty() { p { "No issues." } } @else { (issue_list(found)) }
        }
    }
}

/// Issues with their places.
pub(super) fn issue_list(found: &[Issue]) -> Markup {
    html! {
        ul.issues {
            @for issue in found {
                li.(issue.severity) {
                    span.severity { (issue.severity) } " " (issue.message)
                    p.place {
                        @if let Some(expression) = &issue.expression { code { (expression) } }
                        @if let (Some(line), Some(column)) = (issue.line, issue.column) {
                            " line " (line) ", column " (column)
                        }
                        " " span.code { (issue.code) }
                    }
                }
            }
        }
    }
}

fn nothing_sent(told: &Told) -> &'static str {
    match told.outcome {
        ExchangeOutcome::Refused => "It was refused at the door: nothing is sent.",
        ExchangeOutcome::Validated => "It was a question: nothing is sent.",
        ExchangeOutcome::Accepted | ExchangeOutcome::Quarantined => "It is recorded, and goes nowhere by its routes.",
    }
}

fn one_delivery(
    delivery: &ToldDelivery,
    attempts: &[ToldAttempt],
    before: Option<&Before>,
    person: &Person,
    here: &str,
    now: DateTime<Utc>,
) -> Markup {
    let name = format!("delivery to {}", delivery.destination);
    let of = |verb: &str| format!("/deliveries/{}/{verb}", id(delivery.id));
    html! {
        article.delivery.(delivery.state.as_str()) {
            header {
                h3 { (delivery.destination) }
                span.state-word.(delivery.state.as_str()) { (delivery.state.as_str()) }
            }
            p { (sentence(&standing(delivery, before, now, when))) }
            @if let Some(before) = before {
                p { a href=(format!("/exchanges/{}", id(before.exchange))) { "Go to what it waits behind" } }
            }
            p.small { "Route " (delivery.route) ", delivery " span.id { (id(delivery.id)) } }
            @if !attempts.is_empty() { (table(attempts, &name)) }
            @if person.role.may_act() {
                div.acts {
                    @if may_be_retried(delivery.state) {
                        (ask(&of("retry"), "Retry", &name, "primary", &[("next", here)]))
                    }
                    @if may_be_skipped(delivery.state) {
                        (ask(&of("skip"), "Skip", &name, "danger", &[("next", here)]))
                    }
                }
            }
        }
    }
}

/// States from which the operator's acts start; the act itself asks again.
fn may_be_retried(state: DeliveryState) -> bool {
    use DeliveryState::{Dead, Parked, Ready, Refused, Unknown};
    matches!(state, Ready | Unknown | Parked | Refused | Dead)
}

fn may_be_skipped(state: DeliveryState) -> bool {
    may_be_retried(state) || state == DeliveryState::Waiting
}

/// The roles stay a table's where a small window shows each row as a block.
fn table(attempts: &[ToldAttempt], name: &str) -> Markup {
    let columns = ["Attempt", "Began", "Took", "Ended", "What was said"];
    html! {
        div.scroll tabindex="0" role="region" aria-label=(format!("Attempts, {name}")) {
            table.attempts role="table" {
                thead role="rowgroup" { tr role="row" {
                    @for column in columns { th scope="col" role="columnheader" { (column) } }
                } }
                tbody role="rowgroup" {
                    @for attempt in attempts {
                        tr role="row" {
                            th scope="row" role="rowheader" { (attempt.number) }
                            td role="cell" { (moment(attempt.started_at)) }
                            td role="cell" { ((attempt.ended_at - attempt.started_at).num_milliseconds()) " ms" }
                            td role="cell" { span.outcome.(attempt.outcome.as_str()) { (attempt.outcome.as_str()) } }
                            td.said role="cell" { (said(attempt)) }
                        }
                    }
                }
            }
        }
    }
}

/// The partner's code and what it said, or what was said of it; what stands in the column before is not said again.
fn said(attempt: &ToldAttempt) -> String {
    match (attempt.code.as_str(), attempt.note.as_str()) {
        (code, note) if code == note || note.is_empty() => code.to_owned(),
        (code, note) if code == attempt.outcome.as_str() => note.to_owned(),
        (code, note) => format!("{code}: {note}"),
    }
}

/// When a delivery had come to the end that an operator's act found it at, and which; `None` when it had not ended.
fn ended_before(act: &ToldAct, attempts: &[ToldAttempt]) -> Option<(DateTime<Utc>, DeliveryState)> {
    let found = act.found.strip_prefix("was ")?;
    let state = DeliveryState::ALL.into_iter().find(|state| state.is_ended() && state.as_str() == found)?;
    let last = attempts.iter().map(|attempt| attempt.ended_at).filter(|at| *at <= act.at).max();
    Some((last.unwrap_or(act.at), state))
}

/// Everything with a time, in its order.
fn timeline(story: &Story) -> Markup {
    let exchange = &story.exchange;
    let mut events = vec![(exchange.received_at, format!("Received and {}", exchange.outcome.as_str()))];
    for (delivery, attempts, _) in &story.deliveries {
        for attempt in attempts {
            let word = attempt.outcome.as_str();
            events.push((attempt.ended_at, format!("{}: attempt {} {word}", delivery.destination, attempt.number)));
        }
        // A retry begins anew: what the delivery had come to before it, the act remembers.
        let retried = story.acts.iter().filter(|act| act.delivery == Some(delivery.id));
        for (at, state) in retried.filter_map(|act| ended_before(act, attempts)) {
            events.push((at, format!("{}: {}", delivery.destination, state.as_str())));
        }
        if delivery.state.is_ended() {
            events.push((delivery.updated_at, format!("{}: {}", delivery.destination, delivery.state.as_str())));
        }
    }
    for act in &story.acts {
        let ToldAct { at, what, who, why, destination, .. } = act;
        let place = if destination.is_empty() { String::new() } else { format!("{destination}: ") };
        events.push((*at, format!("{place}{what} by {who}: {why}")));
    }
    events.sort_by_key(|(at, _)| *at);
    html! {
        section aria-labelledby="timeline-title" {
            h2 #timeline-title { "Timeline" }
            ol.timeline { @for (at, what) in &events { li { (moment(*at)) " " span { (what) } } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::rows::AttemptOutcome;

    fn attempt(code: &str, note: &str) -> ToldAttempt {
        ToldAttempt {
            delivery: uuid::Uuid::nil(),
            number: 1,
            started_at: DateTime::UNIX_EPOCH,
            ended_at: DateTime::UNIX_EPOCH,
            outcome: AttemptOutcome::Transient,
            code: code.to_owned(),
            note: note.to_owned(),
        }
    }

    #[test]
    fn what_was_said_is_said_once() {
        for (code, note, told) in [
            ("transient", "cannot connect", "cannot connect"),
            ("503", "busy", "503: busy"),
            ("AA", "", "AA"),
            ("MSA-1 AA", "MSA-1 AA", "MSA-1 AA"),
        ] {
            assert_eq!(said(&attempt(code, note)), told);
        }
    }
}
