//! [create](https://hl7.org/fhir/R4/http.html#create): `POST [base]/{type}`, conditional with `If-None-Exist`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use super::Desk;
use super::submission::submit;
use super::visit::Visit;
use crate::exchange::Interaction;

/// Takes a new resource.
pub(super) async fn create(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Arc<Visit>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    submit(&desk, &visit, Interaction::Create, &uri, &headers).await
}
