//! Who is at the other end of a connection: the source that its client certificate names, or that calls from its address.
//! What proves one source must not prove another at the same time.

use std::net::IpAddr;

use crate::config::Config;
use crate::config::mllp::Mllp;
use crate::config::network::Network;
use crate::exchange::Sender;
use crate::tls::names::ClientNames;

/// The sources that may use one listener.
pub(super) struct Senders {
    certificates: Vec<(String, Sender)>,
    networks: Vec<(Network, Sender)>,
}

impl Senders {
    pub(super) fn of(config: &Config, listener: &Mllp) -> Self {
        let (mut certificates, mut networks) = (Vec::new(), Vec::new());
        for name in &listener.sources {
            let Some(source) = config.sources.get(name) else { continue };
            let sender = Sender { source: name.clone(), ods: source.ods.clone() };
            certificates.extend(source.certificates.iter().map(|name| (name.to_lowercase(), sender.clone())));
            networks.extend(source.addresses.iter().map(|network| (*network, sender.clone())));
        }
        // The longest first: of two networks that hold an address it is the one that is meant.
        networks.sort_by_key(|(network, _)| std::cmp::Reverse(network.prefix()));
        Self { certificates, networks }
    }

    /// The sender; `None` for somebody unknown, or when the certificate is one source's and the address another's.
    pub(super) fn sender(&self, names: &ClientNames, address: IpAddr) -> Option<Sender> {
        let shown = |known: &&(String, Sender)| names.iter().any(|name| name == known.0);
        let mut certified = self.certificates.iter().filter(shown).map(|(_, sender)| sender);
        let first = certified.next();
        if !certified.all(|other| Some(other) == first) {
            return None;
        }
        let called = self.networks.iter().find(|(network, _)| network.contains(address)).map(|(_, sender)| sender);
        match (first, called) {
            (Some(certified), Some(called)) if certified != called => None,
            (Some(sender), _) | (None, Some(sender)) => Some(sender.clone()),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const SETTINGS: &str = r#"
[sources.pas]
ods = "RX1"
addresses = ["10.0.0.0/8"]
[sources.lab]
ods = "RX1"
addresses = ["10.9.0.0/16"]
certificates = ["LAB.example"]
[sources.elsewhere]
ods = "RX2"
addresses = ["192.0.2.1"]
certificates = ["elsewhere.example"]
[mllp.adt]
listen = "127.0.0.1:2575"
sources = ["pas", "lab"]
"#;

    fn who(names: &[&str], address: &str) -> Option<String> {
        let config = Config::from_toml(SETTINGS, Path::new(".")).unwrap();
        let senders = Senders::of(&config, &config.mllp["adt"]);
        senders.sender(&ClientNames::named(names), address.parse().unwrap()).map(|sender| sender.source)
    }

    #[test]
    fn an_address_or_a_certificate_tells_the_source_and_both_must_agree() {
        assert_eq!(who(&[], "10.1.2.3").as_deref(), Some("pas"));
        assert_eq!(who(&[], "10.9.2.3").as_deref(), Some("lab"), "the longer network is meant");
        assert_eq!(who(&["lab.example"], "203.0.113.7").as_deref(), Some("lab"));
        assert_eq!(who(&["lab.example"], "10.9.0.1").as_deref(), Some("lab"));
        assert_eq!(who(&["unknown.example"], "10.1.2.3").as_deref(), Some("pas"));
        assert_eq!(who(&["lab.example"], "10.1.2.3"), None, "two sources are nobody");
        assert_eq!(who(&[], "203.0.113.7"), None);
        assert_eq!(who(&["elsewhere.example"], "192.0.2.1"), None, "a source of another listener");
    }
}
