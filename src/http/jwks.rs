//! The public keys of an issuer ([JWKS, RFC 7517](https://www.rfc-editor.org/rfc/rfc7517#section-5)), from a file or an
//! https address. Read when a key is not known, not more often than every few seconds; when they cannot be read, the
//! keys we have stay in use.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Shortest time between two readings.
const READ_EVERY: Duration = Duration::from_secs(5);
/// After this time keys are read again: one may have been withdrawn.
const FRESH: Duration = Duration::from_mins(10);
/// Longest time to wait for an issuer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest key set.
const LONGEST: usize = 1 << 20;

/// The keys of one issuer.
pub(super) struct Jwks {
    place: Place,
    held: Mutex<Held>,
}

enum Place {
    File(PathBuf),
    Address(String, reqwest::Client),
}

#[derive(Default)]
struct Held {
    keys: Vec<Jwk>,
    read: Option<Instant>,
}

impl Jwks {
    /// Keys at an `https://` address or in a file; relative paths start at `base`.
    pub(super) fn new(place: &str, base: &Path, http: reqwest::Client) -> Self {
        let place =
            if is_address(place) { Place::Address(place.to_owned(), http) } else { Place::File(base.join(place)) };
        Self { place, held: Mutex::default() }
    }

    /// The key with this id; without one, the only key there is.
    pub(super) async fn find(&self, id: Option<&str>) -> Option<Jwk> {
        let mut held = self.held.lock().await;
        let age = held.read.map(|read| read.elapsed());
        let known = held.find(id).is_some();
        if age.is_none_or(|age| age >= FRESH || (!known && age >= READ_EVERY)) {
            held.read = Some(Instant::now());
            match self.place.read().await {
                Ok(keys) => held.keys = keys,
                Err(error) => tracing::warn!(%error, "the keys of an issuer could not be read; those we have stay"),
            }
        }
        held.find(id).cloned()
    }
}

/// Whether the keys are not in a file.
pub(super) fn is_address(place: &str) -> bool {
    place.starts_with("https://")
}

impl Held {
    fn find(&self, id: Option<&str>) -> Option<&Jwk> {
        match (id, self.keys.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(id), keys) => keys.iter().find(|key| key.common.key_id.as_deref() == Some(id)),
        }
    }
}

/// Reads the keys in a file once, to see whether any can be used.
///
/// # Errors
/// Why none can.
pub(super) fn look_into(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
    let keys = parse(&text).map_err(|error| format!("{shown}: {error}"))?;
    let usable = keys
        .iter()
        .any(|key| !matches!(key.algorithm, AlgorithmParameters::OctetKey(_)) && DecodingKey::from_jwk(key).is_ok());
    if usable { Ok(()) } else { Err(format!("{shown}: there is no public key in it that can be used")) }
}

fn parse(text: &[u8]) -> Result<Vec<Jwk>, String> {
    if text.len() > LONGEST {
        return Err("the key set is too long".to_owned());
    }
    let set: JwkSet = serde_json::from_slice(text).map_err(|error| format!("it is no JWKS: {error}"))?;
    Ok(set.keys)
}

impl Place {
    async fn read(&self) -> Result<Vec<Jwk>, String> {
        let text = match self {
            Self::File(path) => {
                let read = tokio::fs::read(path).await;
                read.map_err(|error| format!("{}: {error}", path.display()))?
            }
            Self::Address(address, http) => {
                let answered = http.get(address).timeout(PATIENCE).send().await;
                let answer = answered.and_then(reqwest::Response::error_for_status);
                let body = answer.map_err(|error| error.to_string())?.bytes().await;
                body.map_err(|error| error.to_string())?.to_vec()
            }
        };
        parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_public_key_that_can_be_used_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        assert!(look_into(&path).unwrap_err().contains("No such file"));
        let look = |text: &str| {
            std::fs::write(&path, text).unwrap();
            look_into(&path)
        };
        for (wrong, told) in [
            ("-----BEGIN PUBLIC KEY-----", "it is no JWKS"),
            ("{}", "it is no JWKS"),
            (r#"{"keys":[]}"#, "there is no public key"),
            (r#"{"keys":[{"kty":"oct","k":"AA"}]}"#, "there is no public key"),
        ] {
            assert!(look(wrong).unwrap_err().contains(told), "{wrong}");
        }
        assert_eq!(look(r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#), Ok(()));
    }
}
