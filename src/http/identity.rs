//! Who a request comes from: the bearer token in its `Authorization` header, ours or an issuer's, or the client
//! certificate of its connection. Whatever proof it brings must hold, and all must be of one source.

use std::collections::{BTreeMap, HashMap};

use axum::http::{HeaderMap, header};

use super::issuers::Issuers;
use super::tokens::TokenTable;
use crate::config::source::Source;
use crate::exchange::Sender;
use crate::tls::names::ClientNames;

/// How sources prove themselves.
pub struct Identities {
    tokens: TokenTable,
    issuers: Issuers,
    certificates: HashMap<String, Sender>,
}

impl Identities {
    /// The proofs of the configured sources.
    #[must_use]
    pub fn new(tokens: TokenTable, issuers: Issuers, sources: &BTreeMap<String, Source>) -> Self {
        let named = sources.iter().flat_map(|(name, source)| {
            let sender = Sender { source: name.clone(), ods: source.ods.clone() };
            source.certificates.iter().map(move |name| (name.to_lowercase(), sender.clone()))
        });
        Self { tokens, issuers, certificates: named.collect() }
    }

    /// The sender; `None` when nothing is shown, when something shown does not hold, or when it is of two sources.
    pub(super) async fn sender(&self, headers: &HeaderMap, names: &ClientNames) -> Option<Sender> {
        let certified = self.certified(names).ok()?;
        if !headers.contains_key(header::AUTHORIZATION) {
            return certified;
        }
        let token = bearer(headers)?;
        let sender = match self.tokens.sender(token) {
            Some(sender) => sender.clone(),
            None => self.issuers.sender(token).await?,
        };
        certified.is_none_or(|certified| certified == sender).then_some(sender)
    }

    /// The source of the certificate's names, if it has any of ours.
    fn certified(&self, names: &ClientNames) -> Result<Option<Sender>, TwoSources> {
        let mut known = names.iter().filter_map(|name| self.certificates.get(name));
        let first = known.next();
        if known.all(|other| Some(other) == first) { Ok(first.cloned()) } else { Err(TwoSources) }
    }
}

/// One certificate with the names of two sources.
struct TwoSources;

/// The token of the one `Authorization` header; `None` for two headers, another scheme or nothing.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.as_bytes();
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::path::Path;

    fn identities() -> Identities {
        let sources = "[sources.pas]\nods = \"RX1\"\ntoken_sha256 = [\"HASH\"]\n[sources.gp]\nods = \"A81001\"\n\
                       certificates = [\"GP.example.nhs.uk\"]\n"
            .replace("HASH", &crate::config::token::hash_of("old"));
        let config = Config::from_toml(&sources, Path::new(".")).unwrap();
        let tokens = TokenTable::of(&config.sources).unwrap();
        Identities::new(tokens, Issuers::none(), &config.sources)
    }

    async fn who(authorization: &[&str], names: &[&str]) -> Option<String> {
        let headers: HeaderMap =
            authorization.iter().map(|value| (header::AUTHORIZATION, value.parse().unwrap())).collect();
        identities().sender(&headers, &ClientNames::named(names)).await.map(|sender| sender.source)
    }

    #[tokio::test]
    async fn a_token_or_a_certificate_proves_a_source() {
        assert_eq!(who(&["Bearer old"], &[]).await.as_deref(), Some("pas"));
        assert_eq!(who(&["bearer  old "], &[]).await.as_deref(), Some("pas"));
        assert_eq!(who(&[], &["other.example", "gp.example.nhs.uk"]).await.as_deref(), Some("gp"));
        assert_eq!(who(&["Bearer old"], &["other.example"]).await.as_deref(), Some("pas"));
    }

    #[tokio::test]
    async fn nothing_else_gets_in() {
        for wrong in ["", "Bearer", "Bearer ", "old", "Bearer olds", "Bearer OLD", "Basic old", "Bearerold"] {
            assert_eq!(who(&[wrong], &[]).await, None, "{wrong}");
        }
        let hash = format!("Bearer {}", crate::config::token::hash_of("old"));
        assert_eq!(who(&[&hash], &[]).await, None);
        assert_eq!(who(&["Bearer old", "Bearer old"], &[]).await, None);
        assert_eq!(who(&[], &["other.example"]).await, None);
        assert_eq!(who(&[], &[]).await, None);
        assert_eq!(who(&["Bearer wrong"], &["gp.example.nhs.uk"]).await, None, "what is shown must hold");
        assert_eq!(who(&["Bearer old"], &["gp.example.nhs.uk"]).await, None, "two sources are nobody");
    }
}
