//! TLS, by the one stack ([rustls](https://docs.rs/rustls)): of our doors in [`server`], with the names that a client
//! certificate proves in [`names`], and of connections to partners in [`client`].

pub mod client;
pub mod names;
pub mod server;

use std::path::Path;

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
