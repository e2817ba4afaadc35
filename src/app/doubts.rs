//! What keeps nobody from starting, and yet somebody should look at: certificates that have ended or will soon, issuers
//! without keys, folders that are not there, addresses that nobody can call. Told by `check` and, at a start, in the log.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::housekeeping::pause;
use crate::adapters;
use crate::config::tls::{PartnerTls, Tls};
use crate::config::{Config, ConfigError, Problem};
use crate::http::Issuers;
use crate::telemetry::Metrics;
use crate::tls::validity::{self, Lapse};

/// How often the certificates of doors are looked at.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// What was found.
#[derive(Default)]
pub(super) struct Doubts {
    /// Part of what is configured cannot work as it is.
    pub(super) broken: Vec<ConfigError>,
    /// It works, and may not be meant.
    pub(super) odd: Vec<ConfigError>,
}

/// Everything that is doubtful at `now`.
pub(super) fn of(config: &Config, now: DateTime<Utc>) -> Doubts {
    let mut doubts = Doubts::default();
    for (key, lapse) in lapses(config, now) {
        let list = if lapse.now { &mut doubts.broken } else { &mut doubts.odd };
        list.push(config.error(&key, Problem::Other(lapse.sentence)));
    }
    let error = |(key, sentence): (String, String)| config.error(&key, Problem::Other(sentence));
    doubts.broken.extend(Issuers::without_keys(config).into_iter().map(error));
    for (name, section) in &config.destinations {
        let Some(kind) = adapters::kind_of(&section.adapter) else { continue };
        let found = (kind.doubts)(&section.settings, &config.base).into_iter();
        let placed = found.map(|(key, sentence)| error((format!("destinations.{name}.settings.{key}"), sentence)));
        doubts.odd.extend(placed);
    }
    doubts.odd.extend(unusable_base(config));
    doubts
}

impl Doubts {
    /// Tells the log.
    pub(super) fn log(&self) {
        self.broken.iter().for_each(|doubt| tracing::error!("{doubt}"));
        self.odd.iter().for_each(|doubt| tracing::warn!("{doubt}"));
    }
}

/// Our own certificates: where each is set, its file, and whether it is read again when it changes.
fn own_certificates(config: &Config) -> Vec<(String, PathBuf, bool)> {
    let doors =
        doors(config).map(|(key, tls)| (format!("{key}.certificate"), config.base.join(&tls.certificate), true));
    let partners = partners(config).filter(|(_, tls)| !tls.certificate.as_os_str().is_empty());
    let partners = partners.map(|(key, tls)| (format!("{key}.certificate"), config.base.join(&tls.certificate), false));
    doors.chain(partners).collect()
}

/// Tells when our certificates end. Files of doors are read again: they are renewed without a restart.
pub(super) async fn watch_certificates(config: Config, metrics: Metrics, stop: CancellationToken) {
    let mut certificates = own_certificates(&config);
    loop {
        for (setting, file, _) in &certificates {
            if let Some(end) = validity::end_of_chain(file) {
                metrics.certificate_ends(setting, end.timestamp());
            }
        }
        certificates.retain(|(.., read_again)| *read_again);
        if certificates.is_empty() || !pause(LOOK_EVERY, &stop).await {
            return;
        }
    }
}

/// Doors with TLS, and where it is set.
fn doors(config: &Config) -> impl Iterator<Item = (String, &Tls)> {
    let listeners = config.mllp.iter().map(|(name, listener)| (format!("mllp.{name}.tls"), &listener.tls));
    std::iter::once(("http.tls".to_owned(), &config.http.tls)).chain(listeners).filter(|(_, tls)| tls.is_on())
}

/// Partners with TLS, and where it is set.
fn partners(config: &Config) -> impl Iterator<Item = (String, PartnerTls)> {
    config.destinations.iter().filter_map(|(name, section)| {
        let tls = (adapters::kind_of(&section.adapter)?.tls)(&section.settings)?;
        Some((format!("destinations.{name}.settings.tls"), tls))
    })
}

/// Certificates that are not in force, or not for long, with the setting that names them.
fn lapses(config: &Config, now: DateTime<Utc>) -> Vec<(String, Lapse)> {
    let mut found = Vec::new();
    let mut add = |key: String, lapses: Vec<Lapse>| found.extend(lapses.into_iter().map(|lapse| (key.clone(), lapse)));
    for (key, file, _) in own_certificates(config) {
        add(key, validity::of_chain(&file, now));
    }
    let authorities = |file: &Path| validity::of_authorities(&config.base.join(file), now);
    for (key, tls) in doors(config).filter(|(_, tls)| tls.asks_clients()) {
        add(format!("{key}.client_authorities"), authorities(&tls.client_authorities));
    }
    for (key, tls) in partners(config) {
        add(format!("{key}.authorities"), authorities(&tls.authorities));
    }
    found
}

/// Addresses in answers that lead nowhere: nobody can call `0.0.0.0`, and only a proxy can call what is behind it.
fn unusable_base(config: &Config) -> Option<ConfigError> {
    let http = &config.http;
    let why = match (http.listen.ip().is_unspecified(), http.behind_proxy) {
        (_, true) => "the gateway is behind a proxy",
        (true, _) => "http.listen names no address that anybody could call",
        _ => return None,
    };
    let expected = format!(
        "the address that partners see, such as https://gateway.example.org/fhir: {why}, and \
                            addresses in answers (Content-Location) are made from it"
    );
    let problem = Problem::Unexpected { found: "nothing".to_owned(), expected };
    http.base_url.is_empty().then(|| config.error("http.base_url", problem))
}
