//! Who looks at the pages. On a loopback address without any operator it is the local user; otherwise somebody who has
//! signed in. What changes something must come from a page of ours.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::TimeDelta;
use maud::html;
use sha2::{Digest, Sha256};

use super::Pages;
use super::page;
use super::role::Role;
use super::sign_in::local;
use crate::store::operators;

/// Whoever does nothing for this long is signed out.
pub(super) const IDLE: TimeDelta = TimeDelta::minutes(30);
/// Nobody stays signed in for longer.
pub(super) const LONGEST: TimeDelta = TimeDelta::hours(12);

/// A person at a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) role: Role,
    /// Signed in, rather than trusted because of the address.
    pub(super) signed_in: bool,
}

/// Lets a request through with its person, or asks to sign in.
pub(super) async fn guard(State(pages): State<Arc<Pages>>, mut request: Request, next: Next) -> Response {
    let answer = match admit(&pages, request.method(), request.uri(), request.headers()).await {
        Ok(person) => {
            request.extensions_mut().insert(person);
            next.run(request).await
        }
        Err(refusal) => *refusal,
    };
    page::secured(answer, pages.secure)
}

/// Who asks, or what they are told instead.
pub(super) async fn admit(
    pages: &Pages,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Person, Box<Response>> {
    let host = host(headers, uri);
    if let Some(refusal) = foreign(method, headers, host) {
        return Err(Box::new(refusal));
    }
    match person(pages, headers, host).await {
        Ok(Some(person)) => Ok(person),
        Ok(None) => Err(Box::new(ask(method, uri, came_from(headers, host)))),
        Err(error) => {
            tracing::error!(%error, "it could not be found out who is signed in");
            Err(Box::new(page::unavailable()))
        }
    }
}

/// Refuses what another site sends to the addresses that need nobody signed in.
pub(super) async fn own_forms(State(pages): State<Arc<Pages>>, request: Request, next: Next) -> Response {
    let host = host(request.headers(), request.uri()).to_owned();
    match foreign(request.method(), request.headers(), &host) {
        Some(refusal) => page::secured(refusal, pages.secure),
        None => next.run(request).await,
    }
}

async fn person(pages: &Pages, headers: &HeaderMap, host: &str) -> sqlx::Result<Option<Person>> {
    let mut db = pages.pool.acquire().await?;
    if let Some(token) = cookie(headers, pages.cookie()) {
        let now = pages.clock.now();
        let hash = Sha256::digest(token.as_bytes());
        let found = operators::use_session(&mut db, &hash, now, now - IDLE, now - LONGEST).await?;
        let person = found.and_then(|(name, role)| Some(Person { name, role: Role::of(&role)?, signed_in: true }));
        if person.is_some() {
            return Ok(person);
        }
    }
    if pages.exposed || !is_local(host) || operators::any(&mut db).await? {
        return Ok(None);
    }
    Ok(Some(Person { name: "local user".to_owned(), role: Role::Operator, signed_in: false }))
}

/// Name and port the client asked for; HTTP/2 has them in the address.
fn host<'h>(headers: &'h HeaderMap, uri: &'h Uri) -> &'h str {
    let told = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    told.or_else(|| uri.authority().map(Authority::as_str)).unwrap_or_default()
}

/// A page that was fetched under another name is not ours, though it leads here.
fn is_local(host: &str) -> bool {
    let name = if host.starts_with('[') { host.split_inclusive(']').next() } else { host.split(':').next() };
    matches!(name, Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Refuses what another site sends in a person's name.
fn foreign(method: &Method, headers: &HeaderMap, host: &str) -> Option<Response> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let ours = match (text("sec-fetch-site"), text("origin")) {
        (Some("same-origin"), _) => true,
        (None, Some(origin)) => origin.split_once("://").map(|(_, rest)| rest) == Some(host),
        (Some(_), _) | (None, None) => false,
    };
    (!ours).then(|| (StatusCode::FORBIDDEN, "this must be sent from a page of this gateway\n").into_response())
}

/// Leads to the form. Whoever sends a form after the session has ended is told that nothing was done, and comes back to
/// the page it stood on.
fn ask(method: &Method, uri: &Uri, came_from: &str) -> Response {
    let form = |next: &str| {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        format!("/sign-in?{query}")
    };
    if *method == Method::POST {
        let content = html! { div.alone {
            h1 { "You are signed out" }
            p role="alert" { "Nothing was done. Sign in and do it again." }
            p { a href=(form(came_from)) { "Sign in" } }
        } };
        return (StatusCode::UNAUTHORIZED, page::bare("Signed out", &content)).into_response();
    }
    if *method != Method::GET || uri.path() == "/live" {
        return (StatusCode::UNAUTHORIZED, "sign in first\n").into_response();
    }
    Redirect::to(&form(uri.path_and_query().map_or("/", |path| path.as_str()))).into_response()
}

/// The page of ours that a form stood on; `/` when the browser does not tell.
fn came_from<'h>(headers: &'h HeaderMap, host: &str) -> &'h str {
    let told = headers.get(header::REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (_, rest) = told.split_once("://").unwrap_or_default();
    local(rest.strip_prefix(host).unwrap_or_default())
}

/// The value of a cookie.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(key, _)| *key == name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| ((*name).parse::<header::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_our_own_pages_may_change_something() {
        let refused = |pairs| foreign(&Method::POST, &headers(pairs), "gateway").is_some();
        assert!(!refused(&[("origin", "https://gateway")]));
        assert!(!refused(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        for foreign in [
            &[][..],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "https://gateway"), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://gateway"), ("sec-fetch-site", "same-site")],
        ] {
            assert!(refused(foreign), "{foreign:?}");
        }
        assert!(foreign(&Method::GET, &headers(&[("sec-fetch-site", "cross-site")]), "gateway").is_none());
    }

    #[test]
    fn a_form_leads_back_to_the_page_it_stood_on_and_nowhere_else() {
        let from = |referer: &str| came_from(&headers(&[("referer", referer)]), "gateway:8080").to_owned();
        assert_eq!(from("https://gateway:8080/exchanges?source=gp"), "/exchanges?source=gp");
        for elsewhere in ["https://evil.example/exchanges", "https://gateway:8080.evil.example/", "gateway:8080/x", ""]
        {
            assert_eq!(from(elsewhere), "/", "{elsewhere}");
        }
    }

    #[test]
    fn the_local_user_comes_under_a_local_name() {
        for (host, local) in
            [("localhost:8080", true), ("127.0.0.1", true), ("[::1]:8080", true), ("evil.example", false), ("", false)]
        {
            assert_eq!(is_local(host), local, "{host}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = headers(&[("cookie", "a=1; signalbox=xyz; b=2")]);
        assert_eq!(cookie(&headers, "signalbox"), Some("xyz"));
        assert_eq!(cookie(&headers, "signal"), None);
    }
}
