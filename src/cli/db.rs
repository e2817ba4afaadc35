//! `signalbox db`: which database is used, and what protects the register in it.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;

use super::{ConfigFolder, World, access};
use crate::config::Config;
use crate::store::server::Server;

#[derive(Args)]
pub(super) struct Db {
    #[command(flatten)]
    config: ConfigFolder,
}

impl Db {
    pub(super) async fn run(self, world: World) -> anyhow::Result<ExitCode> {
        let config = Config::load_with(Some(&self.config.config), &world.environment)?;
        let server = Server::attach(access::wanted(&config, &world, false)).await?;
        let about = server.about().await;
        server.stop().await?;
        let about = about?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "database  {}", about.which)?;
        writeln!(out, "version   {}", about.version)?;
        let folder =
            about.folder.map_or_else(|| "(a server of its own)".to_owned(), |folder| folder.display().to_string());
        writeln!(out, "folder    {folder}")?;
        writeln!(
            out,
            "fsync     {}",
            if about.fsync { "on" } else { "OFF: a power cut may lose what was acknowledged" }
        )?;
        writeln!(out, "register  {}", about.register)?;
        Ok(ExitCode::SUCCESS)
    }
}
