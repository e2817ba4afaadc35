//! `signalbox ready`: asks `/readyz` of a running gateway, for service managers and container health checks that have no
//! HTTP client of their own.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::{ConfigFolder, World};
use crate::config::Config;

/// Longer than the gateway itself waits for its database.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Args)]
pub(super) struct Ready {
    #[command(flatten)]
    config: ConfigFolder,
    /// Where it listens, such as `http://127.0.0.1:8080`; by default what the configuration says
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

impl Ready {
    pub(super) async fn run(self, world: World) -> anyhow::Result<ExitCode> {
        let root = match self.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => root(&Config::load_with(Some(&self.config.config), &world.environment)?),
        };
        // Asked on this machine, by an address that its certificate does not name.
        let client =
            reqwest::Client::builder().no_proxy().timeout(PATIENCE).tls_danger_accept_invalid_certs(true).build()?;
        let answer =
            client.get(format!("{root}/readyz")).send().await.with_context(|| format!("{root} does not answer"))?;
        let status = answer.status();
        let text = answer.text().await?;
        writeln!(std::io::stdout(), "{text}")?;
        Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// The front door on this machine.
fn root(config: &Config) -> String {
    let scheme = if config.http.tls.is_on() { "https" } else { "http" };
    let mut address = config.http.listen;
    if address.ip().is_unspecified() {
        let loopback =
            if address.is_ipv4() { std::net::Ipv4Addr::LOCALHOST.into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
        address.set_ip(loopback);
    }
    format!("{scheme}://{address}")
}
