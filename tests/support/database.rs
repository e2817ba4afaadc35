//! A fresh database for each test: cloned from a template that is migrated once, and dropped when the server is next
//! started. What a failed test left can be looked at until then.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use signalbox::app;
use signalbox::clock::Clock;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::sync::OnceCell;

use super::test_server::{TestServer, lock_file, server};

/// The role the gateway works as on a server of our own.
pub(crate) const APP_ROLE: &str = "signalbox_app";

/// A database of one test's own.
pub(crate) struct TestDatabase {
    /// Connects as the role that owns it.
    pub(crate) owner: PgConnectOptions,
    /// Connects as the role the gateway works as.
    pub(crate) app: PgConnectOptions,
}

impl TestDatabase {
    /// Makes one.
    pub(crate) async fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let server = server().await;
        let template = TEMPLATE.get_or_init(|| template(server)).await;
        let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut owner = PgConnection::connect_with(&server.owner).await.unwrap();
        // A process id comes round again within one life of the server.
        run(&mut owner, format!("drop database if exists {name} with (force)")).await;
        run(&mut owner, format!("create database {name} template {template}")).await;
        owner.close().await.unwrap();
        Self { owner: server.owner.clone().database(&name), app: server.app.clone().database(&name) }
    }

    /// As the role the gateway works as.
    pub(crate) async fn connect(&self) -> PgConnection {
        self.app.connect().await.unwrap()
    }

    /// As the role that owns it.
    pub(crate) async fn connect_as_owner(&self) -> PgConnection {
        self.owner.connect().await.unwrap()
    }
}

/// The template of today's migrations; made by the first who asks, who also drops those of other days.
async fn template(server: &TestServer) -> String {
    let name = format!("template_{:016x}", fingerprint());
    let making = lock_file(&server.folder.join("template.lock"));
    making.lock().unwrap();
    let mut owner = PgConnection::connect_with(&server.owner).await.unwrap();
    let known = "select datname from pg_database where datname like 'template\\_%'";
    let known: Vec<String> = sqlx::query_scalar(known).fetch_all(&mut owner).await.unwrap();
    if !known.contains(&name) {
        for old in known {
            run(&mut owner, format!("drop database {old} with (force)")).await;
        }
        // Under its name only once it is whole.
        run(&mut owner, format!("create database {name}_unfinished")).await;
        let unfinished = server.owner.clone().database(&format!("{name}_unfinished"));
        let mut database = PgConnection::connect_with(&unfinished).await.unwrap();
        app::prepare(&mut database, Some(APP_ROLE), &Clock::system()).await.unwrap();
        database.close().await.unwrap();
        // A template that anybody is connected to cannot be cloned: not even autovacuum may.
        run(&mut owner, format!("alter database {name}_unfinished with allow_connections false")).await;
        run(&mut owner, format!("alter database {name}_unfinished rename to {name}")).await;
    }
    owner.close().await.unwrap();
    name
}

/// Changes with every migration, and daily because partitions are made for the day.
fn fingerprint() -> u64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let files: BTreeMap<_, _> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap()))
        .collect();
    let mut hasher = DefaultHasher::new();
    (files, Clock::system().now().date_naive()).hash(&mut hasher);
    hasher.finish()
}

async fn run(connection: &mut PgConnection, statement: String) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.unwrap();
}
