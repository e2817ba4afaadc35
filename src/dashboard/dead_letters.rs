//! `/dead-letters`: what needs somebody, by destination and reason, the most frequent first; retried or skipped one by
//! one, or all with one reason.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use maud::{Markup, html};

use super::access::Person;
use super::act::{ask, ask_about, back, failed, not_allowed, reason, verbs};
use super::form::Fields;
use super::page::{Place, moment, page, span};
use super::{Pages, notice, page as pages_};
use crate::delivery::operator::ActError;
use crate::delivery::standing::id;
use crate::exchange::DeliveryId;
use crate::exchange::state::DeliveryState;
use crate::store::overview::{self, DeadLetter, DeadLetters};

/// Dead letters shown of one reason.
const SHOWN: i64 = 20;
/// Dead letters decided by one form.
const AT_ONCE: i64 = 500;

/// The list.
pub(super) async fn show(
    State(pages): State<Arc<Pages>>,
    Extension(person): Extension<Person>,
    RawQuery(query): RawQuery,
) -> Response {
    let look = async {
        let mut db = pages.pool.acquire().await?;
        let mut found = Vec::new();
        for group in overview::dead_letters(&mut db).await? {
            let letters = overview::dead_letters_of(&mut db, &group.destination, group.state, &group.reason, SHOWN);
            let letters = letters.await?;
            found.push((group, letters));
        }
        Ok::<_, sqlx::Error>(found)
    };
    let groups = match look.await {
        Ok(groups) => groups,
        Err(error) => {
            tracing::error!(%error, "dead letters could not be listed");
            return pages_::unavailable();
        }
    };
    let whole: i64 = groups.iter().map(|(group, _)| group.count).sum();
    let now = pages.clock.now();
    let content = html! {
        (notice::shown(query.as_deref()))
        h1 { "Dead letters" }
        p.lead {
            @if groups.is_empty() { "None. Everything was delivered, or is on its way." }
            @else { (whole) " in " (groups.len()) @if groups.len() == 1 { " group" } @else { " groups" }
                ". Later messages of the same patients wait behind them." }
        }
        @for (number, (group, letters)) in groups.iter().enumerate() {
            (section(number, group, letters, &person, &span(now - group.first)))
        }
    };
    page("Dead letters", Some(Place::DeadLetters), &person, &content)
}

fn section(number: usize, group: &DeadLetters, letters: &[DeadLetter], person: &Person, age: &str) -> Markup {
    let title = format!("group-{number}");
    let (verbs, which) = match group.count {
        count if count > AT_ONCE => (["Retry", "Skip"], format!("the first {AT_ONCE} of {count}")),
        count => (["Retry all", "Skip all"], count.to_string()),
    };
    let hidden = [("destination", &*group.destination), ("state", group.state.as_str()), ("because", &*group.reason)];
    let shown = i64::try_from(letters.len()).unwrap_or(i64::MAX);
    html! {
        section.group aria-labelledby=(title) {
            h2 id=(title) { (group.count) " × " (group.destination) " " span.state-word.(group.state.as_str()) { (group.state.as_str()) } }
            p.why { @if group.reason.is_empty() { "no reason was given" } @else { (group.reason) } }
            p.small { "The first " (age) " ago, the last " (moment(group.last)) }
            @if person.role.may_act() && group.count > 1 {
                div.acts {
                    (ask_about(&title, "/dead-letters/retry", verbs[0], &which, "primary", &hidden))
                    (ask_about(&title, "/dead-letters/skip", verbs[1], &which, "danger", &hidden))
                }
                @if group.count > AT_ONCE { p.small { (AT_ONCE) " go at once; then come back for the next." } }
            }
            ul.letters {
                @for letter in letters { (one(letter, person)) }
            }
            @if group.count > shown { p.small { "and " (group.count - shown) " more" } }
        }
    }
}

fn one(letter: &DeadLetter, person: &Person) -> Markup {
    let name = id(letter.exchange);
    let of = |verb: &str| format!("/deliveries/{}/{verb}", id(letter.id));
    html! {
        li {
            a.id href=(format!("/exchanges/{name}")) { (name) }
            span { (letter.resource_type.as_deref().unwrap_or("")) " from " (letter.source) ", "
                (letter.attempts) @if letter.attempts == 1 { " attempt, " } @else { " attempts, " } (moment(letter.updated_at)) }
            @if person.role.may_act() {
                (ask(&of("retry"), "Retry", &name, "primary", &[("next", "/dead-letters")]))
                (ask(&of("skip"), "Skip", &name, "danger", &[("next", "/dead-letters")]))
            }
        }
    }
}

/// Retries or skips all of one destination and reason, as far as one form goes.
pub(super) async fn decide(
    State(pages): State<Arc<Pages>>,
    Extension(person): Extension<Person>,
    Path(verb): Path<String>,
    body: Bytes,
) -> Response {
    if !person.role.may_act() {
        return not_allowed(&person);
    }
    let fields = Fields::read(&body);
    let reason = match reason(&fields, &person) {
        Ok(reason) => reason,
        Err(response) => return *response,
    };
    match all(&pages, &person, &fields, &verb, reason).await {
        Ok(Some(0)) => back("/dead-letters", "unchanged"),
        Ok(Some(count)) => {
            let word = if verb == "retry" { "retried" } else { "skipped" };
            back("/dead-letters", &format!("{word}-{count}"))
        }
        Ok(None) => pages_::missing(&person, "There is no such act."),
        Err(error) => failed(&person, &error),
    }
}

async fn all(
    pages: &Pages,
    person: &Person,
    fields: &Fields<'_>,
    verb: &str,
    reason: &str,
) -> Result<Option<usize>, ActError> {
    let states = [DeliveryState::Dead, DeliveryState::Refused];
    let Some(state) = states.into_iter().find(|state| state.as_str() == fields.get("state")) else {
        return Ok(Some(0));
    };
    let mut db = pages.pool.acquire().await?;
    let letters =
        overview::dead_letters_of(&mut db, fields.get("destination"), state, fields.get("because"), AT_ONCE).await?;
    drop(db);
    let deliveries: Vec<DeliveryId> = letters.iter().filter_map(|letter| DeliveryId::from_uuid(letter.id)).collect();
    if deliveries.is_empty() {
        return Ok(Some(0));
    }
    verbs(pages, person, &deliveries, verb, reason).await
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::dashboard::role::Role;

    #[test]
    fn a_button_says_how_many_it_decides_about() {
        let person = Person { name: "ada".to_owned(), role: Role::Operator, signed_in: true };
        let told = |count| {
            let (first, last) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
            let (destination, reason) = ("pas".to_owned(), "AE".to_owned());
            let group = DeadLetters { destination, state: DeliveryState::Dead, reason, count, first, last };
            section(0, &group, &[], &person, "2 h").into_string()
        };
        assert!(told(500).contains(">Retry all 500</button>"), "{}", told(500));
        let more = told(612);
        assert!(more.contains(">Skip the first 500 of 612</button>") && more.contains("500 go at once"), "{more}");
    }
}
