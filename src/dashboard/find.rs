//! The one search box: an exchange id, a request id, or a patient's number. A number never stands in an address: what the
//! address carries is its keyed hash, which nobody without the gateway's secret can make or undo.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use uuid::Uuid;

use super::access::Person;
use super::form::Fields;
use super::{Pages, page};
use crate::exchange::ExchangeId;
use crate::formats::fhir_json::patients;

/// Leads to what is looked for.
pub(super) async fn find(
    State(pages): State<Arc<Pages>>,
    Extension(person): Extension<Person>,
    body: Bytes,
) -> Response {
    let fields = Fields::read(&body);
    let what = fields.get("what").trim();
    if what.is_empty() || what.len() > 300 {
        let sentence = "Give an NHS number, another identifier as SYSTEM|VALUE, a request id or an exchange id.";
        return page::refused(&person, StatusCode::UNPROCESSABLE_ENTITY, sentence);
    }
    let to = address(what).unwrap_or_else(|| {
        let (system, value) = what.split_once('|').unwrap_or((&pages.patient_system, what));
        let key = pages.search_key.key(&patients::identifier_key(system, value));
        format!("/exchanges?patient={}", hex::encode(key))
    });
    Redirect::to(&to).into_response()
}

/// Where an id leads; `None` for what is none.
fn address(what: &str) -> Option<String> {
    if let Ok(id) = what.parse::<ExchangeId>() {
        return Some(format!("/exchanges/{id}"));
    }
    let uuid = Uuid::parse_str(what).ok()?;
    Some(match ExchangeId::from_uuid(uuid) {
        Some(id) => format!("/exchanges/{id}"),
        None => format!("/exchanges?request={uuid}"),
    })
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_id_is_told_from_a_number() {
        assert_eq!(address("06h0rdwhntmxvj1tznhv").as_deref(), Some("/exchanges/06H0RDWHNTMXVJ1TZNHV"));
        let request = "3f1c9d2e-5a44-4c6b-9a1e-0c2f6a7b8c9d";
        assert_eq!(address(request), Some(format!("/exchanges?request={request}")));
        assert_eq!(address("9990000018"), None);
        assert_eq!(address("https://example.org/mrn|A1"), None);
    }
}
