//! TLS, by the one stack ([rustls](https://docs.rs/rustls)): of our doors in [`server`], with the names that a client
//! certificate proves in [`names`], and of connections to partners in [`client`]; when certificates end, in [`validity`].

pub mod client;
pub mod names;
pub mod server;
pub mod validity;

use std::path::Path;

use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// The certificates of a PEM file; at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let fail = |error| format!("{}: {error}", path.display());
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(fail)?.collect();
    match read.map_err(fail)? {
        none if none.is_empty() => Err(format!("{}: there is no certificate in it", path.display())),
        certificates => Ok(certificates),
    }
}

/// Why TLS does not take a certificate with its key: the setting at fault, and a sentence.
fn unusable(error: &rustls::Error) -> (&'static str, String) {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            ("key", "this private key is not that of the certificate beside it".to_owned())
        }
        error => ("certificate", format!("cannot be used: {error}")),
    }
}
