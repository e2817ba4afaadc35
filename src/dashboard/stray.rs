//! Addresses that lead nowhere: whoever may see the pages is told so by a page, and strangers are asked to sign in, as
//! everywhere. What is no person's request goes on to the front door.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::sign_in::local;
use super::{Pages, access, page};

/// Meets a browser at an address that there is not.
pub(super) async fn meet(State(pages): State<Arc<Pages>>, request: Request, next: Next) -> Response {
    let known = request.extensions().get::<MatchedPath>().is_some();
    let path = request.uri().path();
    let fhir = path == "/fhir" || path.starts_with("/fhir/");
    if known || fhir || *request.method() != Method::GET || !takes_pages(request.headers()) {
        return next.run(request).await;
    }
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    let answer = match access::admit(&pages, method, uri, headers).await {
        Err(refusal) => *refusal,
        Ok(person) => match path.strip_suffix('/') {
            Some(shorter) => {
                let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
                Redirect::to(local(&format!("{shorter}{query}"))).into_response()
            }
            None => page::missing(&person, "There is no page at this address."),
        },
    };
    page::secured(answer, pages.secure)
}

/// Whether it is a browser that would show a page.
fn takes_pages(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| value.contains("text/html"))
}
