//! The cluster: Postgres's own folder, made once by `initdb`, and what the gateway needs in it: a role that owns, a
//! role that works, one database.

use std::fs;
use std::path::Path;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::process::Command;

use super::account::{Account, give, run_as};
use super::binaries::Binaries;
use super::error::{ServerError, last_words};
use super::folder::{DataFolder, make_private};
use super::socket::PORT;

/// The role that owns the database: it migrates and purges.
pub(super) const OWNER: &str = "signalbox_owner";
/// The role the gateway works as; it has no right but what is granted to it.
pub(super) const APP: &str = "signalbox_app";
/// The database.
pub(super) const DATABASE: &str = "signalbox";

/// The major version that made the cluster; `None` when there is none yet.
pub(super) fn made_by(cluster: &Path) -> Result<Option<u32>, ServerError> {
    let path = cluster.join("PG_VERSION");
    if !cluster.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(ServerError::at(&path))?;
    match text.trim().parse() {
        Ok(major) => Ok(Some(major)),
        Err(error) => Err(ServerError::at(&path)(std::io::Error::other(error))),
    }
}

/// Makes the cluster if there is none: in a temporary folder first, so that a half-made one is never taken for whole.
pub(super) async fn make(
    data: &DataFolder,
    binaries: &Binaries,
    account: Option<&Account>,
    durable: bool,
) -> Result<(), ServerError> {
    let cluster = data.cluster();
    if cluster.exists() {
        return Ok(());
    }
    sweep(data.path());
    let unfinished = data.path().join(format!("{UNFINISHED}{}", std::process::id()));
    make_private(&unfinished)?;
    give(account, &unfinished)?;
    let initdb = binaries.folder.join("initdb");
    let mut command = Command::new(&initdb);
    command
        .args(["--username", OWNER, "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions"])
        .args(["--auth-local=trust", "--auth-host=reject", WAL_SEGMENTS, "--pgdata"])
        .arg(&unfinished)
        .args((!durable).then_some("--no-sync"))
        .env_clear()
        .env("LC_ALL", "C")
        .current_dir("/")
        .kill_on_drop(true);
    run_as(account, &mut command);
    let done = command.output().await.map_err(ServerError::at(&initdb))?;
    if !done.status.success() {
        let said = last_words(&String::from_utf8_lossy(&done.stderr));
        sweep(data.path());
        return Err(ServerError::Initdb { folder: cluster, said });
    }
    fs::rename(&unfinished, &cluster).map_err(ServerError::at(&cluster))?;
    // The new name itself has to survive a power cut.
    fs::File::open(data.path()).and_then(|folder| folder.sync_all()).map_err(ServerError::at(data.path()))
}

/// A new segment of the log is filled with zeros before anything is written to it, and every commit waits meanwhile: of 16
/// MB, Postgres's own size, for 60 ms on a slow disk. Small ones take no time that anybody would notice.
const WAL_SEGMENTS: &str = "--wal-segsize=1";

const UNFINISHED: &str = "postgres.unfinished-";

fn sweep(data: &Path) {
    for entry in fs::read_dir(data).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            // An initdb that outlived its gateway may still write there; it is swept next time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// How to reach `database` over the private socket as `role`.
pub(super) fn options(socket: &Path, role: &str, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket)
        .port(PORT)
        .username(role)
        .database(database)
        .ssl_mode(PgSslMode::Disable)
        .application_name("signalbox")
}

/// Makes the app role and the database if they are not there.
pub(super) async fn furnish(socket: &Path) -> Result<(), ServerError> {
    let mut server = PgConnection::connect_with(&options(socket, OWNER, "postgres")).await?;
    let has_role = "select exists (select from pg_roles where rolname = $1)";
    if !sqlx::query_scalar::<_, bool>(has_role).bind(APP).fetch_one(&mut server).await? {
        run(&mut server, format!("create role {APP} login")).await?;
    }
    let has_database = "select exists (select from pg_database where datname = $1)";
    if !sqlx::query_scalar::<_, bool>(has_database).bind(DATABASE).fetch_one(&mut server).await? {
        run(&mut server, format!("create database {DATABASE}")).await?;
    }
    // Repeated at every start: it costs nothing, and an interrupted first start is made good.
    run(&mut server, format!("revoke all on database {DATABASE} from public")).await?;
    run(&mut server, format!("grant connect on database {DATABASE} to {APP}")).await?;
    server.close().await?;

    let mut database = PgConnection::connect_with(&options(socket, OWNER, DATABASE)).await?;
    run(&mut database, "revoke create on schema public from public".to_owned()).await?;
    database.close().await?;
    Ok(())
}

async fn run(connection: &mut PgConnection, statement: String) -> Result<(), ServerError> {
    // Safe: made of this file's constants only.
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}
