//! What all pages share: the frame, the headers that keep foreign scripts out, times and counts as people read them.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::access::Person;

/// Scripts, styles and connections of our own only; nobody may frame a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The places of the navigation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The first page.
    Now,
    /// The list of exchanges.
    Exchanges,
    /// What needs somebody.
    DeadLetters,
    /// What somebody has to decide on.
    Quarantine,
}

/// A page for somebody.
pub(super) fn page(title: &str, place: Option<Place>, person: &Person, content: &Markup) -> Response {
    let link = |to: Place, address: &str, text: &str| {
        html! { a href=(address) aria-current=[(place == Some(to)).then_some("page")] { (text) } }
    };
    let head = html! {
        nav aria-label="Pages" {
            (link(Place::Now, "/", "Now"))
            (link(Place::Exchanges, "/exchanges", "Exchanges"))
            (link(Place::DeadLetters, "/dead-letters", "Dead letters"))
            (link(Place::Quarantine, "/quarantine", "Quarantine"))
        }
        form.find method="post" action="/exchanges/find" role="search" {
            label.hidden for="find" { "Find by NHS number, or by the id of an exchange, a delivery, a request or a message" }
            input #find name="what" type="search" placeholder="NHS number or any id" autocomplete="off"
                spellcheck="false";
            button type="submit" { "Find" }
        }
        (whoever(person))
    };
    Html(frame(title, &head, content).into_string()).into_response()
}

fn whoever(person: &Person) -> Markup {
    html! {
        @if person.signed_in {
            form.person method="post" action="/sign-out" {
                span { (person.name) ", " (person.role.as_str()) }
                button.quiet type="submit" { "Sign out" }
            }
        } @else {
            p.person title="No operator has been added, and this address is on the gateway's own machine" {
                "Local user, not signed in"
            }
        }
    }
}

/// A page for nobody yet.
pub(super) fn bare(title: &str, content: &Markup) -> Response {
    Html(frame(title, &html! {}, content).into_string()).into_response()
}

fn frame(title: &str, head: &Markup, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – Signalbox" }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/signalbox.css";
                script src="/assets/signalbox.js" defer {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header.top {
                    a.brand href="/" { (logo()) "Signalbox" }
                    (head)
                }
                main #main tabindex="-1" { (content) }
                footer { p { "Signalbox " (env!("CARGO_PKG_VERSION")) ". Times are UTC." } }
            }
        }
    }
}

fn logo() -> Markup {
    PreEscaped(super::assets::LOGO.to_owned())
}

/// The database does not answer.
pub(super) fn unavailable() -> Response {
    let content = html! {
        h1 { "The database does not answer" }
        p { "Messages are not lost: senders are told to come again. " a href="/" { "Try again" } }
    };
    (StatusCode::SERVICE_UNAVAILABLE, bare("Not available", &content)).into_response()
}

/// There is nothing here.
pub(super) fn missing(person: &Person, what: &str) -> Response {
    let content = html! { h1 { "Not found" } p { (what) } };
    (StatusCode::NOT_FOUND, page("Not found", None, person, &content)).into_response()
}

/// A person may not do this, or not like this.
pub(super) fn refused(person: &Person, status: StatusCode, sentence: &str) -> Response {
    let content =
        html! { h1 { "Not done" } p role="alert" { (sentence) } p { a href="/" { "Back to the first page" } } };
    (status, page("Not done", None, person, &content)).into_response()
}

/// The headers of every page.
pub(super) fn secured(mut answer: Response, secure: bool) -> Response {
    let headers = answer.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    answer
}

/// With a capital and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

/// `3 min`, `2 h`, `5 d`: as exact as somebody at a screen needs it.
pub(super) fn span(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A moment as people at a screen read it.
pub(super) fn when(at: DateTime<Utc>) -> String {
    at.format("%-d %b %H:%M:%S").to_string()
}

/// A moment: exact to machines and on hover, in hours and minutes on the page.
pub(super) fn moment(at: DateTime<Utc>) -> Markup {
    let exact = at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    html! { time datetime=(exact) title=(exact) { (when(at)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_as_exact_as_it_needs_to_be() {
        let told = [0, 59, 119, 120, 7_199, 7_200, 172_800, -5].map(|seconds| span(TimeDelta::seconds(seconds)));
        assert_eq!(told, ["0 s", "59 s", "119 s", "2 min", "119 min", "2 h", "2 d", "0 s"]);
    }
}
