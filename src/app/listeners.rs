//! The MLLP listeners of the configuration: bound before anything is started, served when everything is.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::StartError;
use crate::adapters::mllp::source::{Source, World};
use crate::config::{Config, ConfigError, ConfigErrors, Problem};
use crate::tls::server::Tls;
use tokio_util::sync::CancellationToken;

/// Listeners that wait to be served.
pub(super) struct Listeners(Vec<(String, SocketAddr, Source)>);

impl Listeners {
    /// Binds all of them: a taken port is the commonest mistake.
    ///
    /// # Errors
    /// When a certificate cannot be read, or an address cannot be listened on.
    pub(super) async fn bind(config: &Config) -> Result<Self, StartError> {
        let mut bound = Vec::new();
        for ((name, settings), tls) in config.mllp.iter().zip(certificates(config)?) {
            let taken = |error| StartError::Listen { address: settings.listen, error };
            let source = Source::bind(name, settings, tls, config).await.map_err(taken)?;
            bound.push((name.clone(), source.address().map_err(taken)?, source));
        }
        Ok(Self(bound))
    }

    /// Serves them until `stop`; says where each listens.
    pub(super) fn serve(self, world: &World, stop: &CancellationToken) -> BTreeMap<String, SocketAddr> {
        let serve = |(name, address, source): (String, SocketAddr, Source)| {
            tracing::info!(listener = name, %address, "listening for HL7 v2");
            world.tasks.spawn(source.serve(world.clone(), stop.clone()));
            (name, address)
        };
        self.0.into_iter().map(serve).collect()
    }
}

/// The certificates of the listeners, in their order.
///
/// # Errors
/// Every file that cannot be used.
pub(super) fn certificates(config: &Config) -> Result<Vec<Option<Tls>>, ConfigErrors> {
    let (mut loaded, mut errors): (Vec<Option<Tls>>, Vec<ConfigError>) = (Vec::new(), Vec::new());
    for (name, settings) in &config.mllp {
        match Tls::load(&settings.tls, &config.base, &format!("mllp.{name}.tls"), &[]) {
            Ok(tls) => loaded.push(tls),
            Err((key, sentence)) => errors.push(config.error(&key, Problem::Other(sentence))),
        }
    }
    if errors.is_empty() { Ok(loaded) } else { Err(ConfigErrors::new(errors)) }
}
