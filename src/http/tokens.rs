//! Who a bearer token belongs to ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)). Only hashes are
//! kept, and a token is looked up by its hash: how long that takes tells nothing about the tokens there are.

use std::collections::{BTreeMap, HashMap};

use axum::http::{HeaderMap, header};
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

    /// The sender whose token the `Authorization` header holds; `None` for no header, two headers, another scheme or
    /// an unknown token.
    pub(super) fn sender(&self, headers: &HeaderMap) -> Option<&Sender> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let value = values.next()?.as_bytes();
        if values.next().is_some() {
            return None;
        }
        let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
        let token = token.trim_ascii();
        if !scheme.eq_ignore_ascii_case(b"Bearer ") || token.is_empty() {
            return None;
        }
        self.0.get(<[u8; 32]>::from(Sha256::digest(token)).as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(ods: &str, tokens: &[&str]) -> Source {
        let token_sha256 = tokens.iter().map(|token| hex::encode(Sha256::digest(token))).collect();
        Source { ods: ods.parse().unwrap(), token_sha256 }
    }

    fn sources(pas: &[&str], gp: &[&str]) -> BTreeMap<String, Source> {
        BTreeMap::from([("pas".to_owned(), source("RX809", pas)), ("gp".to_owned(), source("A81001", gp))])
    }

    fn who(table: &TokenTable, authorization: &[&str]) -> Option<String> {
        let headers: HeaderMap =
            authorization.iter().map(|value| (header::AUTHORIZATION, value.parse().unwrap())).collect();
        table.sender(&headers).map(|sender| sender.source.clone())
    }

    #[test]
    fn a_token_belongs_to_one_source_old_and_new() {
        let table = TokenTable::of(&sources(&["old", "new"], &["gp-token"])).unwrap();
        assert_eq!(who(&table, &["Bearer old"]).as_deref(), Some("pas"));
        assert_eq!(who(&table, &["bearer  new "]).as_deref(), Some("pas"));
        assert_eq!(who(&table, &["Bearer gp-token"]).as_deref(), Some("gp"));
    }

    #[test]
    fn nothing_else_gets_in() {
        let table = TokenTable::of(&sources(&["old"], &["gp-token"])).unwrap();
        for wrong in ["", "Bearer", "Bearer ", "old", "Bearer olds", "Bearer OLD", "Basic old", "Bearerold"] {
            assert_eq!(who(&table, &[wrong]), None, "{wrong}");
        }
        let hash = format!("Bearer {}", hex::encode(Sha256::digest("old")));
        assert_eq!(who(&table, &[&hash]), None);
        assert_eq!(who(&table, &["Bearer old", "Bearer gp-token"]), None);
        assert_eq!(who(&table, &[]), None);
    }

    #[test]
    fn a_token_shared_by_two_sources_or_a_broken_hash_is_an_error() {
        let shared = TokenTable::of(&sources(&["same"], &["same"])).err();
        assert_eq!(shared, Some(InvalidToken::Shared("gp".to_owned(), "pas".to_owned())));
        let mut broken = sources(&["old"], &[]);
        broken.get_mut("pas").unwrap().token_sha256.push("abc".to_owned());
        assert_eq!(TokenTable::of(&broken).err(), Some(InvalidToken::NotAHash("pas".to_owned())));
    }
}
