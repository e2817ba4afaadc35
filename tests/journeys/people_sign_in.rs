//! People sign in to the pages, and nobody else sees them: sessions, wrong passwords, other sites' forms, and what holds
//! on a machine where nobody has been added yet.

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use reqwest::StatusCode;

use crate::support::TestGateway;
use crate::support::people::{PASSWORD, Person, add};

async fn at_the_door(gateway: &TestGateway) -> Vec<(String, String)> {
    sqlx::query_as("select outcome, actor from audit where event = 'sign-in' order by seq")
        .fetch_all(&mut gateway.connect().await)
        .await
        .unwrap()
}

fn entry(outcome: &str, name: &str) -> (String, String) {
    (outcome.to_owned(), name.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_led_to_the_form_and_whoever_signs_in_to_what_was_asked_for() {
    let gateway = TestGateway::start().await;
    add(&gateway, "operator").await;
    let mut person = Person::stranger(&gateway);
    let led = person.get("/exchanges?source=gp").await;
    assert_eq!(led.status(), StatusCode::SEE_OTHER);
    assert_eq!(led.headers()["location"], "/sign-in?next=%2Fexchanges%3Fsource%3Dgp");
    assert_eq!(person.get("/live").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(person.post("/sign-out", &[]).await.status(), StatusCode::UNAUTHORIZED);
    let form = person.read("/sign-in?next=%2Fexchanges").await;
    assert!(form.contains("value=\"/exchanges\"") && form.contains("type=\"password\""), "{form}");

    let wrong = person.sign_in("operator", "wrong").await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert!(!wrong.headers().contains_key("set-cookie"));
    let unknown = person.sign_in("nobody", "wrong").await;
    assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(wrong.text().await.unwrap(), unknown.text().await.unwrap(), "nobody learns which names there are");

    let entered = person.sign_in("operator", PASSWORD).await;
    assert_eq!(entered.status(), StatusCode::SEE_OTHER);
    assert_eq!(entered.headers()["location"], "/exchanges");
    let cookie = entered.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    person.keep_cookie(&entered);
    assert!(person.read("/exchanges").await.contains("operator, operator"));

    let old = person.cookie.clone();
    assert_eq!(person.post("/sign-out", &[]).await.headers()["location"], "/sign-in");
    person.cookie = old;
    assert_eq!(person.get("/").await.status(), StatusCode::SEE_OTHER, "a session that is over is over everywhere");
    let expected = [
        entry("refused", "operator"),
        entry("refused", "an unknown name"),
        entry("signed in", "operator"),
        entry("signed out", "operator"),
    ];
    assert_eq!(at_the_door(&gateway).await, expected);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_itself_and_with_its_person() {
    let gateway = TestGateway::start().await;
    let mut db = gateway.connect().await;
    for change in [
        "update sessions set used_at = now() - interval '31 minutes'",
        "update sessions set created_at = now() - interval '13 hours'",
        "delete from operators where name = 'operator'",
    ] {
        let person = Person::signed_in(&gateway, "operator").await;
        let (kept, used): (String, DateTime<Utc>) =
            sqlx::query_as("select encode(token_hash, 'hex'), used_at from sessions").fetch_one(&mut db).await.unwrap();
        assert!(!kept.contains(person.cookie.split_once('=').unwrap().1), "the token itself is not kept");
        person.read("/").await;
        let later: DateTime<Utc> = sqlx::query_scalar("select used_at from sessions").fetch_one(&mut db).await.unwrap();
        assert!(later > used, "who does something stays signed in");
        add(&gateway, "viewer").await;
        sqlx::raw_sql(change).execute(&mut db).await.unwrap();
        assert_eq!(person.get("/").await.status(), StatusCode::SEE_OTHER, "{change}");
        sqlx::raw_sql("delete from sessions; delete from operators").execute(&mut db).await.unwrap();
    }
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_passwords_is_left_standing_however_fast() {
    let gateway = TestGateway::start().await;
    for role in ["operator", "engineer"] {
        add(&gateway, role).await;
    }
    let guesser = Person::stranger(&gateway);
    let answers = join_all((0..24).map(|_| guesser.sign_in("operator", "a wrong password"))).await;
    let compared = answers.iter().filter(|answer| answer.status() == StatusCode::UNAUTHORIZED).count();
    assert!(compared <= 6, "{compared} of 24 passwords that came at once were compared");
    let right = guesser.sign_in("operator", PASSWORD).await;
    assert_eq!(right.status(), StatusCode::TOO_MANY_REQUESTS, "even the right one waits now");
    assert!(right.text().await.unwrap().contains("quarter of an hour"));
    assert_eq!(guesser.sign_in("engineer", PASSWORD).await.status(), StatusCode::SEE_OTHER, "others do not");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_who_guesses_keeps_nobody_else_out() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = TestGateway::in_folder(folder, "behind_proxy = true", crate::support::gateway::NOWHERE).await;
    add(&gateway, "operator").await;
    let person = Person::stranger(&gateway);
    // What the client claims stands before what the proxy saw.
    let come = async |from: &str, password: &str| {
        let fields = [("name", "operator"), ("password", password), ("next", "/")];
        let headers = [("x-forwarded-for", from), ("origin", &person.root)];
        person.post_from("/sign-in", &fields, &headers).await.status()
    };
    for made_up in 0..5 {
        assert_eq!(come(&format!("192.0.2.{made_up}, 198.51.100.66"), "wrong").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(come("192.0.2.9, 198.51.100.66", PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(come("198.51.100.7", PASSWORD).await, StatusCode::SEE_OTHER);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_form_does_nothing() {
    let gateway = TestGateway::start().await;
    let person = Person::signed_in(&gateway, "engineer").await;
    let fields = [("name", "engineer"), ("password", PASSWORD), ("reason", "because"), ("what", "9990000018")];
    for path in [
        "/sign-in",
        "/sign-out",
        "/exchanges/find",
        "/exchanges/00000000000000000000/body",
        "/dead-letters/retry",
        "/dead-letters/skip",
        "/deliveries/00000000000000000000/retry",
        "/destinations/pas/pause",
    ] {
        for headers in [
            &[][..],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("sec-fetch-site", "cross-site"), ("origin", &*person.root)],
            &[("sec-fetch-site", "same-site")],
        ] {
            let answer = person.post_from(path, &fields, headers).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} {headers:?}");
        }
        assert_ne!(person.post(path, &[]).await.status(), StatusCode::FORBIDDEN, "{path} from a page of ours");
        if path == "/sign-out" {
            person.sign_in("engineer", PASSWORD).await;
        }
    }
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_has_been_added_only_local_users_see_the_pages() {
    let gateway = TestGateway::start().await;
    let stranger = Person::stranger(&gateway);
    assert!(stranger.read("/").await.contains("Local user, not signed in"));
    let rebound = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let rebound = rebound.get(format!("{}/", stranger.root)).header("host", "evil.example:8080").send().await.unwrap();
    assert_eq!(rebound.status(), StatusCode::SEE_OTHER, "a page of another name leads here by its DNS");
    add(&gateway, "viewer").await;
    assert_eq!(stranger.get("/").await.status(), StatusCode::SEE_OTHER, "with the first person, everybody signs in");
    gateway.finish().await;

    let folder = tempfile::tempdir().unwrap();
    let gateway = TestGateway::in_folder(folder, "behind_proxy = true", crate::support::gateway::NOWHERE).await;
    let stranger = Person::stranger(&gateway);
    assert_eq!(stranger.get("/").await.status(), StatusCode::SEE_OTHER, "behind a proxy nobody is local");
    assert!(stranger.read("/sign-in").await.contains("signalbox operator add"));
    let person = Person::signed_in(&gateway, "viewer").await;
    assert!(person.cookie.starts_with("__Host-"), "{}", person.cookie);
    let again = person.sign_in("viewer", PASSWORD).await;
    let cookie = again.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; Secure") && cookie.contains("; Path=/"), "{cookie}");
    assert!(person.get("/").await.headers().contains_key("strict-transport-security"));
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_keeps_foreign_scripts_and_frames_out() {
    let gateway = TestGateway::start().await;
    let person = Person::signed_in(&gateway, "viewer").await;
    for path in ["/", "/exchanges", "/exchanges/x", "/exchanges?outcome=x", "/dead-letters", "/sign-in"] {
        let answer = person.get(path).await;
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        for rule in ["script-src 'self'", "default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
        let text = answer.text().await.unwrap();
        assert!(!text.contains(" style=") && !text.contains(" onclick=") && !text.contains("<style"), "{path}");
    }
    let script = Person::stranger(&gateway).read("/assets/signalbox.js").await;
    assert!(script.lines().count() <= 200, "one script, and short");
    gateway.finish().await;
}
