//! `signalbox demo`: everything at once, to watch.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::World;
use crate::demo::run::{self, Plan};

#[derive(Args)]
pub(super) struct Demo {
    /// Stop after this many messages and check that everything adds up
    #[arg(long, value_name = "N")]
    exchanges: Option<u64>,
    /// Messages a second while it runs without an end
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Folder for the database and what the partners received
    #[arg(long, value_name = "DIR", default_value = "signalbox-data/demo")]
    data: PathBuf,
}

impl Demo {
    pub(super) async fn run(self, world: World) -> anyhow::Result<ExitCode> {
        let Self { exchanges, rate, data } = self;
        run::run(Plan { exchanges, rate, data }, world.clock, world.chance).await
    }
}
