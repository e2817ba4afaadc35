//! A server of our own, kept running: its postmaster may be killed or run out of memory while the gateway lives, and
//! nobody else would start it again.

use std::path::PathBuf;
use std::time::Duration;

use super::account::Account;
use super::binaries::Binaries;
use super::error::ServerError;
use super::folder::DataFolder;
use super::launch::{self, Running};
use super::postmaster;

/// How often we look whether it is there; also the pause after it could not be started for the first time, which then
/// doubles.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest pause: whoever has made room on the disk need not wait long.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The server, and all it takes to start it again.
pub(super) struct Own {
    // In this order: the server goes before the lock does.
    running: Option<Running>,
    binaries: Binaries,
    account: Option<Account>,
    socket: PathBuf,
    durable: bool,
    /// Its data folder, locked.
    pub(super) folder: DataFolder,
}

impl Own {
    /// Starts the server of a cluster that is there.
    pub(super) async fn start(
        folder: DataFolder,
        binaries: Binaries,
        account: Option<Account>,
        socket: PathBuf,
        durable: bool,
    ) -> Result<Self, ServerError> {
        let running = Some(launch::start(&folder, &binaries, account.as_ref(), &socket, durable).await?);
        Ok(Self { running, binaries, account, socket, durable, folder })
    }

    /// Starts the server again whenever it has ended; never returns.
    pub(super) async fn keep(&mut self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.running.as_mut().is_some_and(Running::is_alive) {
                continue;
            }
            tracing::error!("our own Postgres server has ended; starting it again");
            let mut pause = LOOK_EVERY;
            while let Err(error) = self.restart().await {
                tracing::error!(%error, ?pause, "our own Postgres server could not be started; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            tracing::warn!("our own Postgres server runs again");
        }
    }

    async fn restart(&mut self) -> Result<(), ServerError> {
        self.running = None;
        postmaster::clear(&self.folder.cluster()).await?;
        let account = self.account.as_ref();
        let started = launch::start(&self.folder, &self.binaries, account, &self.socket, self.durable);
        self.running = Some(started.await?);
        Ok(())
    }

    /// Shuts it down fast and waits until it has gone.
    pub(super) async fn stop(self) -> Result<(), ServerError> {
        match self.running {
            Some(running) => running.stop().await,
            None => Ok(()),
        }
    }
}
