//! Addresses and methods we do not serve: `404`, `405` with the methods that are, or `501` for what FHIR has and this
//! gateway lacks. Only a known source gets here, so each is written to the register.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;

use super::Desk;
use super::visit::Visit;
use crate::rejection::Rejection;

/// An address that is not served at all.
pub(super) async fn address(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Arc<Visit>>,
    uri: Uri,
) -> Response {
    let rejection = Rejection::NotFound("nothing is served at this address".to_owned());
    desk.turn_away(&visit, &desk.place(&uri), rejection).await
}

/// Another method than POST at the base itself: search and history of the whole system.
pub(super) async fn system(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Arc<Visit>>,
    uri: Uri,
) -> Response {
    let rejection = Rejection::NotImplemented(
        "search and history of the whole system are not served; the base takes a POST of a batch or transaction"
            .to_owned(),
    );
    desk.turn_away(&visit, &desk.place(&uri), rejection).await
}

/// Another method at an address of fixed name.
pub(super) async fn method(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Arc<Visit>>,
    uri: Uri,
    allow: &'static str,
) -> Response {
    desk.turn_away(&visit, &desk.place(&uri), Rejection::MethodNotAllowed { allow }).await
}

/// Another method at the address of a type or of one of its resources; an unknown type has no methods at all.
pub(super) async fn method_of_type(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Arc<Visit>>,
    uri: Uri,
    allow: &'static str,
) -> Response {
    let place = desk.place(&uri);
    let operation = place.written_id().starts_with('$');
    let rejection = match place.resource_type() {
        Err(unknown) => unknown,
        Ok(_) if operation => Rejection::NotFound("this operation is not served".to_owned()),
        Ok(_) => Rejection::MethodNotAllowed { allow },
    };
    desk.turn_away(&visit, &place, rejection).await
}
