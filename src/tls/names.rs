//! The names in a client certificate that the TLS handshake has proved: DNS names of its subject alternative name
//! ([RFC 5280 §4.2.1.6](https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6)).

use std::sync::Arc;

use tokio_rustls::rustls::pki_types::CertificateDer;

/// Names of the client of a connection, in lower case; none when it showed no certificate.
#[derive(Debug, Clone, Default)]
pub struct ClientNames(Arc<[String]>);

impl ClientNames {
    /// The names in a certificate whose chain has been checked.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else { return Self::default() };
        Self(certificate.valid_dns_names().map(str::to_lowercase).collect())
    }

    /// These names, in lower case.
    #[cfg(test)]
    pub(crate) fn named(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
