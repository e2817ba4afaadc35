//! Pausing a destination, and letting it go on.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;

use super::access::Person;
use super::act::{back, failed, not_allowed, reason};
use super::form::Fields;
use super::{Pages, page};
use crate::delivery::operator::{self, ActError};

/// Pauses or resumes.
pub(super) async fn switch(
    State(pages): State<Arc<Pages>>,
    Extension(person): Extension<Person>,
    Path((name, verb)): Path<(String, String)>,
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
    let act = pages.act(&person, reason);
    let done = async {
        let mut db = pages.pool.acquire().await?;
        match verb.as_str() {
            "pause" => operator::pause(&mut db, &name, &act).await.map(|()| Some("paused")),
            "resume" => operator::resume(&mut db, &name, &act).await.map(|()| Some("resumed")),
            _ => Ok(None),
        }
    };
    match done.await {
        Ok(Some(notice)) => back("/", notice),
        Ok(None) => page::missing(&person, "There is no such act."),
        Err(ActError::Unchanged { .. }) => back("/", "unchanged"),
        Err(error) => failed(&person, &error),
    }
}
