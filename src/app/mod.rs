//! The application: configuration and database in, a running gateway out. `main`, the demo and the tests start it the
//! same way, by [`Application::start`], and stop it the same way, by [`Application::stop`].

mod bottlenecks;
mod destinations;
mod doubts;
mod findings;
pub mod golden;
mod housekeeping;
mod listeners;
mod reachability;
mod search_key;
mod signal;
mod translated;

pub use findings::{Findings, inspect};
pub(crate) use search_key::load as search_key;
pub use signal::StopSignal;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgConnection, PgPool};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::adapters::mllp::source::World;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::{Config, ConfigErrors};
use crate::dashboard::{self, Steering, Watch};
use crate::delivery::policy::Policy;
use crate::delivery::promoter::{Promotions, Wakes};
use crate::delivery::replies::Replies;
use crate::delivery::settle::{Settlements, Settler};
use crate::delivery::sweeper::Sweeper;
use crate::delivery::worker::{self, Shared};
use crate::exchange::keys::SearchKey;
use crate::gateway::{self, Gateway, Parts};
use crate::http::{self, Door, Identities, Issuers, Listening, TokenTable};
use crate::store::bodies;
use crate::store::destinations as names;
use crate::store::overview;
use crate::store::schema::{self, SchemaError};
use crate::telemetry::Metrics;
use crate::validation::Validation;
use listeners::Listeners;

/// What an application is started with.
pub struct Start {
    /// The settings.
    pub config: Config,
    /// The role that messages are written with.
    pub app: PgConnectOptions,
    /// The role that migrates and purges.
    pub owner: PgConnectOptions,
    /// Name of the app role, when it is another than the owner.
    pub app_role: Option<String>,
    /// Nobody else can be running on this database.
    pub alone: bool,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub chance: Chance,
}

/// A running gateway.
pub struct Application {
    /// Where it listens.
    pub address: SocketAddr,
    /// Base URL of the front door.
    pub base_url: String,
    /// Where the MLLP listeners listen, by name.
    pub mllp: BTreeMap<String, SocketAddr>,
    /// The one door of messages.
    pub gateway: Gateway,
    tasks: Tasks,
    pool: PgPool,
    patience: Duration,
}

/// Tasks by the order in which they are stopped: first nothing new comes in, then nothing new goes out, then what is
/// under way is settled.
struct Tasks {
    stop: CancellationToken,
    abandon: CancellationToken,
    doors: TaskTracker,
    lines: TaskTracker,
    sends: TaskTracker,
    engine: TaskTracker,
}

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration has problems.
    #[error("the configuration has problems:\n{0}")]
    Config(ConfigErrors),
    /// A profile pack of the binary cannot be read.
    #[error("a profile pack cannot be read: {0}")]
    Packs(#[from] signalbox_validator::PackError),
    /// The schema is not as this version needs it.
    #[error("{0}")]
    Schema(#[from] SchemaError),
    /// The database did not answer.
    #[error("the database did not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// The tokens of the sources.
    #[error("{0}")]
    Tokens(String),
    /// The secret of the search keys.
    #[error("{0}")]
    SearchKey(String),
    /// Deliveries wait for a destination that the configuration does not name.
    #[error(
        "{waiting} deliveries wait for '{name}', which the configuration does not name; what comes for another name would \
         overtake them. If '{name}' has a new name, write renamed_from = \"{name}\" there; else leave [destinations.{name}] \
         in, without a route to it, until they have gone out or were skipped"
    )]
    Stranded {
        /// The destination.
        name: String,
        /// How many.
        waiting: i64,
    },
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address of `http.listen` or of a listener of `[mllp]`.
        address: SocketAddr,
        /// Why not.
        error: std::io::Error,
    },
}

/// Not a source: the problems are told once.
impl From<ConfigErrors> for StartError {
    fn from(errors: ConfigErrors) -> Self {
        Self::Config(errors)
    }
}

impl Application {
    /// Checks the configuration against what is here, brings the database up to date and starts every task.
    ///
    /// # Errors
    /// When it cannot run as configured; nothing has been accepted then.
    pub async fn start(start: Start) -> Result<Self, StartError> {
        let guides = destinations::guides(&start.config)?;
        let validation = guides.built_in().clone();
        let checked = destinations::check(&start.config, &validation, &start.clock, &start.chance)?;
        let tokens = TokenTable::of(&start.config.sources).map_err(|error| StartError::Tokens(error.to_string()))?;
        let tls = destinations::tls(&start.config)?;
        doubts::of(&start.config, start.clock.now()).log();
        let search_key = search_key::load(&start.config, &start.chance)?;
        let mut owner = start.owner.connect().await?;
        prepare(&mut owner, start.app_role.as_deref(), &start.clock).await?;
        let numbers = register(&start, search_key.id(), &checked).await?;

        // Bound before anything is started: a taken port is the commonest mistake.
        let address = start.config.http.listen;
        let taken = |error| StartError::Listen { address, error };
        let listener = TcpListener::bind(address).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let listeners = Listeners::bind(&start.config).await?;

        let engine = Engine::start(&start, validation.packs_hash()).await?;
        let (lines, known, policies) = checked.lines(&numbers);
        let sweeper = engine.sweeper(&start, policies);
        sweeper.recover().await?;
        sweeper.sweep().await?;
        let steering = steering(&start, &search_key, &validation, address);
        let judge = destinations::judge(&start.config, guides, checked.routes, known, search_key);
        let parts = Parts {
            clock: start.clock.clone(),
            chance: start.chance.clone(),
            judge,
            promotions: engine.promotions.clone(),
            metrics: engine.metrics.clone(),
            replies: engine.replies.clone(),
            pool: engine.pool.clone(),
            database: start.app.clone(),
            tasks: engine.tasks.engine.clone(),
            terminology: destinations::terminology(&start.config, &engine.metrics)?,
        };
        let gateway = gateway::start(parts, &start.config, &engine.tasks.engine);
        for line in lines {
            engine.tasks.lines.spawn(worker::run(line, engine.shared(&start), engine.tasks.stop.clone()));
        }
        housekeeping::start(&engine.tasks, sweeper, &gateway, engine.wakes.clone(), &start);
        engine.tasks.lines.spawn(doubts::watch_certificates(
            start.config.clone(),
            engine.metrics.clone(),
            engine.tasks.stop.clone(),
        ));

        let world = engine.world(&start, &gateway);
        let mllp = listeners.serve(&world, &engine.tasks.stop);
        let base_url = base_url(&start.config, address);
        let watch = Watch {
            pool: engine.pool.clone(),
            clock: start.clock.clone(),
            metrics: engine.metrics.clone(),
            destinations: start.config.destinations.keys().cloned().collect(),
            stopping: engine.tasks.stop.clone(),
        };
        let issuers = Issuers::of(&start.config, &gateway, &destinations::client(destinations::CONNECT)?, &start.clock);
        let identities = Identities::new(tokens, issuers, &start.config.sources);
        let door = Door {
            gateway: gateway.clone(),
            clock: start.clock,
            chance: start.chance,
            config: start.config.clone(),
            base_url: base_url.clone(),
            identities,
            tasks: engine.tasks.doors.clone(),
        };
        let router = dashboard::beside(http::router(door), watch, steering, &engine.tasks.engine);
        let tasks = engine.tasks.doors.clone();
        let listening = Listening { listener, tls, settings: start.config.http.clone(), router, tasks };
        let serving = http::serve(listening, engine.tasks.stop.clone());
        engine.tasks.doors.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the front door failed");
            }
        });
        let patience = start.config.delivery.shutdown.0;
        Ok(Self { address, base_url, mllp, gateway, tasks: engine.tasks, pool: engine.pool, patience })
    }

    /// Stops: no new requests, no new leases; deliveries under way get the configured time, and what they come to is
    /// settled. A delivery that takes longer is `unknown` at the next start.
    pub async fn stop(self) {
        let Self { tasks, gateway, pool, patience, .. } = self;
        tasks.stop.cancel();
        for tracker in [&tasks.doors, &tasks.lines, &tasks.sends] {
            tracker.close();
        }
        let under_way = async {
            tasks.doors.wait().await;
            tasks.lines.wait().await;
            tasks.sends.wait().await;
        };
        if tokio::time::timeout(patience, under_way).await.is_err() {
            tracing::warn!("deliveries were still under way when the gateway stopped; they are unknown now");
        }
        if let Err(error) = gateway.record_refusals().await {
            tracing::warn!(%error, "the counts of the last minute's refusals are lost");
        }
        drop(gateway);
        tasks.abandon.cancel();
        tasks.engine.close();
        if tokio::time::timeout(Duration::from_secs(15), tasks.engine.wait()).await.is_err() {
            tracing::warn!("the writers did not end in time");
        }
        pool.close().await;
    }
}

/// What moves deliveries: the promoter, the settler, and what workers share.
struct Engine {
    node: Uuid,
    tasks: Tasks,
    wakes: Wakes,
    promotions: Promotions,
    settlements: Settlements,
    replies: Replies,
    metrics: Metrics,
    pool: PgPool,
}

impl Engine {
    async fn start(start: &Start, packs: &str) -> sqlx::Result<Self> {
        let options = PgPoolOptions::new().max_connections(start.config.database.connections.max(1));
        let pool = options
            .acquire_timeout(Duration::from_secs(5))
            .test_before_acquire(false)
            .connect_with(start.app.clone())
            .await?;
        let tasks = Tasks::new();
        let wakes = Wakes::default();
        let node = Uuid::from_bytes(start.chance.bytes());
        let (promotions, promoter) = Promotions::start(start.app.clone(), node, wakes.clone());
        tasks.engine.spawn(promoter);
        let settler = Settler {
            node,
            database: start.app.clone(),
            promotions: promotions.clone(),
            config_hash: start.config.hash.clone(),
            packs: packs.to_owned(),
        };
        let (settlements, settling) = settler.start(tasks.abandon.clone());
        tasks.engine.spawn(settling);
        let (replies, metrics) = (Replies::default(), Metrics::default());
        Ok(Self { node, tasks, wakes, promotions, settlements, replies, metrics, pool })
    }

    fn shared(&self, start: &Start) -> Shared {
        Shared {
            node: self.node,
            database: start.app.clone(),
            clock: start.clock.clone(),
            chance: start.chance.clone(),
            wakes: self.wakes.clone(),
            settlements: self.settlements.clone(),
            replies: self.replies.clone(),
            metrics: self.metrics.clone(),
            poll: start.config.delivery.poll.0,
            tasks: self.tasks.sends.clone(),
            abandon: self.tasks.abandon.clone(),
        }
    }

    /// What MLLP listeners need.
    fn world(&self, start: &Start, gateway: &Gateway) -> World {
        World {
            gateway: gateway.clone(),
            clock: start.clock.clone(),
            chance: start.chance.clone(),
            metrics: self.metrics.clone(),
            tasks: self.tasks.doors.clone(),
        }
    }

    fn sweeper(&self, start: &Start, destinations: HashMap<i32, (String, Policy)>) -> Sweeper {
        Sweeper {
            node: self.node,
            pool: self.pool.clone(),
            clock: start.clock.clone(),
            chance: start.chance.clone(),
            wakes: self.wakes.clone(),
            settlements: self.settlements.clone(),
            destinations,
            alone: start.alone,
        }
    }
}

impl Tasks {
    fn new() -> Self {
        Self {
            stop: CancellationToken::new(),
            abandon: CancellationToken::new(),
            doors: TaskTracker::new(),
            lines: TaskTracker::new(),
            sends: TaskTracker::new(),
            engine: TaskTracker::new(),
        }
    }
}

/// Migrations, grants and partitions, by the owner role.
///
/// # Errors
/// When the database is newer than this binary or refuses.
pub async fn prepare(owner: &mut PgConnection, app_role: Option<&str>, clock: &Clock) -> Result<(), SchemaError> {
    schema::migrate(owner).await?;
    if let Some(role) = app_role {
        schema::grant(owner, role).await?;
    }
    bodies::make_partitions(owner, clock.now()).await?;
    Ok(())
}

/// Numbers of the destinations. Refuses a search key that would break the order of what is still waiting, and to leave
/// what waits for a name that is gone; warns of dead letters there.
async fn register(
    start: &Start,
    key_id: i32,
    checked: &destinations::Checked,
) -> Result<Vec<(i32, String)>, StartError> {
    let mut db = start.app.connect().await?;
    let waiting = names::register_search_key(&mut db, key_id, start.clock.now()).await?;
    if waiting > 0 {
        return Err(StartError::SearchKey(format!(
            "{waiting} unsettled deliveries were keyed with another search key, and their order cannot be kept with \
             this one: put the old key back (identity.search_key) until they are settled"
        )));
    }
    let renamed: Vec<_> = start
        .config
        .destinations
        .iter()
        .filter_map(|(name, destination)| Some((destination.renamed_from.as_deref()?, name.as_str())))
        .collect();
    names::rename(&mut db, &renamed).await?;
    let configured = checked.names();
    for left in overview::destinations(&mut db).await?.into_iter().filter(|left| !configured.contains(&left.name)) {
        let waiting = left.to_send + left.held + left.unknown + left.quarantined + left.under_way;
        if waiting > 0 {
            return Err(StartError::Stranded { name: left.name, waiting });
        }
        if left.dead > 0 {
            tracing::warn!(destination = left.name, dead = left.dead, "dead letters of a destination that is gone");
        }
    }
    Ok(names::register(&mut db, &configured).await?)
}

fn steering(start: &Start, search_key: &SearchKey, validation: &Validation, address: SocketAddr) -> Steering {
    let http = &start.config.http;
    Steering {
        chance: start.chance.clone(),
        search_key: search_key.clone(),
        patient_system: start.config.identity.patient_system.clone(),
        resource_types: validation.resource_types(),
        config_hash: start.config.hash.clone(),
        packs: validation.packs_hash().to_string(),
        secure: http.tls.is_on() || http.behind_proxy,
        exposed: http.behind_proxy || !address.ip().is_loopback(),
    }
}

fn base_url(config: &Config, address: SocketAddr) -> String {
    match config.http.base_url.trim_end_matches('/') {
        "" if config.http.tls.is_on() => format!("https://{address}/fhir"),
        "" => format!("http://{address}/fhir"),
        configured => configured.to_owned(),
    }
}
