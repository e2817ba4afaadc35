//! What a person decides on a page: who, why and when go with every act, and the next page tells what came of it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use maud::{Markup, html};

use super::access::Person;
use super::form::Fields;
use super::page::sentence;
use super::sign_in::local;
use super::{Pages, page};
use crate::delivery::operator::{self, Act, ActError, LONGEST_REASON, check_reason};
use crate::exchange::DeliveryId;

impl Pages {
    /// The act of a person, for this reason.
    pub(super) fn act(&self, person: &Person, reason: &str) -> Act {
        Act {
            actor: person.name.clone(),
            reason: reason.to_owned(),
            now: self.clock.now(),
            config_hash: self.config_hash.clone(),
            packs: self.packs.clone(),
        }
    }
}

/// The reason of a form, or the page that asks for one.
pub(super) fn reason<'f>(fields: &'f Fields<'_>, person: &Person) -> Result<&'f str, Box<Response>> {
    let reason = fields.get("reason").trim();
    check_reason(reason).map(|()| reason).map_err(|error| Box::new(failed(person, &error)))
}

/// The page for somebody whose role does not allow it.
pub(super) fn not_allowed(person: &Person) -> Response {
    let sentence = format!("The role '{}' does not allow this.", person.role.as_str());
    page::refused(person, StatusCode::FORBIDDEN, &sentence)
}

/// The page after an act that was not done.
pub(super) fn failed(person: &Person, error: &ActError) -> Response {
    let status = match error {
        ActError::NotFound(_) | ActError::NoDestination(_) | ActError::NoExchange(_) => StatusCode::NOT_FOUND,
        ActError::NoReason | ActError::LongReason(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ActError::NotPossible { .. } | ActError::Unchanged { .. } | ActError::NotQuarantined(_) => StatusCode::CONFLICT,
        ActError::Database(error) => {
            tracing::error!(%error, "an act of an operator failed");
            return page::unavailable();
        }
    };
    page::refused(person, status, &sentence(&error.to_string()))
}

/// Back to a page of ours, with a notice of what was done.
pub(super) fn back(to: &str, notice: &str) -> Response {
    let to = local(to);
    let joint = if to.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{to}{joint}notice={notice}")).into_response()
}

/// A form with a reason behind a word; `name` makes its labels unlike all others on the page.
pub(super) fn ask(action: &str, verb: &str, name: &str, class: &str, hidden: &[(&str, &str)]) -> Markup {
    ask_about(name, action, verb, name, class, hidden)
}

/// Such a form, where others of its name may stand on the page; `about` is unlike theirs.
pub(super) fn ask_about(
    about: &str,
    action: &str,
    verb: &str,
    name: &str,
    class: &str,
    hidden: &[(&str, &str)],
) -> Markup {
    let field = format!("reason {} {about}", verb.to_lowercase()).replace(' ', "-");
    html! {
        details.act {
            summary.(class) aria-label=(format!("{verb} {name}")) { (verb) "…" }
            form method="post" action=(action) {
                @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
                label for=(field) { "Why? It is kept in the register." }
                input id=(field) name="reason" required maxlength=(LONGEST_REASON) autocomplete="off";
                button.(class) type="submit" { (verb) " " (name) }
            }
        }
    }
}

/// Retries or skips one delivery.
pub(super) async fn decide(
    State(pages): State<Arc<Pages>>,
    Extension(person): Extension<Person>,
    Path((id, verb)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let Ok(id) = id.parse::<DeliveryId>() else { return page::missing(&person, "There is no such delivery.") };
    if !person.role.may_act() {
        return not_allowed(&person);
    }
    let fields = Fields::read(&body);
    let reason = match reason(&fields, &person) {
        Ok(reason) => reason,
        Err(response) => return *response,
    };
    match verbs(&pages, &person, &[id], &verb, reason).await {
        Ok(Some(0)) => back(fields.get("next"), "unchanged"),
        Ok(Some(_)) => back(fields.get("next"), if verb == "retry" { "retried-1" } else { "skipped-1" }),
        Ok(None) => page::missing(&person, "There is no such act."),
        Err(error) => failed(&person, &error),
    }
}

/// Retries or skips deliveries, one commit each; how many it was done to, or `None` when the verb is neither. Of several,
/// one that somebody else has settled meanwhile is passed over.
pub(super) async fn verbs(
    pages: &Pages,
    person: &Person,
    deliveries: &[DeliveryId],
    verb: &str,
    reason: &str,
) -> Result<Option<usize>, ActError> {
    let act = pages.act(person, reason);
    let mut db = pages.pool.acquire().await?;
    let mut done = 0;
    for &id in deliveries {
        let one = match verb {
            "retry" => operator::retry(&mut db, id, &act).await,
            "skip" => operator::skip(&mut db, id, &act).await,
            _ => return Ok(None),
        };
        match one {
            Ok(()) => done += 1,
            Err(ActError::NotPossible { .. }) if deliveries.len() > 1 => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(done))
}
