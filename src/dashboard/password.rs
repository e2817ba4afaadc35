//! Passwords of operators: argon2id ([RFC 9106](https://www.rfc-editor.org/rfc/rfc9106)), a salt of their own, kept as a
//! PHC text.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use crate::chance::Chance;

/// Fewest characters of a password.
pub const SHORTEST: usize = 12;

/// The text to keep of a password.
///
/// # Errors
/// When it is too short.
pub fn hash(password: &str, chance: &Chance) -> Result<String, String> {
    if password.chars().count() < SHORTEST {
        return Err(format!("a password has {SHORTEST} characters or more"));
    }
    let hashed: Result<PasswordHash, _> =
        Argon2::default().hash_password_with_salt(password.as_bytes(), &chance.bytes::<16>());
    hashed.map(|hash| hash.to_string()).map_err(|error| format!("the password cannot be hashed: {error}"))
}

/// Whether this is the password. Without a kept text it takes as long to say no.
#[must_use]
pub fn is_right(password: &str, kept: Option<&str>) -> bool {
    let parsed = kept.and_then(|kept| PasswordHash::new(kept).ok());
    if let Some(kept) = parsed {
        return Argon2::default().verify_password(password.as_bytes(), &kept).is_ok();
    }
    let _: Result<PasswordHash, _> = Argon2::default().hash_password_with_salt(password.as_bytes(), &[0; 16]);
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_by_what_is_kept_of_it() {
        let chance = Chance::seeded(1);
        let kept = hash("correct horse battery", &chance).unwrap();
        assert!(kept.starts_with("$argon2id$"), "{kept}");
        assert_ne!(kept, hash("correct horse battery", &chance).unwrap(), "each has a salt of its own");
        assert!(is_right("correct horse battery", Some(&kept)));
        assert!(!is_right("correct horse batterY", Some(&kept)));
        assert!(!is_right("correct horse battery", None) && !is_right("", Some("nonsense")));
        assert!(hash("short", &chance).is_err());
    }
}
