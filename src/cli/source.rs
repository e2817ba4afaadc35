//! `signalbox source token NAME`: a new bearer token, and the hash of it for the configuration. The token is shown once
//! and stored nowhere.

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;

use super::World;
use crate::config::token;

#[derive(Subcommand)]
pub(super) enum Source {
    /// Make a bearer token for a source; only its hash goes into the configuration
    Token {
        /// Name of the source, as in [sources.NAME]
        name: String,
    },
}

impl Source {
    pub(super) fn run(self, world: &World) -> anyhow::Result<ExitCode> {
        let Self::Token { name } = self;
        let (secret, hash) = token::new_token(&world.chance);
        let mut out = std::io::stdout().lock();
        writeln!(out, "Token for '{name}', shown this once; hand it to the partner over a safe channel:\n")?;
        writeln!(out, "    {}\n", secret.expose())?;
        writeln!(out, "For signalbox.toml (a second hash may stand beside the old one while it is replaced):\n")?;
        writeln!(out, "    [sources.{name}]\n    ods = \"…\"\n    token_sha256 = [\"{hash}\"]")?;
        Ok(ExitCode::SUCCESS)
    }
}
