//! What each source may ask of us: its rate, its longest body, its largest batch.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Config;
use crate::gateway::Meter;

/// The limits of every source.
pub(super) struct Limits(HashMap<String, Allowance>);

/// The limits of one source.
pub(super) struct Allowance {
    /// Most bytes of a body.
    pub(super) max_body: u64,
    /// Most entries of a batch.
    pub(super) max_entries: usize,
    meter: Option<Meter>,
}

impl Limits {
    /// The limits of the configured sources.
    pub(super) fn of(config: &Config) -> Self {
        let allowances = config.sources.iter().map(|(name, source)| {
            let limits = &source.limits;
            let meter = limits.rate.map(|rate| Meter::new(rate, limits.burst.unwrap_or(1)));
            let max_body = limits.max_body.unwrap_or(config.http.max_body).0;
            let max_entries = limits.max_entries.unwrap_or(config.http.max_entries);
            (name.clone(), Allowance { max_body, max_entries, meter })
        });
        Self(allowances.collect())
    }

    /// The limits of a source.
    pub(super) fn of_source(&self, source: &str) -> Option<&Allowance> {
        self.0.get(source)
    }
}

impl Allowance {
    /// Takes one request.
    ///
    /// # Errors
    /// When the source may come again.
    pub(super) fn admit(&self) -> Result<(), Duration> {
        self.meter.as_ref().map_or(Ok(()), |meter| meter.admit(Instant::now()))
    }
}
