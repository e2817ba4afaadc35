//! [read](https://hl7.org/fhir/R4/http.html#read) of a Task, `GET [base]/Task/{id}`: what became of an exchange, for
//! the source that sent it and nobody else.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::visit::Visit;
use super::{Desk, answer, conditions, query, task_resource};
use crate::exchange::ExchangeId;
use crate::exchange::state::ExchangeStatus;
use crate::rejection::Rejection;

/// Answers with the Task, or `304 Not Modified` when the sender holds this version of it.
pub(super) async fn read(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Arc<Visit>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let place = desk.place(&uri);
    let exchange = match exchange(&visit, place.written_id(), &uri, &headers) {
        Ok(exchange) => exchange,
        Err(rejection) => return desk.turn_away(&visit, &place, rejection).await,
    };
    match visit.within(desk.gateway.status(&visit.sender, exchange)).await {
        Ok(Some(status)) => show(&status, &headers),
        Ok(None) => desk.turn_away(&visit, &place, missing()).await,
        Err(rejection) => answer::rejected(&rejection),
    }
}

fn exchange(visit: &Visit, id: &str, uri: &Uri, headers: &HeaderMap) -> Result<ExchangeId, Rejection> {
    query::check(uri, headers)?;
    visit.named.check()?;
    conditions::read(headers, None)?;
    id.parse().map_err(|_| missing())
}

/// Another source's Task, a Task that never was and a text that is no id read the same.
fn missing() -> Rejection {
    Rejection::NotFound("this source has no Task with this id".to_owned())
}

fn show(status: &ExchangeStatus, headers: &HeaderMap) -> Response {
    let task = task_resource::render(status);
    let tag = format!("W/\"{}\"", task.version);
    let held = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let current = held.flat_map(|value| value.split(',')).any(|held| held.trim() == tag);
    let mut answer = if current {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        answer::resource(StatusCode::OK, &task.resource)
    };
    answer::put(answer.headers_mut(), header::ETAG, &tag);
    let modified = task.modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    answer::put(answer.headers_mut(), header::LAST_MODIFIED, &modified);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::task_resource::tests::exchange_with;
    use axum::http::HeaderValue;

    #[test]
    fn a_sender_that_holds_this_version_is_not_sent_it_again() {
        let status = exchange_with(&[]);
        let first = show(&status, &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[header::LAST_MODIFIED], "Wed, 01 Jul 2026 09:30:00 GMT");
        let tag = first.headers()[header::ETAG].clone();
        let held = format!("W/\"other\", {}", tag.to_str().unwrap());
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_str(&held).unwrap())]);
        let again = show(&status, &headers);
        assert_eq!((again.status(), &again.headers()[header::ETAG]), (StatusCode::NOT_MODIFIED, &tag));
    }
}
