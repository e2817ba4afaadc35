//! Signing in and out. A wrong password is answered the same whoever's it was, is written to the register, and after a
//! few of them the name is not tried again for a while.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::access::{IDLE, LONGEST, cookie};
use super::form::Fields;
use super::{Pages, page, password};
use crate::store::operators;

/// Wrong passwords in a row before a name is left alone.
const TRIES: u32 = 5;
/// For this long.
const LEFT_ALONE: TimeDelta = TimeDelta::minutes(15);
/// Passwords that are compared at once: each takes 19 MiB and some time.
const AT_ONCE: usize = 2;
/// Names and addresses whose tries are remembered; of more, the oldest is forgotten.
const REMEMBERED: usize = 10_000;
/// Characters of a name that are told apart; no operator has a longer one.
const LONGEST_NAME: usize = 64;

/// Who tries: the name, and the address they come from.
type Who = (String, IpAddr);

/// Tries by name and address since the last that was right, with the time of the last one, and room to compare them.
pub(super) struct Throttle {
    tries: Mutex<HashMap<Who, (u32, DateTime<Utc>)>>,
    room: Semaphore,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { tries: Mutex::default(), room: Semaphore::new(AT_ONCE) }
    }
}

impl Throttle {
    /// Counts a try before its password is compared, or many that come at once would all be; `false` after too many.
    fn admits(&self, who: &Who, now: DateTime<Utc>) -> bool {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.retain(|_, (_, last)| now - *last < LEFT_ALONE);
        if tries.len() >= REMEMBERED && !tries.contains_key(who) {
            let oldest = tries.iter().min_by_key(|(_, (_, last))| *last).map(|(who, _)| who.clone());
            oldest.and_then(|oldest| tries.remove(&oldest));
        }
        let (count, last) = tries.entry(who.clone()).or_insert((0, now));
        if *count >= TRIES {
            return false;
        }
        (*count, *last) = (*count + 1, now);
        true
    }

    fn forget(&self, who: &Who) {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner).remove(who);
    }
}

/// The form.
pub(super) async fn form(State(pages): State<Arc<Pages>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let known = match pages.pool.acquire().await {
        Ok(mut db) => operators::any(&mut db).await,
        Err(error) => Err(error),
    };
    let next = query.get("next").map_or("/", String::as_str);
    match known {
        Ok(known) => page::secured(page::bare("Sign in", &markup(next, known, None)), pages.secure),
        Err(_) => page::secured(page::unavailable(), pages.secure),
    }
}

fn markup(next: &str, known: bool, fault: Option<&str>) -> Markup {
    html! { div.alone {
        h1 { "Sign in" }
        @if !known {
            p.note role="status" {
                "There is no operator yet. On the gateway's machine, run " code { "signalbox operator add NAME --role operator" } "."
            }
        }
        @if let Some(fault) = fault { p.fault role="alert" { (fault) } }
        form.sheet method="post" action="/sign-in" {
            input type="hidden" name="next" value=(next);
            label for="name" { "Name" }
            input #name name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus;
            label for="password" { "Password" }
            input #password name="password" type="password" autocomplete="current-password" required;
            button.primary type="submit" { "Sign in" }
        }
    } }
}

/// Takes the form.
pub(super) async fn enter(
    State(pages): State<Arc<Pages>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    body: Bytes,
) -> Response {
    let fields = Fields::read(&body);
    let (name, next) = (fields.get("name").trim().to_owned(), local(fields.get("next")).to_owned());
    let who = (name.chars().take(LONGEST_NAME).collect(), address.ip());
    if !pages.throttle.admits(&who, pages.clock.now()) {
        let sentence = "Too many tries. Try again in a quarter of an hour.";
        let told = page::bare("Sign in", &markup(&next, true, Some(sentence)));
        return page::secured((StatusCode::TOO_MANY_REQUESTS, told).into_response(), pages.secure);
    }
    let entered = open(&pages, &name, fields.get("password")).await;
    let answer = match entered {
        Ok(Some(token)) => {
            pages.throttle.forget(&who);
            let mut answer = Redirect::to(&next).into_response();
            set_cookie(&pages, &mut answer, &token, LONGEST.num_seconds());
            answer
        }
        Ok(None) => {
            let told = page::bare("Sign in", &markup(&next, true, Some("This name and password do not go together.")));
            (StatusCode::UNAUTHORIZED, told).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "signing in failed");
            page::unavailable()
        }
    };
    page::secured(answer, pages.secure)
}

/// A new session's token, if the password is right. Both ends are in the register.
async fn open(pages: &Arc<Pages>, name: &str, given: &str) -> sqlx::Result<Option<String>> {
    let mut db = pages.pool.acquire().await?;
    let kept = operators::password_hash(&mut db, name).await?;
    drop(db);
    // Somebody may have written a password where the name goes: only names we know are repeated.
    let named = if kept.is_some() { name } else { "an unknown name" };
    let room = pages.throttle.room.acquire().await;
    let given = given.to_owned();
    let compare = tokio::task::spawn_blocking(move || password::is_right(&given, kept.as_deref()));
    let right = compare.await.unwrap_or(false);
    drop(room);
    let mut db = pages.pool.acquire().await?;
    let now = pages.clock.now();
    if !right {
        pages.record(&mut db, "sign-in", "refused", named, "").await?;
        return Ok(None);
    }
    let token = hex::encode(pages.chance.bytes::<32>());
    operators::end_old_sessions(&mut db, now - IDLE, now - LONGEST).await?;
    operators::open_session(&mut db, &Sha256::digest(token.as_bytes()), name, now).await?;
    pages.record(&mut db, "sign-in", "signed in", name, "").await?;
    Ok(Some(token))
}

/// Signs out.
pub(super) async fn leave(State(pages): State<Arc<Pages>>, headers: HeaderMap) -> Response {
    if let Some(token) = cookie(&headers, pages.cookie()) {
        let hash = Sha256::digest(token.as_bytes());
        let ended = async {
            let mut db = pages.pool.acquire().await?;
            match operators::end_session(&mut db, &hash).await? {
                Some(name) => pages.record(&mut db, "sign-in", "signed out", &name, "").await,
                None => Ok(()),
            }
        };
        if let Err(error) = ended.await {
            tracing::error!(%error, "signing out failed");
            return page::unavailable();
        }
    }
    let mut answer = Redirect::to("/sign-in").into_response();
    set_cookie(&pages, &mut answer, "", 0);
    answer
}

fn set_cookie(pages: &Pages, answer: &mut Response, value: &str, seconds: i64) {
    let secure = if pages.secure { "; Secure" } else { "" };
    let name = pages.cookie();
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        answer.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// A path of this gateway, and nowhere else.
pub(super) fn local(next: &str) -> &str {
    let plain = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\') && next.is_ascii();
    if plain && !next.contains(char::is_control) { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere_after_signing_in() {
        assert_eq!(local("/exchanges?source=gp"), "/exchanges?source=gp");
        for elsewhere in ["https://evil.example", "//evil.example", "/\\evil.example", "", "evil", "/a\r\nb"] {
            assert_eq!(local(elsewhere), "/", "{elsewhere}");
        }
    }

    #[test]
    fn a_name_is_left_alone_after_five_wrong_passwords_and_only_from_there() {
        let throttle = Throttle::default();
        let now = DateTime::UNIX_EPOCH;
        let (here, there) =
            (("ada".to_owned(), IpAddr::from([127, 0, 0, 1])), ("ada".to_owned(), IpAddr::from([10, 0, 0, 1])));
        for _ in 0..TRIES {
            assert!(throttle.admits(&here, now));
        }
        assert!(!throttle.admits(&here, now) && throttle.admits(&there, now));
        assert!(throttle.admits(&here, now + LEFT_ALONE));
    }

    #[test]
    fn names_that_are_made_up_fill_no_memory() {
        let throttle = Throttle::default();
        let now = DateTime::UNIX_EPOCH;
        for number in 0..REMEMBERED + 10 {
            throttle.admits(&(number.to_string(), IpAddr::from([127, 0, 0, 1])), now);
        }
        assert_eq!(throttle.tries.lock().unwrap().len(), REMEMBERED);
    }
}
