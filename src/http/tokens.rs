//! Who a bearer token of ours belongs to ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)). Only hashes
//! are kept, and a token is looked up by its hash: how long that takes tells nothing about the tokens there are.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};

use crate::config::source::Source;
use crate::exchange::Sender;

/// The senders by the SHA-256 of their tokens.
pub struct TokenTable(HashMap<[u8; 32], Sender>);

/// Why a table cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// Not 64 hexadecimal digits.
    #[error("source '{0}': token_sha256 must be the 64 hexadecimal digits of a SHA-256")]
    NotAHash(String),
    /// Two sources would be one to us.
    #[error("sources '{0}' and '{1}' have the same token; give each a token of its own")]
    Shared(String, String),
}

impl TokenTable {
    /// The table of the configured sources.
    ///
    /// # Errors
    /// When a hash is not one, or two sources share a token.
    pub fn of(sources: &BTreeMap<String, Source>) -> Result<Self, InvalidToken> {
        let mut table: HashMap<[u8; 32], Sender> = HashMap::new();
        for (name, source) in sources {
            for written in &source.token_sha256 {
                let mut hash = [0; 32];
                hex::decode_to_slice(written, &mut hash).map_err(|_| InvalidToken::NotAHash(name.clone()))?;
                let sender = Sender { source: name.clone(), ods: source.ods.clone() };
                if let Some(other) = table.insert(hash, sender).filter(|other| &other.source != name) {
                    return Err(InvalidToken::Shared(other.source, name.clone()));
                }
            }
        }
        Ok(Self(table))
    }

    /// The sender with this token.
    pub(super) fn sender(&self, token: &[u8]) -> Option<&Sender> {
        self.0.get(<[u8; 32]>::from(Sha256::digest(token)).as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::token::hash_of;
    use std::path::Path;

    fn sources(pas: &[&str], gp: &[&str]) -> BTreeMap<String, Source> {
        let hashes =
            |tokens: &[&str]| tokens.iter().map(|token| format!("{:?}", hash_of(token))).collect::<Vec<_>>().join(",");
        let text = format!(
            "[sources.pas]\nods = \"RX809\"\ncertificates = [\"pas\"]\ntoken_sha256 = [{}]\n\
             [sources.gp]\nods = \"A81001\"\ncertificates = [\"gp\"]\ntoken_sha256 = [{}]\n",
            hashes(pas),
            hashes(gp)
        );
        Config::from_toml(&text, Path::new(".")).unwrap().sources
    }

    fn who(table: &TokenTable, token: &str) -> Option<String> {
        table.sender(token.as_bytes()).map(|sender| sender.source.clone())
    }

    #[test]
    fn a_token_belongs_to_one_source_old_and_new() {
        let table = TokenTable::of(&sources(&["old", "new"], &["gp-token"])).unwrap();
        assert_eq!(who(&table, "old").as_deref(), Some("pas"));
        assert_eq!(who(&table, "new").as_deref(), Some("pas"));
        assert_eq!(who(&table, "gp-token").as_deref(), Some("gp"));
        assert_eq!(who(&table, "olds"), None);
        assert_eq!(who(&table, &hash_of("old")), None);
    }

    #[test]
    fn a_token_shared_by_two_sources_or_a_broken_hash_is_an_error() {
        let mut shared = sources(&["same"], &["other"]);
        let hash = shared["pas"].token_sha256.clone();
        shared.get_mut("gp").unwrap().token_sha256.extend(hash);
        assert_eq!(TokenTable::of(&shared).err(), Some(InvalidToken::Shared("gp".to_owned(), "pas".to_owned())));
        let mut broken = sources(&["old"], &[]);
        broken.get_mut("pas").unwrap().token_sha256.push("abc".to_owned());
        assert_eq!(TokenTable::of(&broken).err(), Some(InvalidToken::NotAHash("pas".to_owned())));
    }
}
