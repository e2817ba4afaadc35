//! The operation [`$validate`](https://hl7.org/fhir/R4/resource-operation-validate.html): is this resource valid, and if
//! not, why. Nothing is stored of it and nothing is sent.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;

use super::visit::{ENDPOINT, Visit};
use super::{Desk, answer, conditions, content, query};
use crate::gateway::Question;
use crate::outcome::OperationOutcome;
use crate::rejection::Rejection;

/// `POST [base]/{type}/$validate`
pub(super) async fn of_type(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Arc<Visit>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let resource_type = desk.place(&uri).resource_type().map(Some);
    validate(&desk, &visit, resource_type, &uri, &headers).await
}

/// `POST [base]/$validate`
pub(super) async fn of_any(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Arc<Visit>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    validate(&desk, &visit, Ok(None), &uri, &headers).await
}

async fn validate(
    desk: &Desk,
    visit: &Visit,
    resource_type: Result<Option<String>, Rejection>,
    uri: &Uri,
    headers: &HeaderMap,
) -> Response {
    let question = match ask(visit, resource_type, uri, headers).await {
        Ok(question) => question,
        Err(rejection) => return desk.turn_away(visit, &desk.place(uri), rejection).await,
    };
    match visit.within(desk.gateway.validate(question)).await {
        Ok(issues) => answer::resource(StatusCode::OK, &OperationOutcome(&issues)),
        Err(rejection) => answer::rejected(&rejection),
    }
}

async fn ask(
    visit: &Visit,
    resource_type: Result<Option<String>, Rejection>,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Question, Rejection> {
    let resource_type = resource_type?;
    content::check(headers)?;
    query::check(uri, headers)?;
    visit.named.check()?;
    conditions::read(headers, None)?;
    Ok(Question {
        endpoint: ENDPOINT.into(),
        sender: visit.sender.clone(),
        resource_type,
        ids: visit.named.ids.clone(),
        received_at: visit.received_at,
        body: visit.body().await?,
    })
}
