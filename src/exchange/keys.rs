//! Keys that find a patient without storing the number: HMAC-SHA256 under a secret of the trust
//! ([RFC 2104](https://www.rfc-editor.org/rfc/rfc2104)), with a number that tells which secret was used.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The secret behind every key column.
#[derive(Clone)]
pub struct SearchKey {
    /// Prepared with the secret.
    mac: Hmac<Sha256>,
    id: i32,
}

/// Why a secret cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the search key must be at least {} bytes of secret, it has {found}", SearchKey::SHORTEST)]
pub struct WeakKey {
    found: usize,
}

impl SearchKey {
    /// Fewest bytes of a secret.
    pub const SHORTEST: usize = 32;

    /// Uses this secret.
    ///
    /// # Errors
    /// When it is too short to be one.
    pub fn new(secret: &[u8]) -> Result<Self, WeakKey> {
        if secret.len() < Self::SHORTEST {
            return Err(WeakKey { found: secret.len() });
        }
        let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(secret).into();
        // HMAC takes a secret of any length.
        let mac = Hmac::new_from_slice(secret).map_err(|_| WeakKey { found: secret.len() })?;
        Ok(Self { mac, id: i32::from_be_bytes([a & 0x7F, b, c, d]) })
    }

    /// Number of the secret, stored beside what was keyed with it; tells nothing of the secret.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.id
    }

    /// The key of an identity.
    #[must_use]
    pub fn key(&self, identity: &str) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(identity.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The keys of several identities, sorted and without repeats.
    #[must_use]
    pub fn keys(&self, identities: &[String]) -> Vec<[u8; 32]> {
        let mut keys: Vec<_> = identities.iter().map(|identity| self.key(identity)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_the_secret_and_the_identity_only() {
        let one = SearchKey::new(&[1; 32]).unwrap();
        let two = SearchKey::new(&[2; 32]).unwrap();
        assert_eq!(one.key("a"), SearchKey::new(&[1; 32]).unwrap().key("a"));
        assert_ne!(one.key("a"), one.key("b"));
        assert_ne!(one.key("a"), two.key("a"));
        assert_ne!(one.id(), two.id());
        assert!(SearchKey::new(&[1; 31]).is_err());
    }

    #[test]
    fn keys_are_the_published_hmac() {
        // RFC 4231 test case 6.
        let key = SearchKey::new(&[0xAA; 131]).unwrap();
        let expected = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(hex::encode(key.key("Test Using Larger Than Block-Size Key - Hash Key First")), expected);
    }
}
