//! People who may sign in to the pages of a gateway under test; each is named after its role.

use signalbox::chance::Chance;
use signalbox::clock::Clock;
use signalbox::dashboard::password;
use signalbox::store::operators;

use super::TestGateway;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Adds a person of this role and name.
pub(crate) async fn add(gateway: &TestGateway, role: &str) {
    let hash = password::hash(PASSWORD, &Chance::seeded(7)).unwrap();
    operators::add(&mut gateway.connect().await, role, &hash, role, Clock::system().now()).await.unwrap();
}

/// Somebody at a browser, without a browser: keeps the session's cookie and sends forms as a page of the gateway does.
pub(crate) struct Person {
    client: reqwest::Client,
    /// Without a slash at its end.
    pub root: String,
    /// `name=value` of the session, once signed in.
    pub cookie: String,
}

impl Person {
    /// Not signed in.
    pub(crate) fn stranger(gateway: &TestGateway) -> Self {
        let redirect = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(redirect).build().unwrap();
        Self { client, root: gateway.base.trim_end_matches("/fhir").to_owned(), cookie: String::new() }
    }

    /// Added under the name of this role, and signed in.
    pub(crate) async fn signed_in(gateway: &TestGateway, role: &str) -> Self {
        add(gateway, role).await;
        let mut person = Self::stranger(gateway);
        let answer = person.sign_in(role, PASSWORD).await;
        assert_eq!(answer.status(), 303, "{role}");
        person.keep_cookie(&answer);
        person
    }

    /// Takes the cookie an answer sets.
    pub(crate) fn keep_cookie(&mut self, answer: &reqwest::Response) {
        let set = answer.headers()["set-cookie"].to_str().unwrap();
        set.split(';').next().unwrap().clone_into(&mut self.cookie);
    }

    /// The sign-in form, sent.
    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> reqwest::Response {
        self.post("/sign-in", &[("name", name), ("password", password), ("next", "/exchanges")]).await
    }

    /// Asks for a page.
    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.root)).header("cookie", &self.cookie).send().await.unwrap()
    }

    /// A page that must be there, as text.
    pub(crate) async fn read(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    /// Sends a form as a page of the gateway does.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        self.post_from(path, fields, &[("origin", &self.root)]).await
    }

    /// Sends a form with these headers.
    pub(crate) async fn post_from(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> reqwest::Response {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = self.client.post(format!("{}{path}", self.root)).header("cookie", &self.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        request.send().await.unwrap()
    }
}
