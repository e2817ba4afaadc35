//! `/quarantine`: messages that the policy of their source holds, in their order, with what was found; an operator releases
//! or refuses each.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use maud::{Markup, html};

use super::access::Person;
use super::act::{ask, back, failed, not_allowed, reason};
use super::exchange::issue_list;
use super::form::Fields;
use super::page::{Place, moment, page, span};
use super::{Pages, notice, page as pages_};
use crate::delivery::operator::ActError;
use crate::delivery::quarantine::{Decision, decide as decide_on};
use crate::delivery::standing::id;
use crate::exchange::ExchangeId;
use crate::outcome::Issue;
use crate::store::quarantine::{self, Held};

/// Exchanges on the page.
const SHOWN: i64 = 50;
/// Issues of one exchange; its own page has them all.
const ISSUES: usize = 5;

/// The list.
pub(super) async fn show(
    State(pages): State<Arc<Pages>>,
    Extension(person): Extension<Person>,
    RawQuery(query): RawQuery,
) -> Response {
    let look = async {
        let mut db = pages.pool.acquire().await?;
        Ok::<_, sqlx::Error>((quarantine::list(&mut db, SHOWN).await?, quarantine::count(&mut db).await?))
    };
    let (held, whole) = match look.await {
        Ok(found) => found,
        Err(error) => {
            tracing::error!(%error, "the quarantine could not be listed");
            return pages_::unavailable();
        }
    };
    let now = pages.clock.now();
    let content = html! {
        (notice::shown(query.as_deref()))
        h1 { "Quarantine" }
        p.lead {
            @match whole {
                0 => { "None. No message waits for a decision." }
                1 => { "1 message is held for a decision. Later messages of the same patient wait behind it." }
                _ => { (whole) " messages are held for a decision. Later messages of the same patients wait behind them." }
            }
        }
        @for one in &held { (section(one, &person, &span(now - one.received_at))) }
        @let more = whole - i64::try_from(held.len()).unwrap_or(whole);
        @if more > 0 { p.small { "and " (more) " more, which come when these are decided" } }
    };
    page("Quarantine", Some(Place::Quarantine), &person, &content)
}

fn section(held: &Held, person: &Person, age: &str) -> Markup {
    let name = id(held.id);
    let title = format!("held-{name}");
    let what = held.resource_type.as_deref().unwrap_or("message");
    let found: Vec<Issue> = held.issues.0.iter().filter(|issue| issue.severity != "information").cloned().collect();
    html! {
        section.group.quarantined aria-labelledby=(title) {
            h2 id=(title) { (what) " from " (held.source) " to " (held.destinations) " "
                span.state-word.quarantined { "quarantined" } }
            p.small {
                a.id href=(format!("/exchanges/{name}")) { (name) } " " (held.interaction) ", received " (age) " ago, "
                (moment(held.received_at)) ". "
                @match held.behind {
                    0 => { "Nothing waits behind it." }
                    1 => { "1 later delivery waits behind it." }
                    behind => { (behind) " later deliveries wait behind it." }
                }
            }
            (issue_list(&found[..found.len().min(ISSUES)]))
            @if found.len() > ISSUES { p.small { "and " (found.len() - ISSUES) " more issues" } }
            @if person.role.may_act() { (acts(&name, "/quarantine")) }
        }
    }
}

/// The two decisions, each with its reason.
pub(super) fn acts(exchange: &str, next: &str) -> Markup {
    let of = |decision: Decision| format!("/quarantine/{exchange}/{}", decision.as_str());
    html! {
        div.acts {
            (ask(&of(Decision::Release), "Release", exchange, "primary", &[("next", next)]))
            (ask(&of(Decision::Refuse), "Refuse", exchange, "danger", &[("next", next)]))
        }
    }
}

/// Releases or refuses one exchange.
pub(super) async fn decide(
    State(pages): State<Arc<Pages>>,
    Extension(person): Extension<Person>,
    Path((exchange, verb)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let Ok(exchange) = exchange.parse::<ExchangeId>() else {
        return pages_::missing(&person, "There is no such exchange.");
    };
    let Some(decision) = Decision::of(&verb) else { return pages_::missing(&person, "There is no such act.") };
    if !person.role.may_act() {
        return not_allowed(&person);
    }
    let fields = Fields::read(&body);
    let reason = match reason(&fields, &person) {
        Ok(reason) => reason,
        Err(response) => return *response,
    };
    let act = pages.act(&person, reason);
    let decided = async {
        let mut db = pages.pool.acquire().await?;
        decide_on(&mut db, exchange, decision, &act).await
    };
    match decided.await {
        Ok(_) => back(fields.get("next"), if decision == Decision::Release { "released" } else { "refused" }),
        Err(ActError::NotQuarantined(_)) => back(fields.get("next"), "unchanged"),
        Err(error) => failed(&person, &error),
    }
}
