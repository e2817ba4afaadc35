//! Bearer tokens of sources ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)): 256 random bits. The configuration
//! holds only their hash, so a stolen file opens nothing.

use sha2::{Digest, Sha256};

use crate::chance::Chance;

use super::secret::Secret;

/// A new token, and its SHA-256 (hex) for `sources.NAME.token_sha256`.
#[must_use]
pub fn new_token(chance: &Chance) -> (Secret, String) {
    let token = format!("sbx_{}", hex::encode(chance.bytes::<32>()));
    let hash = hash_of(&token);
    (Secret::new(token), hash)
}

/// SHA-256 (hex, lower case) of a token as the sender writes it.
#[must_use]
pub fn hash_of(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_new_each_time_and_known_by_its_hash() {
        let chance = Chance::seeded(1);
        let ((first, hash), (second, other)) = (new_token(&chance), new_token(&chance));
        assert_ne!(first, second);
        assert_ne!(hash, other);
        assert_eq!(hash_of(first.expose()), hash);
        assert!(first.expose().starts_with("sbx_") && first.expose().len() == 68);
    }

    #[test]
    fn the_hash_is_that_of_sha256sum() {
        assert_eq!(hash_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
