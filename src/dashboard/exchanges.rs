//! `/exchanges`: what passed the gateway, newest first, by what the address asks for.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::TimeDelta;
use maud::{Markup, html};
use uuid::Uuid;

use super::access::Person;
use super::home;
use super::page::{Place, page};
use super::{Pages, page as pages_};
use crate::delivery::standing::id;
use crate::exchange::ExchangeId;
use crate::exchange::rows::ExchangeOutcome;
use crate::exchange::state::DeliveryState;
use crate::store::stories::{self, Filter, Line};

/// Rows of a page.
const ROWS: usize = 50;

/// Spans that can be looked at, with their words.
const SPANS: [(&str, &str, i64); 4] =
    [("1h", "Last hour", 60), ("24h", "Last day", 24 * 60), ("7d", "Last week", 7 * 24 * 60), ("", "Any time", 0)];

/// What was asked for, by name; only what is known here.
struct Asked(HashMap<String, String>);

impl Asked {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The filter, or what is wrong with what was asked for.
    fn filter(&self, pages: &Pages) -> Result<Filter, String> {
        let unknown = |name: &str, value: &str| format!("'{value}' is not one of the values of '{name}'.");
        let outcome = self.get("outcome").map(|word| outcome(word).ok_or_else(|| unknown("outcome", word)));
        let states = self.get("state").map(|word| DeliveryState::meant_by(word).ok_or_else(|| unknown("state", word)));
        let key = self.get("patient").map(|hex| {
            let mut key = [0; 32];
            hex::decode_to_slice(hex, &mut key).map(|()| key).map_err(|_| unknown("patient", "…"))
        });
        let request = self.get("request").map(|text| Uuid::parse_str(text).map_err(|_| unknown("request", text)));
        let before = self.get("before").map(|text| text.parse::<ExchangeId>().map_err(|_| unknown("before", text)));
        let since = self.get("since").map(|word| {
            let found = SPANS.iter().find(|(known, ..)| *known == word);
            found
                .map(|(.., minutes)| pages.clock.now() - TimeDelta::minutes(*minutes))
                .ok_or_else(|| unknown("since", word))
        });
        let text = |name| {
            let found = self.get(name).map(str::to_owned);
            let fault = || format!("The value of '{name}' holds a control character, which none has.");
            found.map(|text| if text.contains(char::is_control) { Err(fault()) } else { Ok(text) }).transpose()
        };
        let resource_type = text("type")?.map(|word| kind(&word, &pages.resource_types));
        Ok(Filter {
            source: text("source")?,
            resource_type: resource_type.transpose()?,
            outcome: outcome.transpose()?,
            states: states.transpose()?.unwrap_or_default().to_vec(),
            key: key.transpose()?,
            request_id: request.transpose()?,
            correlation_id: text("correlation")?,
            since: since.transpose()?,
            destination: text("destination")?,
            before: before.transpose()?.map(ExchangeId::uuid),
        })
    }

    /// The same page, from further back.
    fn older(&self, last: &Line) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let mut kept: Vec<_> = self.0.iter().filter(|(name, value)| *name != "before" && !value.is_empty()).collect();
        kept.sort();
        query.extend_pairs(kept);
        query.append_pair("before", &id(last.id));
        format!("/exchanges?{}", query.finish())
    }
}

/// A resource type as FHIR writes it, or the type of an HL7 v2 message.
fn kind(word: &str, types: &[String]) -> Result<String, String> {
    let message = |text: &str| text.split('^').next().is_some_and(|code| code.len() == 3);
    let same = types.iter().find(|known| known.eq_ignore_ascii_case(word)).cloned();
    same.or_else(|| message(word).then(|| word.to_ascii_uppercase())).ok_or_else(|| {
        format!("'{word}' is neither a resource type of FHIR R4 nor the type of a message, such as ADT^A31.")
    })
}

fn outcome(word: &str) -> Option<ExchangeOutcome> {
    ExchangeOutcome::ALL.into_iter().find(|outcome| outcome.as_str() == word)
}

/// The list.
pub(super) async fn show(
    State(pages): State<Arc<Pages>>,
    Extension(person): Extension<Person>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let asked = Asked(query);
    let filter = match asked.filter(&pages) {
        Ok(filter) => filter,
        Err(sentence) => return pages_::refused(&person, axum::http::StatusCode::BAD_REQUEST, &sentence),
    };
    let look = async {
        let mut db = pages.pool.acquire().await?;
        stories::list(&mut db, &filter, i64::try_from(ROWS + 1).unwrap_or(i64::MAX)).await
    };
    let mut lines = match look.await {
        Ok(lines) => lines,
        Err(error) => {
            tracing::error!(%error, "exchanges could not be listed");
            return pages_::unavailable();
        }
    };
    let more = lines.len() > ROWS;
    lines.truncate(ROWS);
    let content = html! {
        h1 { "Exchanges" }
        (filters(&asked, &pages))
        @if asked.get("patient").is_some() {
            p.note {
                @if asked.get("check").is_some() { "The check digit of this NHS number is wrong. " }
                @if lines.is_empty() { "No exchange about the patient with this number. " }
                @else { "Exchanges about one patient. " }
                a href="/exchanges" { "Show all" }
            }
        }
        @if let Some(request) = asked.get("request") {
            p.note { "Exchanges with request id " code { (request) } ". " a href="/exchanges" { "Show all" } }
        }
        @if let Some(correlation) = asked.get("correlation") {
            p.note { "Exchanges with correlation id " code { (correlation) } ". " a href="/exchanges" { "Show all" } }
        }
        (home::table(&lines))
        nav.turn aria-label="Turn the page" {
            @if asked.get("before").is_some() { a href="/exchanges" { "Newest" } }
            @if let Some(last) = lines.last().filter(|_| more) { a rel="next" href=(asked.older(last)) { "Older" } }
        }
    };
    page("Exchanges", Some(Place::Exchanges), &person, &content)
}

fn filters(asked: &Asked, pages: &Pages) -> Markup {
    let words = |name: &str, shown: &str, all: Vec<(String, String)>| {
        let chosen = asked.get(name).unwrap_or("");
        html! {
            div {
                label for=(name) { (shown) }
                select id=(name) name=(name) {
                    option value="" selected[chosen.is_empty()] { "Any" }
                    @for (value, word) in &all { option value=(value) selected[chosen == value] { (word) } }
                    @if !chosen.is_empty() && !all.iter().any(|(value, _)| value == chosen) {
                        option value=(chosen) selected { (chosen) " (not configured)" }
                    }
                }
            }
        }
    };
    let same = |word: &str| (word.to_owned(), word.to_owned());
    let text = |name: &str, shown: &str| {
        html! { div { label for=(name) { (shown) }
        input id=(name) name=(name) value=(asked.get(name).unwrap_or("")) maxlength="100" autocomplete="off"
            spellcheck="false"; } }
    };
    let states = ["pending"].into_iter().chain(DeliveryState::ALL.map(DeliveryState::as_str)).map(same);
    html! {
        form.filters method="get" action="/exchanges" aria-label="Filters" {
            @for name in ["patient", "check", "request", "correlation"] {
                @if let Some(value) = asked.get(name) { input type="hidden" name=(name) value=(value); }
            }
            (words("outcome", "Outcome", ExchangeOutcome::ALL.iter().map(|outcome| same(outcome.as_str())).collect()))
            (words("state", "Delivery", states.collect()))
            (words("destination", "Destination", pages.destinations.iter().map(|name| same(name)).collect()))
            (text("source", "Source"))
            (text("type", "Type"))
            (words("since", "Received", SPANS[..3].iter().map(|(word, shown, _)| ((*word).to_owned(), (*shown).to_owned())).collect()))
            button type="submit" { "Filter" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn a_type_is_known_in_either_case_and_what_is_none_is_said_to_be_none() {
        let types = ["MedicationRequest", "Patient"].map(str::to_owned);
        for (word, known) in
            [("patient", "Patient"), ("medicationrequest", "MedicationRequest"), ("adt^a31", "ADT^A31"), ("ORU", "ORU")]
        {
            assert_eq!(kind(word, &types).as_deref(), Ok(known));
        }
        for none in ["Patients", "ADTA31", "\u{e9}"] {
            assert!(kind(none, &types).unwrap_err().contains("neither a resource type"), "{none}");
        }
    }
}
