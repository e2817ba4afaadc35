//! What `signalbox db` says of the database.

use std::path::PathBuf;

use sqlx::{ConnectOptions, Connection};

use super::error::ServerError;
use super::{Kind, Server};

/// The database in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Which one it is.
    pub which: &'static str,
    /// Its version.
    pub version: String,
    /// The data folder of a server of our own.
    pub folder: Option<PathBuf>,
    /// Whether commits survive a power cut.
    pub fsync: bool,
    /// What keeps the register from being changed.
    pub register: &'static str,
}

const QUESTION: &str = "select current_setting('server_version'), current_setting('fsync') = 'on'";

pub(super) async fn ask(server: &Server) -> Result<About, ServerError> {
    let mut db = server.owner.connect().await?;
    let (version, fsync): (String, bool) = sqlx::query_as(QUESTION).fetch_one(&mut db).await?;
    db.close().await?;
    let which = match server.kind {
        Kind::Url => "the one DATABASE_URL names",
        Kind::Machine => "a server of our own, from the Postgres on this machine",
        Kind::Wheel => "a server of our own, from the fetched Postgres",
        Kind::Neighbour => "a server of our own, run by the gateway",
    };
    let register = match server.app_role() {
        Some(_) => "append-only: app role without the right to change it, and trigger",
        None => "append-only: trigger only",
    };
    Ok(About { which, version, folder: server.data.clone(), fsync, register })
}
