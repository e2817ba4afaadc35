//! Addresses of a network that a source calls from: one address, or all that begin alike
//! ([CIDR](https://www.rfc-editor.org/rfc/rfc4632)).

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer};

use super::text::{form, parsed};

/// All addresses whose first `prefix` bits are those of `address`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {NETWORK}")]
pub struct InvalidNetwork;

const NETWORK: &str = "an address such as \"10.20.0.5\", or a network such as \"10.20.0.0/16\"";

form!(Network, "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$", NETWORK);

impl Network {
    /// Whether the address is one of them. An IPv4 address that came by an IPv6 socket is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, bits) = bits(self.address);
        let (other, width) = bits_of_same(address);
        bits == width && (own ^ other).checked_shr(u32::from(bits - self.prefix)).unwrap_or(0) == 0
    }

    /// How many bits are fixed: of two networks that contain an address, the longer one is meant.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }
}

fn bits_of_same(address: IpAddr) -> (u128, u8) {
    bits(address.to_canonical())
}

/// The address as a number, and of how many bits.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address = address.parse().map(|address: IpAddr| address.to_canonical()).map_err(|_| InvalidNetwork)?;
        let width = bits(address).1;
        let prefix = prefix.map_or(Ok(width), str::parse).ok().filter(|prefix| *prefix <= width);
        prefix.map(|prefix| Self { address, prefix }).ok_or(InvalidNetwork)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, NETWORK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_that_begin_like_it() {
        let holds =
            |network: &str, address: &str| network.parse::<Network>().unwrap().contains(address.parse().unwrap());
        assert!(holds("10.20.0.5", "10.20.0.5") && !holds("10.20.0.5", "10.20.0.6"));
        assert!(holds("10.20.0.0/16", "10.20.255.1") && !holds("10.20.0.0/16", "10.21.0.1"));
        assert!(holds("10.20.0.5", "::ffff:10.20.0.5"), "by an IPv6 socket");
        assert!(holds("0.0.0.0/0", "192.0.2.1") && !holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("::/0", "2001:db8::1") && holds("2001:db8::/32", "2001:db8:1::1"));
        assert!(!holds("2001:db8::/32", "2001:db9::1"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for wrong in ["", "pas", "10.20.0.0/33", "10.20.0/16", "10.20.0.0/", "::/129", "10.20.0.0/-1"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
