//! TLS to a partner: whom we trust to sign its certificate, and the certificate by which we prove ourselves.

use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{certificates, unusable};
use crate::config::Fault;
use crate::config::tls::PartnerTls;

/// How we meet one partner.
#[derive(Clone)]
pub struct Client {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Client {
    /// Reads the files; relative paths start at `base`. `host` is the name its certificate must have, unless the
    /// settings say another.
    ///
    /// # Errors
    /// The setting, such as `authorities`, and what is wrong with it.
    pub fn load(settings: &PartnerTls, host: &str, base: &Path) -> Result<Self, Fault> {
        let mut roots = RootCertStore::empty();
        let fault = |setting: &str, sentence: String| (setting.to_owned(), sentence);
        let fail = |error: String| fault("authorities", error);
        for certificate in certificates(&base.join(&settings.authorities)).map_err(fail)? {
            roots.add(certificate).map_err(|error| fail(error.to_string()))?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| fault("", error.to_string()))?
            .with_root_certificates(roots);
        let config = if settings.certificate.as_os_str().is_empty() {
            builder.with_no_client_auth()
        } else {
            let own = certificates(&base.join(&settings.certificate)).map_err(|error| fault("certificate", error))?;
            let key = PrivateKeyDer::from_pem_file(base.join(&settings.key))
                .map_err(|error| fault("key", format!("{}: {error}", settings.key.display())))?;
            builder.with_client_auth_cert(own, key).map_err(|error| {
                let (setting, sentence) = unusable(&error);
                fault(setting, sentence)
            })?
        };
        let name = if settings.name.is_empty() { host } else { &settings.name };
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| fault("name", "expected the name or address in the partner's certificate".to_owned()))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Makes a connection a TLS connection.
    ///
    /// # Errors
    /// When the partner does not prove who it is, or does not believe us.
    pub async fn connect(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}
