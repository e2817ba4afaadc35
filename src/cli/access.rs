//! A connection for commands that look or act: to the configured database, to our own server while the gateway runs on
//! it, or to the same server started for the length of the command.

use std::path::Path;

use anyhow::Context;
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::World;
use crate::app;
use crate::config::Config;
use crate::exchange::keys::SearchKey;
use crate::store::server::{self, Server, Wanted};

/// An open database with the configuration it belongs to.
pub(super) struct Access {
    pub(super) config: Config,
    pub(super) db: PgConnection,
    pub(super) search_key: SearchKey,
    server: Server,
}

/// Where the database is to be found, by configuration and environment.
pub(super) fn wanted(config: &Config, world: &World, fetch_wheel: bool) -> Wanted {
    let environment = &world.environment;
    let configured = |secret: &crate::config::Secret| (!secret.is_empty()).then(|| secret.expose().to_owned());
    let from = |secret: Option<crate::config::Secret>| secret.map(|secret| secret.expose().to_owned());
    Wanted {
        url: configured(&config.database.url).or_else(|| from(environment.database_url())),
        owner_url: configured(&config.database.owner_url).or_else(|| from(environment.database_owner_url())),
        data: config.base.join(&config.data),
        fetch_wheel,
        path: environment.get("PATH").map(Into::into),
        folders: server::package_folders(),
        durable: true,
    }
}

/// Opens the database of a configuration.
pub(super) async fn open(folder: &Path, world: &World) -> anyhow::Result<Access> {
    let config = Config::load_with(Some(folder), &world.environment)?;
    let server = Server::attach(wanted(&config, world, false)).await?;
    let db = server.app.connect().await.context("the database did not answer")?;
    let search_key = app::search_key(&config, &world.chance)?;
    Ok(Access { config, db, search_key, server })
}

impl Access {
    pub(super) async fn close(self) -> anyhow::Result<()> {
        let _ = self.db.close().await;
        Ok(self.server.stop().await?)
    }
}
