//! [update](https://hl7.org/fhir/R4/http.html#update): `PUT [base]/{type}/{id}`, version-aware with `If-Match`. The
//! [conditional update](https://hl7.org/fhir/R4/http.html#cond-update) by search, `PUT [base]/{type}?…`, is not served.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use super::Desk;
use super::submission::submit;
use super::visit::Visit;
use crate::exchange::Interaction;
use crate::rejection::Rejection;

/// Takes a resource that replaces the one with its id.
pub(super) async fn update(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Arc<Visit>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    submit(&desk, &visit, Interaction::Update, &uri, &headers).await
}

/// Refuses an update without an id: by search it is a thing FHIR has and we lack, without one it is a mistake.
pub(super) async fn without_id(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Arc<Visit>>,
    uri: Uri,
) -> Response {
    let place = desk.place(&uri);
    let rejection = match place.resource_type() {
        Err(unknown) => unknown,
        Ok(_) if uri.query().is_none() => Rejection::MethodNotAllowed { allow: "POST" },
        Ok(_) => Rejection::NotImplemented("updates by search (conditional updates) are not served".to_owned()),
    };
    desk.turn_away(&visit, &place, rejection).await
}
