//! TLS of a door, read from PEM files and read again when they change: a certificate is renewed without a restart.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::{certificates, unusable};
use crate::config::{Fault, tls as settings};

/// How often the files are looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The TLS settings in use.
pub struct Tls {
    files: Files,
    in_use: Mutex<InUse>,
}

struct InUse {
    config: Arc<ServerConfig>,
    changed: Vec<Option<SystemTime>>,
    looked: Instant,
}

struct Files {
    /// Where the settings stand, such as `http.tls`.
    section: String,
    alpn: &'static [&'static [u8]],
    certificate: PathBuf,
    key: PathBuf,
    client_authorities: Option<PathBuf>,
    client_certificate_needed: bool,
}

/// The protocols of a door for HTTP, as TLS names them ([ALPN](https://www.rfc-editor.org/rfc/rfc7301)).
pub const HTTP: &[&[u8]] = &[b"h2", b"http/1.1"];

impl Tls {
    /// Reads the files; `None` when no certificate is configured. Relative paths start at `base`; `section` is where
    /// the settings stand, such as `http.tls`; `alpn` names the protocols that are spoken, empty for one without a name.
    ///
    /// # Errors
    /// The setting, and what is wrong with its file.
    pub fn load(
        settings: &settings::Tls,
        base: &Path,
        section: &str,
        alpn: &'static [&'static [u8]],
    ) -> Result<Option<Self>, Fault> {
        if !settings.is_on() {
            return Ok(None);
        }
        let files = Files {
            section: section.to_owned(),
            alpn,
            certificate: base.join(&settings.certificate),
            key: base.join(&settings.key),
            client_authorities: settings.asks_clients().then(|| base.join(&settings.client_authorities)),
            client_certificate_needed: settings.client_certificate_needed,
        };
        let (changed, config) = (files.changed(), files.read()?);
        Ok(Some(Self { files, in_use: Mutex::new(InUse { config, changed, looked: Instant::now() }) }))
    }

    /// What a new connection gets.
    #[must_use]
    pub fn current(&self) -> Arc<ServerConfig> {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        if in_use.looked.elapsed() >= LOOK_EVERY {
            in_use.looked = Instant::now();
            let changed = self.files.changed();
            if changed != in_use.changed {
                match self.files.read() {
                    Ok(config) => {
                        let section = &self.files.section;
                        tracing::info!(section, "the certificate was read again");
                        in_use.config = config;
                    }
                    Err((setting, sentence)) => {
                        tracing::error!(setting, sentence, "the new certificate cannot be used; the old one stays");
                    }
                }
                in_use.changed = changed;
            }
        }
        Arc::clone(&in_use.config)
    }
}

impl Files {
    fn changed(&self) -> Vec<Option<SystemTime>> {
        let files = [Some(&self.certificate), Some(&self.key), self.client_authorities.as_ref()];
        files.into_iter().flatten().map(|path| std::fs::metadata(path).ok()?.modified().ok()).collect()
    }

    fn read(&self) -> Result<Arc<ServerConfig>, Fault> {
        let setting = |name: &str| format!("{}.{name}", self.section);
        let certificates = certificates(&self.certificate).map_err(|error| (setting("certificate"), error))?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| (setting("key"), format!("{}: {error}", self.key.display())))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let unusable = |error: tokio_rustls::rustls::Error| {
            let (name, sentence) = unusable(&error);
            (setting(name), sentence)
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let builder = match &self.client_authorities {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let fail = |error: String| (setting("client_authorities"), error);
                let mut roots = RootCertStore::empty();
                for certificate in super::certificates(path).map_err(fail)? {
                    roots.add(certificate).map_err(|error| fail(error.to_string()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = if self.client_certificate_needed { verifier } else { verifier.allow_unauthenticated() };
                builder.with_client_cert_verifier(verifier.build().map_err(|error| fail(error.to_string()))?)
            }
        };
        let mut config = builder.with_single_cert(certificates, key).map_err(unusable)?;
        config.alpn_protocols = self.alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Arc::new(config))
    }
}
