//! The body of an exchange: shown on request only, to those who may, for a reason; that it was seen is in the register
//! before it is.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use bytes::Bytes;
use maud::{Markup, html};

use super::access::Person;
use super::act::{ask, not_allowed, reason};
use super::form::Fields;
use super::page::{Place, page};
use super::{Pages, page as pages_};
use crate::delivery::standing::id;
use crate::exchange::ExchangeId;
use crate::exchange::rows::AuditRow;
use crate::store::overview;
use crate::store::stories::Told;

/// What the page of an exchange says of the body.
pub(super) fn section(told: &Told, person: &Person) -> Markup {
    html! {
        section aria-labelledby="body-title" {
            h2 #body-title { "Body" }
            @if told.body_retention.is_none() {
                p { "No body was kept." }
            } @else if person.role.may_read_bodies() {
                p { "It may hold what is known of a patient. Who looked, and why, is written to the register first." }
                (ask(&format!("/exchanges/{}/body", id(told.id)), "Show", "the body", "primary", &[]))
            } @else {
                p { "Your role does not allow you to see it." }
            }
        }
    }
}

/// No address shows a body: it leads to the page where it is asked for.
pub(super) async fn elsewhere(Path(exchange): Path<String>) -> Redirect {
    match exchange.parse::<ExchangeId>() {
        Ok(exchange) => Redirect::to(&format!("/exchanges/{exchange}")),
        Err(_) => Redirect::to("/exchanges"),
    }
}

/// Shows it.
pub(super) async fn show(
    State(pages): State<Arc<Pages>>,
    Extension(person): Extension<Person>,
    Path(exchange): Path<String>,
    body: Bytes,
) -> Response {
    let Ok(exchange) = exchange.parse::<ExchangeId>() else {
        return pages_::missing(&person, "There is no such exchange.");
    };
    if !person.role.may_read_bodies() {
        return not_allowed(&person);
    }
    let fields = Fields::read(&body);
    let reason = match reason(&fields, &person) {
        Ok(reason) => reason,
        Err(response) => return *response,
    };
    match fetch(&pages, &person, exchange, reason).await {
        Ok(Some(content)) => {
            page(&format!("Body of {exchange}"), Some(Place::Exchanges), &person, &sheet(exchange, &content))
        }
        Ok(None) => pages_::missing(&person, "There is no such exchange, or its body has been purged; its hash stays."),
        Err(error) => {
            tracing::error!(%error, "a body could not be read");
            pages_::unavailable()
        }
    }
}

/// The body, once it is in the register that it was looked at.
async fn fetch(pages: &Pages, person: &Person, exchange: ExchangeId, reason: &str) -> sqlx::Result<Option<Vec<u8>>> {
    let mut db = pages.pool.acquire().await?;
    let Some((content, _, correlation_id)) = overview::body(&mut db, exchange.uuid()).await? else { return Ok(None) };
    let now = pages.clock.now();
    let mut row = AuditRow::new("operator", "view body", now, now);
    row.exchange = Some(exchange.uuid());
    row.correlation_id = Some(correlation_id);
    row.actor = Some(person.name.clone());
    row.reason = Some(reason.to_owned());
    pages.insert(&mut db, row).await?;
    Ok(Some(content))
}

fn sheet(exchange: ExchangeId, content: &[u8]) -> Markup {
    let text = String::from_utf8_lossy(content);
    // HL7 v2 ends its segments by carriage returns.
    let text = if text.contains('\n') { text.into_owned() } else { text.replace('\r', "\n") };
    html! {
        h1 { "Body of " span.id { (exchange) } }
        p { a href=(format!("/exchanges/{exchange}")) { "Back to the exchange" } }
        pre.body tabindex="0" role="region" aria-label="Body" {
            @for (number, line) in (1_u32..).zip(text.lines()) { span.line { span.number aria-hidden="true" { (number) } (line) } "\n" }
        }
    }
}
