//! What `signalbox db` prints: which server this is, and how far it can be trusted to keep what it was given.

use std::path::PathBuf;

use sqlx::{Connection, PgConnection};

use super::{Kind, Server, ServerError};

/// Facts about the server, asked of the server itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Where it came from.
    pub which: Kind,
    /// Version, such as `15.18`.
    pub version: String,
    /// The data folder, when the server is our own.
    pub folder: Option<PathBuf>,
    /// Commits reach the disk before they are answered.
    pub fsync: bool,
    /// What keeps the register append-only.
    pub register: &'static str,
}

impl Server {
    /// Asks the server about itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn about(&self) -> Result<About, ServerError> {
        let mut connection = PgConnection::connect_with(&self.owner).await?;
        let asked = "select current_setting('server_version'), current_setting('fsync') = 'on'";
        let (version, fsync): (String, bool) = sqlx::query_as(asked).fetch_one(&mut connection).await?;
        connection.close().await?;
        // Distributions add their own number: 15.18 (Debian 15.18-0+deb12u1).
        let version = version.split_whitespace().next().unwrap_or_default().to_owned();
        let register =
            if self.app_role().is_some() { "append-only: roles and trigger" } else { "append-only: trigger only" };
        Ok(About { which: self.kind, version, folder: self.data.clone(), fsync, register })
    }
}
