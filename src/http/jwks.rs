//! The public keys of an issuer ([JWKS, RFC 7517](https://www.rfc-editor.org/rfc/rfc7517#section-5)), from a file or an
//! https address. Read when a key is not known, not more often than every few seconds; when they cannot be read, the
//! keys we have stay in use.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
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
    /// Held by whoever reads. Others wait for it only where they have nothing to go by.
    reading: tokio::sync::Mutex<()>,
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
        Self::at(if is_address(place) { Place::Address(place.to_owned(), http) } else { Place::File(base.join(place)) })
    }

    fn at(place: Place) -> Self {
        Self { place, held: Mutex::default(), reading: tokio::sync::Mutex::default() }
    }

    /// The key with this id; without one, the only key there is. A key that we have is given at once, even while somebody
    /// waits for the issuer: anybody can name a key that there is not.
    pub(super) async fn find(&self, id: Option<&str>) -> Option<Jwk> {
        let (known, fresh) = self.look(id, FRESH);
        if known.is_some() && fresh {
            return known;
        }
        let reading = match known {
            Some(_) => match self.reading.try_lock() {
                Ok(reading) => reading,
                Err(_) => return known,
            },
            None => self.reading.lock().await,
        };
        // Somebody may just have read them.
        let (known, fresh) = self.look(id, if known.is_some() { FRESH } else { READ_EVERY });
        if !fresh {
            self.held().read = Some(Instant::now());
            match self.place.read().await {
                Ok(keys) => self.held().keys = keys,
                Err(error) => tracing::warn!(%error, "the keys of an issuer could not be read; those we have stay"),
            }
            drop(reading);
            return self.look(id, FRESH).0;
        }
        known
    }

    /// The key with this id, and whether keys have been read within this time.
    fn look(&self, id: Option<&str>, time: Duration) -> (Option<Jwk>, bool) {
        let held = self.held();
        (held.find(id).cloned(), held.read.is_some_and(|read| read.elapsed() < time))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use super::*;

    /// An issuer that gives its keys to the first who asks, and nobody else an answer.
    async fn once() -> (Jwks, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                if open.is_empty() {
                    let mut head = [0; 1024];
                    let _ = stream.read(&mut head).await.unwrap();
                    let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"one","x":"AAAA"}]}"#;
                    let answer =
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", keys.len());
                    stream.write_all(format!("{answer}{keys}").as_bytes()).await.unwrap();
                }
                open.push(stream);
            }
        });
        (Jwks::at(Place::Address(address, reqwest::Client::builder().no_proxy().build().unwrap())), tasks)
    }

    #[tokio::test]
    async fn who_names_a_key_that_there_is_not_keeps_nobody_else_waiting() {
        let (keys, _issuer) = once().await;
        assert!(keys.find(Some("one")).await.is_some());
        // Long ago, so that the next unknown name is asked for.
        keys.held().read = Instant::now().checked_sub(READ_EVERY);
        let made_up = keys.find(Some("made up"));
        tokio::pin!(made_up);
        assert!(futures_util::poll!(made_up.as_mut()).is_pending(), "it waits for an issuer that says nothing");
        let known = keys.find(Some("one"));
        tokio::pin!(known);
        assert!(matches!(futures_util::poll!(known), std::task::Poll::Ready(Some(_))));
        assert!(made_up.await.is_none());
        assert!(keys.find(Some("one")).await.is_some(), "the keys we have stay");
    }

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
