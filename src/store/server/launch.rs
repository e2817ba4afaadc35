//! Launches a server in the data folder: makes the cluster once, starts it on a private socket, makes the roles and the
//! database, and stops it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::binaries::Binaries;
use super::error::ServerError;
use super::postmaster;
use super::socket;
use super::user::{self, User};

pub(super) const OWNER: &str = "signalbox_owner";
pub(super) const APP: &str = "signalbox_app";
pub(super) const DATABASE: &str = "signalbox";

const START: Duration = Duration::from_mins(1);

/// A server we started.
#[derive(Debug)]
pub(super) struct Running {
    child: Option<Child>,
}

/// Where the cluster is.
pub(super) fn cluster(data: &Path) -> PathBuf {
    data.join("postgres")
}

/// Starts the server of a data folder, which must be locked by us.
pub(super) async fn start(data: &Path, binaries: &Binaries, durable: bool) -> Result<Running, ServerError> {
    let user = user::to_run_as()?;
    user::can_reach(data, user.as_ref())?;
    let (cluster, log) = (cluster(data), data.join("postgres.log"));
    if cluster.join("PG_VERSION").exists() {
        same_version(&cluster, binaries)?;
        postmaster::clear(&cluster).await?;
    } else {
        make_cluster(&cluster, binaries, user.as_ref(), &log, durable)?;
    }
    let socket = socket::make(data, user.as_ref())?;
    let child = spawn(&cluster, &socket, binaries, user.as_ref(), &log, durable)?;
    let mut running = Running { child: Some(child) };
    running.wait_until_ready(&cluster, &log).await?;
    make_database(&socket).await?;
    Ok(running)
}

fn same_version(cluster: &Path, binaries: &Binaries) -> Result<(), ServerError> {
    let made_by = fs::read_to_string(cluster.join("PG_VERSION")).map_err(ServerError::io("reading PG_VERSION"))?;
    if made_by.trim() == binaries.major.to_string() {
        return Ok(());
    }
    let (folder, cluster) = (cluster.to_owned(), made_by.trim().to_owned());
    Err(ServerError::OtherVersion { folder, cluster, binaries: binaries.major })
}

/// Makes the cluster under another name first: a crash half-way leaves nothing that looks like one.
fn make_cluster(
    cluster: &Path,
    binaries: &Binaries,
    user: Option<&User>,
    log: &Path,
    durable: bool,
) -> Result<(), ServerError> {
    let draft = cluster.with_extension("making");
    let _ = fs::remove_dir_all(&draft);
    fs::create_dir(&draft).map_err(ServerError::io(format!("making {}", draft.display())))?;
    user::give(&draft, user)?;
    let said = log_file(log)?;
    let also = said.try_clone().map_err(ServerError::io("opening the log of Postgres"))?;
    let mut initdb = user::command(&binaries.folder.join("initdb"), user);
    initdb.args(["--username", OWNER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--pgdata"]).arg(&draft);
    if !durable {
        initdb.arg("--no-sync");
    }
    let status = initdb.stdin(Stdio::null()).stdout(said).stderr(also).status();
    if !status.map_err(ServerError::io("running initdb"))?.success() {
        return Err(failed("initdb could not make a database", log));
    }
    fs::rename(&draft, cluster).map_err(ServerError::io(format!("putting {} in place", cluster.display())))
}

fn spawn(
    cluster: &Path,
    socket: &Path,
    binaries: &Binaries,
    user: Option<&User>,
    log: &Path,
    durable: bool,
) -> Result<Child, ServerError> {
    let said = log_file(log)?;
    let also = said.try_clone().map_err(ServerError::io("opening the log of Postgres"))?;
    let switch = if durable { "on" } else { "off" };
    let settings = [
        "listen_addresses=".to_owned(),
        format!("unix_socket_directories={}", socket.display()),
        "unix_socket_permissions=0700".to_owned(),
        format!("fsync={switch}"),
        format!("synchronous_commit={switch}"),
        format!("full_page_writes={switch}"),
        "shared_buffers=256MB".to_owned(),
        "max_wal_size=2GB".to_owned(),
        "max_connections=100".to_owned(),
        "timezone=UTC".to_owned(),
        // Nothing of a patient in the log: no statements, no parameters, no rows in error details.
        "log_statement=none".to_owned(),
        "log_min_error_statement=panic".to_owned(),
        "log_parameter_max_length=0".to_owned(),
        "log_parameter_max_length_on_error=0".to_owned(),
        "log_error_verbosity=terse".to_owned(),
        "logging_collector=off".to_owned(),
    ];
    let mut postgres = user::command(&binaries.folder.join("postgres"), user);
    postgres.arg("-D").arg(cluster);
    for setting in settings {
        postgres.args(["-c", &setting]);
    }
    // A group of its own: ctrl-C is for the gateway, which stops its server last.
    std::os::unix::process::CommandExt::process_group(&mut postgres, 0);
    postgres.stdin(Stdio::null()).stdout(said).stderr(also).spawn().map_err(ServerError::io("starting postgres"))
}

impl Running {
    async fn wait_until_ready(&mut self, cluster: &Path, log: &Path) -> Result<(), ServerError> {
        let deadline = tokio::time::Instant::now() + START;
        loop {
            let child = self.child.as_mut().map(Child::try_wait);
            if !matches!(child, Some(Ok(None))) {
                return Err(failed("postgres ended while it started", log));
            }
            if postmaster::is_ready(cluster) {
                return Ok(());
            }
            if tokio::time::Instant::now() > deadline {
                return Err(failed("postgres did not become ready within a minute", log));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.as_ref()?.id()).ok()?)
    }

    /// Shuts the server down: fast, sessions are cut.
    pub(super) async fn stop(mut self) {
        if let Some(pid) = self.pid() {
            let _ = kill_process(pid, Signal::INT);
            if let Some(mut child) = self.child.take() {
                let waited = tokio::task::spawn_blocking(move || child.wait());
                if tokio::time::timeout(START, waited).await.is_err() {
                    postmaster::stop(pid).await;
                }
            }
        }
    }
}

/// When nobody stopped it: asks it to end, and does not wait.
impl Drop for Running {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            let _ = kill_process(pid, Signal::INT);
        }
    }
}

/// How to reach the server of a data folder, as the app and as the owner.
pub(super) fn connections(socket: &Path) -> (PgConnectOptions, PgConnectOptions) {
    let role =
        |name: &str| PgConnectOptions::new_without_pgpass().socket(socket).port(5432).username(name).database(DATABASE);
    (role(APP), role(OWNER))
}

async fn make_database(socket: &Path) -> Result<(), ServerError> {
    let (_, owner) = connections(socket);
    let mut db = owner.database("postgres").connect().await?;
    let exists = |kind: &str, name: &str| format!("select exists (select from {kind} where {name})");
    let role = exists("pg_roles", "rolname = 'signalbox_app'");
    if !scalar(&mut db, role).await? {
        run(&mut db, format!("create role {APP} login")).await?;
    }
    let database = exists("pg_database", "datname = 'signalbox'");
    if !scalar(&mut db, database).await? {
        run(&mut db, format!("create database {DATABASE}")).await?;
    }
    db.close().await?;
    Ok(())
}

async fn scalar(db: &mut PgConnection, sql: String) -> sqlx::Result<bool> {
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(db).await
}

async fn run(db: &mut PgConnection, sql: String) -> sqlx::Result<()> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(db).await.map(|_| ())
}

fn log_file(log: &Path) -> Result<File, ServerError> {
    let what = format!("opening {}", log.display());
    let file = OpenOptions::new().create(true).append(true).open(log).map_err(ServerError::io(&*what))?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(ServerError::io(what))?;
    Ok(file)
}

fn failed(what: &'static str, log: &Path) -> ServerError {
    let said = fs::read_to_string(log).unwrap_or_default();
    let last_line = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned();
    ServerError::Failed { what, last_line, log: log.to_owned() }
}
