//! People at the pages: who may see and do what, what an act needs, and that the register has it (without a browser).

use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, header};
use signalbox::chance::Chance;
use signalbox::clock::Clock;
use signalbox::dashboard::password;
use signalbox::exchange::state::DeliveryState;
use signalbox::store::operators;

use crate::support::{ADA, Answer, MllpPeer, TestGateway};

const PASSWORD: &str = "a horse of another colour";

/// A browser without a browser: keeps its cookie, follows nothing.
struct Visitor {
    client: Client,
    root: String,
    cookie: Option<String>,
}

impl Visitor {
    fn of(gateway: &TestGateway) -> Self {
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { client, root: gateway.base.trim_end_matches("/fhir").to_owned(), cookie: None }
    }

    fn with_cookie(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        }
    }

    async fn see(&self, path: &str) -> Response {
        self.with_cookie(self.client.get(format!("{}{path}", self.root))).send().await.unwrap()
    }

    async fn text(&self, path: &str) -> String {
        let answer = self.see(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.send_from(&self.root, path, fields).await
    }

    async fn send_from(&self, origin: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.client.post(format!("{}{path}", self.root)).header(header::ORIGIN, origin).body(body);
        self.with_cookie(request).send().await.unwrap()
    }

    async fn sign_in(&mut self, name: &str, password: &str) -> StatusCode {
        let answer = self.send("/sign-in", &[("name", name), ("password", password), ("next", "/dead-letters")]).await;
        if let Some(cookie) = answer.headers().get(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
            self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
            assert_eq!(answer.headers()[header::LOCATION], "/dead-letters");
        }
        answer.status()
    }
}

async fn operator(gateway: &TestGateway, name: &str, role: &str) {
    let hash = password::hash(PASSWORD, &Chance::seeded(7)).unwrap();
    operators::add(&mut gateway.connect().await, name, &hash, role, Clock::system().now()).await.unwrap();
}

/// What the register has of people: event, outcome, who, why.
async fn register(gateway: &TestGateway) -> Vec<(String, String, String, String)> {
    sqlx::query_as(
        "select event, outcome, coalesce(actor, ''), coalesce(reason, '') from audit
          where event in ('operator', 'sign-in') order by seq",
    )
    .fetch_all(&mut gateway.connect().await)
    .await
    .unwrap()
}

fn row(event: &str, outcome: &str, who: &str, why: &str) -> (String, String, String, String) {
    (event.to_owned(), outcome.to_owned(), who.to_owned(), why.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_gets_in_once_there_is_an_operator() {
    let gateway = TestGateway::start().await;
    let mut visitor = Visitor::of(&gateway);
    assert!(visitor.text("/").await.contains("Local user, not signed in"), "on loopback, without any operator");
    let foreign =
        visitor.client.get(format!("{}/", visitor.root)).header(header::HOST, "evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::SEE_OTHER, "a name that was made to lead here is not this machine");

    operator(&gateway, "ada", "operator").await;
    for path in ["/", "/exchanges?source=gp", "/dead-letters", "/exchanges/06H0RDWHNTMXVJ1TZNHV"] {
        let answer = visitor.see(path).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        assert!(answer.headers()[header::LOCATION].to_str().unwrap().starts_with("/sign-in?next=%2F"));
    }
    assert_eq!(visitor.see("/live").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(visitor.sign_in("ada", "a horse of another color").await, StatusCode::UNAUTHORIZED);
    assert_eq!(visitor.sign_in("nobody", PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(visitor.sign_in("ada", PASSWORD).await, StatusCode::SEE_OTHER);
    let page = visitor.see("/").await;
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(page.text().await.unwrap().contains("ada, operator"));

    assert_eq!(visitor.send("/sign-out", &[]).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(visitor.see("/").await.status(), StatusCode::SEE_OTHER, "the old cookie is worth nothing");
    let expected = [
        row("sign-in", "refused", "ada", ""),
        row("sign-in", "refused", "an unknown name", ""),
        row("sign-in", "signed in", "ada", ""),
        row("sign-in", "signed out", "ada", ""),
    ];
    assert_eq!(register(&gateway).await, expected);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_five_wrong_passwords_a_name_is_left_alone() {
    let gateway = TestGateway::start().await;
    operator(&gateway, "ada", "viewer").await;
    let mut visitor = Visitor::of(&gateway);
    for _ in 0..5 {
        assert_eq!(visitor.sign_in("ada", "wrong").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(visitor.sign_in("ada", PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_destination_is_sent_nothing_until_it_goes_on() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&peer.settings("")).await;
    let visitor = Visitor::of(&gateway);
    let name: String = gateway_destination(&gateway).await;
    let path = format!("/destinations/{name}/pause");
    assert_eq!(
        visitor.send_from("https://evil.example", &path, &[("reason", "x")]).await.status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(visitor.send(&path, &[("reason", "  ")]).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(visitor.send("/destinations/nowhere/pause", &[("reason", "x")]).await.status(), StatusCode::NOT_FOUND);
    let paused = visitor.send(&path, &[("reason", "upgrade of the PAS")]).await;
    assert_eq!(paused.headers()[header::LOCATION], "/?notice=paused");

    let exchange = gateway.accept(ADA, "Example").await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(gateway.delivery(exchange).await.attempts, 0);
    let page = visitor.text("/").await;
    assert!(page.contains("Paused by local user") && page.contains("upgrade of the PAS"), "{page}");

    let resumed = visitor.send(&format!("/destinations/{name}/resume"), &[("reason", "done")]).await;
    assert_eq!(resumed.status(), StatusCode::SEE_OTHER);
    gateway.until_it_is(exchange, DeliveryState::Delivered).await;
    let expected =
        [row("operator", "pause", "local user", "upgrade of the PAS"), row("operator", "resume", "local user", "done")];
    assert_eq!(register(&gateway).await, expected);
    gateway.finish().await;
}

async fn gateway_destination(gateway: &TestGateway) -> String {
    sqlx::query_scalar("select name from destinations").fetch_one(&mut gateway.connect().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_found_and_retried_and_its_body_seen_for_a_reason() {
    let peer = MllpPeer::start();
    peer.always(ADA, Answer::Reject(101));
    let gateway = TestGateway::with(&peer.settings("")).await;
    for role in ["viewer", "operator", "auditor"] {
        operator(&gateway, &format!("the-{role}"), role).await;
    }
    let exchange = gateway.accept(ADA, "Secretname").await;
    let refused = gateway.until_it_is(exchange, DeliveryState::Refused).await;

    let mut viewer = Visitor::of(&gateway);
    viewer.sign_in("the-viewer", PASSWORD).await;
    let letters = viewer.text("/dead-letters").await;
    assert!(
        letters.contains(&exchange.to_string()) && !letters.contains("<button class=\"danger\""),
        "sees, and no more"
    );
    for (path, because) in
        [(format!("/deliveries/{}/retry", refused.id), "an act"), (format!("/exchanges/{exchange}/body"), "a body")]
    {
        assert_eq!(viewer.send(&path, &[("reason", "curious")]).await.status(), StatusCode::FORBIDDEN, "{because}");
    }
    let found = viewer.send("/exchanges/find", &[("what", "999 000 0018")]).await;
    let list = found.headers()[header::LOCATION].to_str().unwrap().to_owned();
    assert!(!list.contains("9990000018"), "no number stands in an address: {list}");
    assert!(viewer.text(&list).await.contains(&exchange.to_string()));

    let mut auditor = Visitor::of(&gateway);
    auditor.sign_in("the-auditor", PASSWORD).await;
    let path = format!("/exchanges/{exchange}/body");
    assert!(!auditor.text(&format!("/exchanges/{exchange}")).await.contains("Secretname"));
    let shown = auditor.send(&path, &[("reason", "complaint 12")]).await.text().await.unwrap();
    assert!(shown.contains("Secretname"), "{shown}");

    peer.always(ADA, Answer::Accept);
    let mut person = Visitor::of(&gateway);
    person.sign_in("the-operator", PASSWORD).await;
    let fields = [("destination", "pas"), ("state", "refused"), ("because", ""), ("reason", "mended")];
    let nothing = person.send("/dead-letters/retry", &fields).await;
    assert_eq!(nothing.headers()[header::LOCATION], "/dead-letters?notice=unchanged", "another reason, another group");
    let retried = person
        .send(&format!("/deliveries/{}/retry", refused.id), &[("reason", "mended"), ("next", "/dead-letters")])
        .await;
    assert_eq!(retried.headers()[header::LOCATION], "/dead-letters?notice=retried-1");
    gateway.until_it_is(exchange, DeliveryState::Delivered).await;
    let acts: Vec<_> = register(&gateway).await.into_iter().filter(|row| row.0 == "operator").collect();
    let expected = [
        row("operator", "view body", "the-auditor", "complaint 12"),
        row("operator", "retry", "the-operator", "mended"),
    ];
    assert_eq!(acts, expected);
    let page = person.text(&format!("/exchanges/{exchange}")).await;
    assert!(page.contains("view body by the-auditor: complaint 12") && page.contains("delivered"), "{page}");
    gateway.finish().await;
}
