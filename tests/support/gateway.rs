//! The real application on a real database, with two sources that may send, and whatever destinations a test adds.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use signalbox::app::{Application, Start, StartError};
use signalbox::chance::Chance;
use signalbox::clock::Clock;
use signalbox::config::{Config, token};
use signalbox::store::reconciliation::{self, Reconciliation};
use sqlx::PgConnection;

use super::database::{APP_ROLE, TestDatabase};

/// A running gateway of one test.
pub(crate) struct TestGateway {
    /// Base URL of the front door.
    pub base: String,
    /// Token of the source `gp`.
    pub token: String,
    /// Token of the source `other`.
    pub other_token: String,
    /// Where the MLLP listeners listen, by name.
    pub mllp: BTreeMap<String, SocketAddr>,
    /// Longest body.
    pub max_body: usize,
    pub client: reqwest::Client,
    pub database: TestDatabase,
    pub folder: tempfile::TempDir,
    config: Config,
    application: Option<Application>,
}

/// Takes everything and sends it nowhere.
pub(crate) const NOWHERE: &str = "
[[routes]]
name = \"nowhere\"
to = []
";

impl TestGateway {
    /// A gateway that accepts every type and sends it nowhere.
    pub(crate) async fn start() -> Self {
        Self::with(NOWHERE).await
    }

    /// A gateway with these destinations and routes.
    pub(crate) async fn with(settings: &str) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), "", settings).await
    }

    /// A gateway on the files of `folder`, with these settings in its `[http]` section.
    pub(crate) async fn in_folder(folder: tempfile::TempDir, http: &str, settings: &str) -> Self {
        let database = TestDatabase::create().await;
        let config = config(http, settings, folder.path());
        let [token, other_token] = [1, 2].map(|seed| token::new_token(&Chance::seeded(seed)).0.expose().to_owned());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut gateway = Self {
            base: String::new(),
            token,
            other_token,
            mllp: BTreeMap::new(),
            max_body: 256 * 1024,
            client,
            database,
            folder,
            config,
            application: None,
        };
        gateway.resume().await;
        gateway
    }

    /// Starts it (again) on its database.
    pub(crate) async fn resume(&mut self) {
        self.try_resume().await.unwrap_or_else(|error| panic!("{error}"));
    }

    async fn try_resume(&mut self) -> Result<(), StartError> {
        let start = Start {
            config: self.config.clone(),
            app: self.database.app.clone(),
            owner: self.database.owner.clone(),
            app_role: Some(APP_ROLE.to_owned()),
            alone: true,
            clock: Clock::system(),
            chance: Chance::from_system(),
        };
        let application = Application::start(start).await?;
        self.base.clone_from(&application.base_url);
        self.mllp.clone_from(&application.mllp);
        self.application = Some(application);
        Ok(())
    }

    /// As [`TestGateway::resume_with`]; why it does not start.
    pub(crate) async fn try_resume_with(&mut self, settings: &str) -> Result<(), String> {
        self.config = config("", settings, self.folder.path());
        self.try_resume().await.map_err(|error| error.to_string())
    }

    /// Starts it again with other destinations and routes.
    pub(crate) async fn resume_with(&mut self, settings: &str) {
        self.config = config("", settings, self.folder.path());
        self.resume().await;
    }

    /// Waits no longer for deliveries under way, from the next start on.
    pub(crate) fn hurry(&mut self, shutdown: Duration) {
        self.config.delivery.shutdown.0 = shutdown;
    }

    /// Writes the counted refusals to the register, as happens every minute.
    pub(crate) async fn record_refusals(&self) {
        self.application.as_ref().unwrap().gateway.record_refusals().await.unwrap();
    }

    /// Stops it; the database stays.
    pub(crate) async fn stop(&mut self) {
        if let Some(application) = self.application.take() {
            application.stop().await;
        }
    }

    /// Sends a resource as the source `gp`.
    pub(crate) async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Response {
        let request = self.client.request(method, format!("{}/{path}", self.base)).bearer_auth(&self.token);
        request.header("content-type", "application/fhir+json").body(body).send().await.unwrap()
    }

    /// The exchange a 202 tells of.
    pub(crate) fn exchange_of(answer: &reqwest::Response) -> signalbox::exchange::ExchangeId {
        assert_eq!(answer.status(), 202);
        answer.headers()["content-location"].to_str().unwrap().rsplit('/').next().unwrap().parse().unwrap()
    }

    /// Waits until every delivery has ended or waits behind a dead letter.
    pub(crate) async fn settle(&self) {
        let mut db = self.database.connect().await;
        for _ in 0..600 {
            if reconciliation::open(&mut db).await.unwrap() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("deliveries did not settle: {:?}", reconciliation::states(&mut db).await.unwrap());
    }

    /// The end of a journey: nothing is left open and everything is in the register.
    pub(crate) async fn finish(mut self) {
        self.settle().await;
        self.stop().await;
        let mut db = self.database.connect().await;
        let expected = Reconciliation { open: 0, unaudited_exchanges: 0, unaudited_attempts: 0 };
        assert_eq!(reconciliation::reconcile(&mut db).await.unwrap(), expected);
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        self.database.connect().await
    }
}

fn config(http: &str, settings: &str, folder: &Path) -> Config {
    let [gp, other] = [1, 2].map(|seed| token::new_token(&Chance::seeded(seed)).1);
    let text = format!(
        r#"
[http]
listen = "127.0.0.1:0"
max_body = "256 KiB"
{http}
[delivery]
poll = "200ms"
[delivery.retry]
first = "50ms"
max = "400ms"
[sources.gp]
ods = "A99001"
token_sha256 = ["{gp}"]
[sources.other]
ods = "RX1"
token_sha256 = ["{other}"]
unknown_profile = "refuse"
{settings}"#
    );
    Config::from_toml(&text, folder).unwrap_or_else(|errors| panic!("{errors}"))
}
