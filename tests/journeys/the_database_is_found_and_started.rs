//! Someone starts Signalbox on a machine: the database is there, whatever the machine has and whatever an earlier run
//! left behind; and where it cannot be, they are told what to do.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use signalbox::store::server::{Kind, Server, ServerError, Wanted, resolve};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use crate::support::second_process;
use crate::support::test_server::wanted;

const HERE: &str = "the_database_is_found_and_started";

/// An ordinary user's id; Postgres wants one that has a name.
const NOBODY: u32 = 65534;

/// A folder that the account Postgres runs as can reach.
fn somewhere() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

async fn start(data: &Path) -> Server {
    resolve(wanted(data)).await.unwrap()
}

async fn ask<T>(options: &PgConnectOptions, question: &'static str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::query_scalar(question).fetch_one(&mut connection).await.unwrap()
}

async fn tell(options: &PgConnectOptions, statement: &'static str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::raw_sql(statement).execute(&mut connection).await.map(drop)
}

fn postmaster(data: &Path) -> Pid {
    let file = fs::read_to_string(data.join("postgres/postmaster.pid")).unwrap();
    Pid::from_raw(file.lines().next().unwrap().parse().unwrap()).unwrap()
}

async fn a_cold_start_works(data: &Path) {
    let server = resolve(Wanted { durable: true, ..wanted(data) }).await.unwrap();
    let about = server.about().await.unwrap();
    assert!(about.fsync);
    assert_eq!(about.folder.as_deref(), Some(&*data.canonicalize().unwrap()));
    assert_eq!(about.register, "append-only: roles and trigger");
    assert_eq!(server.app_role().as_deref(), Some("signalbox_app"));
    assert!(server.alone());
    assert_eq!(ask::<String>(&server.app, "select current_user::text").await, "signalbox_app");
    assert_eq!(ask::<String>(&server.app, "show timezone").await, "UTC");
    assert_eq!(ask::<String>(&server.app, "show listen_addresses").await, "");
    assert_eq!(ask::<String>(&server.app, "show jit").await, "off", "a hardened service may not make code");
    tell(&server.app, "create table marks (mark text)").await.unwrap_err();
    tell(&server.owner, "create table marks (mark text)").await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn it_starts_on_an_empty_folder_and_nobody_else_can_get_in() {
    let folder = somewhere();
    let data = folder.path().join("data");
    a_cold_start_works(&data).await;
    for private in ["postgres", "socket"] {
        let private = fs::metadata(data.join(private)).unwrap();
        assert_eq!(private.mode() & 0o077, 0);
        assert_ne!(private.uid(), 0, "Postgres does not run as root");
    }
    assert_eq!(fs::metadata(&data).unwrap().mode() & 0o007, 0);
}

#[tokio::test]
async fn an_ordinary_user_can_start_it() {
    if second_process::part().is_none() && geteuid().is_root() {
        let folder = somewhere();
        second_process::run_as(NOBODY, &format!("{HERE}::an_ordinary_user_can_start_it"), folder.path());
        return;
    }
    assert!(!geteuid().is_root());
    let folder = somewhere();
    a_cold_start_works(&folder.path().join("data")).await;
}

#[tokio::test]
async fn data_is_kept_over_a_restart() {
    let folder = somewhere();
    let server = start(folder.path()).await;
    tell(&server.owner, "create table marks as select 'kept' as mark").await.unwrap();
    server.stop().await.unwrap();
    let server = start(folder.path()).await;
    assert_eq!(ask::<String>(&server.owner, "select mark from marks").await, "kept");
}

#[tokio::test]
async fn a_server_that_a_killed_gateway_left_is_replaced_and_loses_nothing() {
    if let Some(data) = second_process::part() {
        let server = start(data.as_ref()).await;
        tell(&server.owner, "create table marks as select 'kept' as mark").await.unwrap();
        second_process::started_and_waiting();
    }
    let folder = somewhere();
    let test = format!("{HERE}::a_server_that_a_killed_gateway_left_is_replaced_and_loses_nothing");
    let mut gateway = second_process::start(&test, folder.path());
    let orphan = postmaster(folder.path());
    gateway.kill();

    let server = start(folder.path()).await;
    assert_ne!(postmaster(folder.path()), orphan);
    assert_eq!(ask::<String>(&server.owner, "select mark from marks").await, "kept");
}

#[tokio::test]
async fn a_pid_file_that_now_names_another_program_is_not_believed() {
    if let Some(data) = second_process::part() {
        let _server = start(data.as_ref()).await;
        second_process::started_and_waiting();
    }
    let folder = somewhere();
    let test = format!("{HERE}::a_pid_file_that_now_names_another_program_is_not_believed");
    let mut gateway = second_process::start(&test, folder.path());
    let server = postmaster(folder.path());
    gateway.kill();
    kill_process(server, Signal::KILL).unwrap();

    // The power is back, and the process id was given to something else of the same user.
    let file = folder.path().join("postgres/postmaster.pid");
    let (uid, gid) = (fs::metadata(&file).unwrap().uid(), fs::metadata(&file).unwrap().gid());
    let mut command = Command::new("sleep");
    if geteuid().is_root() {
        command.uid(uid).gid(gid);
    }
    let mut other = command.arg("60").stdout(Stdio::null()).spawn().unwrap();
    let before = fs::read_to_string(&file).unwrap();
    let rest = before.split_once('\n').unwrap().1;
    fs::write(&file, format!("{}\n{rest}", other.id())).unwrap();

    let server = start(folder.path()).await;
    assert_eq!(ask::<i32>(&server.owner, "select 1").await, 1);
    assert!(other.try_wait().unwrap().is_none(), "the other program was left alone");
    other.kill().unwrap();
    other.wait().unwrap();
}

#[tokio::test]
async fn a_second_gateway_on_the_same_folder_is_told_who_has_it() {
    let folder = somewhere();
    let _first = start(folder.path()).await;
    let refused = resolve(wanted(folder.path())).await.unwrap_err();
    let said = refused.to_string();
    assert!(matches!(refused, ServerError::Held { holder: Some(_), .. }), "{said}");
    assert!(said.contains(&*folder.path().to_string_lossy()), "{said}");
    assert!(said.contains(&std::process::id().to_string()), "{said}");
}

#[tokio::test]
async fn a_data_folder_with_a_very_long_path_works() {
    let folder = somewhere();
    let data = folder.path().join("a-department-with-a-long-name/".repeat(5));
    fs::create_dir_all(&data).unwrap();
    let server = start(&data).await;
    assert_eq!(ask::<i32>(&server.app, "select 1").await, 1);
    let socket = server.app.get_socket().unwrap().clone();
    assert!(!socket.starts_with(folder.path()));
    assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o077, 0);
    server.stop().await.unwrap();
    fs::remove_dir(socket).unwrap();
}

#[tokio::test]
async fn the_servers_log_does_not_quote_what_was_sent() {
    let folder = somewhere();
    let server = start(folder.path()).await;
    tell(&server.owner, "select 'Betterton'::integer").await.unwrap_err();
    tell(&server.owner, "create table people (name text primary key); insert into people values ('Betterton')")
        .await
        .unwrap();
    tell(&server.owner, "insert into people values ('Betterton')").await.unwrap_err();
    server.stop().await.unwrap();
    let log = fs::read_to_string(folder.path().join("postgres.log")).unwrap();
    assert!(log.contains("ready to accept connections"), "{log}");
    assert!(!log.contains("Betterton"), "{log}");
}

#[tokio::test]
async fn data_of_another_major_version_is_left_alone() {
    let folder = somewhere();
    start(folder.path()).await.stop().await.unwrap();
    fs::write(folder.path().join("postgres/PG_VERSION"), "13\n").unwrap();
    let said = resolve(wanted(folder.path())).await.unwrap_err().to_string();
    assert!(said.contains("was made by PostgreSQL 13"), "{said}");
}

#[tokio::test]
async fn a_folder_the_servers_account_cannot_reach_is_named() {
    let folder = somewhere();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let data = folder.path().join("data");
    let tried = resolve(wanted(&data)).await;
    if geteuid().is_root() {
        let said = tried.unwrap_err().to_string();
        assert!(said.contains(&*folder.path().to_string_lossy()), "{said}");
    } else {
        assert_eq!(tried.unwrap().kind, Kind::Machine, "an ordinary user runs it as themselves");
    }
}

#[tokio::test]
async fn the_password_of_a_url_is_never_shown() {
    let secret = |url: &str| Wanted { url: Some(url.to_owned()), ..wanted(Path::new("unused")) };
    for url in ["postgres://gateway:hunter2@127.0.0.1:port/db", "mysql://gateway:hunter2@127.0.0.1/db", "hunter2"] {
        let refused = resolve(secret(url)).await.unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused:?}");
    }
    // Nothing listens there.
    let server = resolve(secret("postgres://gateway:hunter2@127.0.0.1:1/db")).await.unwrap();
    assert!(!format!("{server:?}").contains("hunter2"));
    assert_eq!((server.kind, server.app_role(), server.alone()), (Kind::Url, None, false));
    let refused = server.about().await.unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused:?}");
    assert!(!Path::new("unused").exists(), "no data folder is made for a server of someone else");
}

#[tokio::test]
async fn one_role_in_the_url_means_the_trigger_alone_guards_the_register() {
    let folder = somewhere();
    let own = start(folder.path()).await;
    let url = |role: &str| {
        let socket = own.app.get_socket().unwrap().display().to_string().replace('/', "%2F");
        format!("postgres://{role}@{socket}:5432/signalbox")
    };
    let one = Wanted { url: Some(url("signalbox_owner")), ..wanted(Path::new("unused")) };
    let two = Wanted { url: Some(url("signalbox_app")), owner_url: one.url.clone(), ..one.clone() };
    let about = resolve(one).await.unwrap().about().await.unwrap();
    assert_eq!((about.which, about.folder, about.register), (Kind::Url, None, "append-only: trigger only"));
    let two = resolve(two).await.unwrap();
    assert_eq!(two.app_role().as_deref(), Some("signalbox_app"));
    assert_eq!(two.about().await.unwrap().register, "append-only: roles and trigger");
}
