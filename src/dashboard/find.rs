//! The one search box: a patient's number, or the id of an exchange, a delivery, a request or a message. A number never
//! stands in an address: what the address carries is its keyed hash, which nobody without the gateway's secret can make or
//! undo. Nothing else of what was typed stands there either, unless a message has it as its id.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use sqlx::PgConnection;
use uuid::Uuid;

use super::access::Person;
use super::form::Fields;
use super::{Pages, page};
use crate::delivery::standing::id;
use crate::exchange::ExchangeId;
use crate::exchange::ids::Id;
use crate::formats::fhir_json::patients;
use crate::formats::hl7v2::uk;
use crate::store::exchanges;
use crate::store::stories::{self, Filter};

/// Leads to what is looked for, or says how it was understood when it leads nowhere.
pub(super) async fn find(
    State(pages): State<Arc<Pages>>,
    Extension(person): Extension<Person>,
    body: Bytes,
) -> Response {
    let fields = Fields::read(&body);
    let what = fields.get("what").trim();
    if what.is_empty() || what.len() > 300 {
        let sentence = "Give an NHS number, another identifier as SYSTEM|VALUE, or the id of an exchange, a delivery, a \
                        request or a message.";
        return page::refused(&person, StatusCode::UNPROCESSABLE_ENTITY, sentence);
    }
    let look = async {
        let mut db = pages.pool.acquire().await?;
        lead(&pages, &mut db, what).await
    };
    match look.await {
        Ok(Some(to)) => Redirect::to(&to).into_response(),
        Ok(None) => page::missing(&person, understood(what, &pages.patient_system)),
        Err(error) => {
            tracing::error!(%error, "what was looked for could not be asked of the database");
            page::unavailable()
        }
    }
}

/// Where it leads; `None` for what nothing here has.
async fn lead(pages: &Pages, db: &mut PgConnection, what: &str) -> sqlx::Result<Option<String>> {
    let hash = |system: &str, value: &str| pages.search_key.key(&patients::identifier_key(system, value));
    let about = |key: [u8; 32], more: &str| Some(format!("/exchanges?patient={}{more}", hex::encode(key)));
    if let Some((system, value)) = what.split_once('|') {
        return Ok(about(hash(system, value), ""));
    }
    if let Some(to) = by_id(db, what).await? {
        return Ok(Some(to));
    }
    let number = nhs_number(what, &pages.patient_system);
    let key = hash(&pages.patient_system, number.as_ref().map_or(what, |(digits, _)| digits));
    match number {
        Some((_, true)) => return Ok(about(key, "")),
        // Partners do send such numbers.
        wrong if is_any(db, Filter { key: Some(key), ..Filter::default() }).await? => {
            return Ok(about(key, if wrong.is_some() { "&check=wrong" } else { "" }));
        }
        _ => {}
    }
    by_correlation(db, what).await
}

async fn is_any(db: &mut PgConnection, filter: Filter) -> sqlx::Result<bool> {
    Ok(!stories::list(db, &filter, 1).await?.is_empty())
}

/// An id of ours, as 20 characters or as a UUID, or a request's.
async fn by_id(db: &mut PgConnection, what: &str) -> sqlx::Result<Option<String>> {
    let request = Uuid::parse_str(what).ok();
    if let Some(ours) = what.parse::<Id>().ok().or_else(|| request.and_then(Id::from_uuid)) {
        if exchanges::exists(db, ours.uuid()).await? {
            return Ok(Some(format!("/exchanges/{ours}")));
        }
        if let Some(exchange) = exchanges::of_delivery(db, ours.uuid()).await?.and_then(ExchangeId::from_uuid) {
            return Ok(Some(format!("/exchanges/{exchange}")));
        }
    }
    let Some(request) = request else { return Ok(None) };
    let known = is_any(db, Filter { request_id: Some(request), ..Filter::default() }).await?;
    Ok(known.then(|| format!("/exchanges?request={request}")))
}

/// A correlation id, or what a sender of HL7 v2 calls its message.
async fn by_correlation(db: &mut PgConnection, what: &str) -> sqlx::Result<Option<String>> {
    let filter = Filter { correlation_id: Some(what.to_owned()), ..Filter::default() };
    Ok(match &stories::list(db, &filter, 2).await?[..] {
        [] => None,
        [one] => Some(format!("/exchanges/{}", id(one.id))),
        _ => {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("correlation", what).finish();
            Some(format!("/exchanges?{query}"))
        }
    })
}

/// Ten digits, however they are grouped, where patients have NHS numbers; and whether the check digit is right.
fn nhs_number(what: &str, system: &str) -> Option<(String, bool)> {
    let digits: String = what.chars().filter(|letter| !letter.is_whitespace() && !is_dash(*letter)).collect();
    let is_one = system == uk::NHS_NUMBER && digits.len() == 10 && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_one.then(|| {
        let right = uk::is_nhs_number(&digits);
        (digits, right)
    })
}

fn is_dash(letter: char) -> bool {
    matches!(letter, '-' | '\u{2010}'..='\u{2015}')
}

/// How something that leads nowhere was understood.
fn understood(what: &str, system: &str) -> &'static str {
    let length = what.chars().count();
    let has = |kind: fn(&char) -> bool| what.chars().any(|letter| kind(&letter));
    if nhs_number(what, system).is_some() {
        "This is not an NHS number: its check digit is wrong. No patient is known by it, and no message has it as its id."
    } else if Uuid::parse_str(what).is_ok() || what.parse::<Id>().is_ok() {
        "No exchange, delivery, request or message has this id, or its record has been purged."
    } else if !has(|letter| letter.is_alphabetic()) && has(char::is_ascii_digit) {
        "This is not an NHS number, which has 10 digits. No patient is known by it, and no message has it as its id."
    } else if !has(char::is_ascii_digit) {
        "This was understood as a name, or as the id of a message. Nobody is found by a name, because names are not kept; \
         and no message has it as its id."
    } else if length < 20 && !what.contains(char::is_whitespace) {
        "No patient is known by this, and no message has it as its id. The id of an exchange or a delivery has 20 \
         characters, and must be whole."
    } else {
        "No patient is known by this, and no message has it as its id."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_nhs_number_is_known_however_it_is_grouped() {
        let told = |what| nhs_number(what, uk::NHS_NUMBER);
        for right in ["9990010757", "999 001 0757", "999-001-0757", "999\u{2013}001\u{2013}0757"] {
            assert_eq!(told(right), Some(("9990010757".to_owned(), true)), "{right}");
        }
        assert_eq!(told("999-001-0758"), Some(("9990010758".to_owned(), false)));
        for none in ["999001075", "99900107577", "999001075X", "A1", ""] {
            assert_eq!(told(none), None, "{none}");
        }
        assert_eq!(nhs_number("9990010757", "https://example.org/mrn"), None, "patients have other numbers");
    }

    #[test]
    fn what_leads_nowhere_is_told_as_what_it_was_taken_for() {
        for (what, told) in [
            ("999 001 0758", "its check digit is wrong"),
            ("999001075", "has 10 digits"),
            ("Lovelace", "names are not kept"),
            ("06H2HM7YMF", "must be whole"),
            ("06H2HM7YMFE0MSS9C0J2", "No exchange, delivery, request or message"),
            ("3f1c9d2e-5a44-4c6b-9a1e-0c2f6a7b8c9d", "No exchange, delivery, request or message"),
            ("MSG 0001", "No patient is known by this"),
        ] {
            let sentence = understood(what, uk::NHS_NUMBER);
            assert!(sentence.contains(told), "{what}: {sentence}");
        }
    }
}
