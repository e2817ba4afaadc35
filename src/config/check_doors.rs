//! What one setting of a door alone cannot show: that it is open to a network without TLS, or that nobody who may use
//! it can prove who it is.

use std::net::{IpAddr, SocketAddr};

use super::Config;
use super::check::{Report, check_exists, check_name, some_time};
use super::http::Http;
use super::mllp::Mllp;
use super::tls::Tls;
use super::units::Period;

/// Least that the HTTP library takes.
const LEAST_HEAD: u64 = 8 * 1024;
/// Least that holds a message worth reading.
const LEAST_FRAME: u64 = 1024;

pub(super) fn check_http(http: &Http, report: &mut Report<'_>) {
    if !(http.listen.ip().is_loopback() || http.tls.is_on() || http.behind_proxy) {
        let expected = "a loopback address such as 127.0.0.1:8080, or TLS (http.tls), or a proxy that has it \
                        (http.behind_proxy = true)";
        report.unexpected("http.listen", format!("\"{}\"", http.listen), expected);
    }
    check_tls("http.tls", &http.tls, report);
    if http.base_url.contains(['?', '#']) {
        let expected = "a URL without ? and #: what is asked for is put behind it";
        report.unexpected("http.base_url", format!("{:?}", http.base_url), expected);
    }
    if http.max_body.0 == 0 {
        report.unexpected("http.max_body", "0", "1 or more");
    }
    if http.max_header.0 < LEAST_HEAD || http.max_header.0 > u64::from(u32::MAX) {
        report.unexpected("http.max_header", format!("{} bytes", http.max_header.0), "8 KiB or more, less than 4 GiB");
    }
    for (key, period) in
        [("timeout", http.timeout), ("head_timeout", http.head_timeout), ("body_pause", http.body_pause)]
    {
        some_time(&format!("http.{key}"), period, report);
    }
    if http.wait > http.timeout {
        report.unexpected("http.wait", format!("\"{}\"", http.wait), "no longer than http.timeout");
    }
}

fn check_tls(section: &str, tls: &Tls, report: &mut Report<'_>) {
    let key = |name: &str| format!("{section}.{name}");
    if tls.is_on() && tls.key.as_os_str().is_empty() {
        report.unexpected(&key("key"), "nothing", "the file with the certificate's private key");
    }
    if !tls.is_on() && (tls.asks_clients() || !tls.key.as_os_str().is_empty()) {
        report.unexpected(&key("certificate"), "nothing", "the file with our certificate");
    }
    if tls.client_certificate_needed && !tls.asks_clients() {
        let expected = "the file with the authorities that sign certificates of sources";
        report.unexpected(&key("client_authorities"), "nothing", expected);
    }
}

pub(super) fn check_mllp(config: &Config, report: &mut Report<'_>) {
    for (name, listener) in &config.mllp {
        let at = format!("mllp.{name}");
        check_name(&at, name, report);
        if !(listener.listen.ip().is_loopback() || listener.tls.is_on() || listener.unencrypted) {
            let expected = format!(
                "a loopback address such as 127.0.0.1:2575, or TLS ({at}.tls), or unencrypted = true for a network \
                 that nobody else is on"
            );
            report.unexpected(&format!("{at}.listen"), format!("\"{}\"", listener.listen), expected);
        }
        check_tls(&format!("{at}.tls"), &listener.tls, report);
        for (key, period) in [("idle", listener.idle), ("frame_timeout", listener.frame_timeout)] {
            some_time(&format!("{at}.{key}"), period, report);
        }
        if listener.max_frame.0 < LEAST_FRAME {
            report.unexpected(&format!("{at}.max_frame"), format!("{} bytes", listener.max_frame.0), "1 KiB or more");
        }
        if listener.idle < Period(std::time::Duration::from_secs(1)) {
            report.unexpected(&format!("{at}.idle"), format!("\"{}\"", listener.idle), "a second or more");
        }
        if listener.sources.is_empty() {
            report.unexpected(&format!("{at}.sources"), "none", "the names of the sources that may send here");
        }
        check_senders(config, &at, listener, report);
    }
    check_addresses(config, report);
}

/// Of two doors on one address only one could be opened.
pub(super) fn check_addresses_of_doors(config: &Config, report: &mut Report<'_>) {
    let mut doors = vec![("http.listen".to_owned(), config.http.listen)];
    doors.extend(config.mllp.iter().map(|(name, listener)| (format!("mllp.{name}.listen"), listener.listen)));
    for (at, (key, address)) in doors.iter().enumerate() {
        if let Some((first, taken)) = doors[..at].iter().find(|(_, other)| clash(*address, *other)) {
            let expected =
                format!("an address and port that {first} (\"{taken}\"), at {}, does not take", report.place(first));
            report.unexpected(key, format!("\"{address}\""), expected);
        }
    }
}

/// Whether two doors cannot both be opened. Port 0 is a free one, `0.0.0.0` are all addresses of IPv4, and `::` those of
/// IPv4 too.
fn clash(one: SocketAddr, other: SocketAddr) -> bool {
    let (first, second) = (one.ip().to_canonical(), other.ip().to_canonical());
    let takes = |all: IpAddr, one: IpAddr| all.is_unspecified() && (all.is_ipv6() || one.is_ipv4());
    let same = first == second || takes(first, second) || takes(second, first);
    one.port() == other.port() && one.port() != 0 && same
}

/// Everybody who may send must be able to prove who it is.
fn check_senders(config: &Config, at: &str, listener: &Mllp, report: &mut Report<'_>) {
    for (index, name) in listener.sources.iter().enumerate() {
        let key = format!("{at}.sources[{index}]");
        check_exists("sources", name, config.sources.keys(), &key, report);
        let Some(source) = config.sources.get(name) else { continue };
        let certified = listener.tls.asks_clients() && !source.certificates.is_empty();
        if !certified && source.addresses.is_empty() {
            let expected = format!(
                "a source with addresses, or one with certificates and {at}.tls.client_authorities: it cannot prove \
                 itself here"
            );
            report.unexpected(&key, format!("{name:?}"), expected);
        }
    }
}

/// One network is one source's, on every listener where both may send.
fn check_addresses(config: &Config, report: &mut Report<'_>) {
    for listener in config.mllp.values() {
        let named = listener.sources.iter().filter_map(|name| Some((name, config.sources.get(name)?)));
        let networks: Vec<_> = named
            .flat_map(|(name, source)| source.addresses.iter().enumerate().map(move |(at, one)| (name, at, one)))
            .collect();
        for (index, (name, at, network)) in networks.iter().enumerate() {
            let same = networks[..index].iter().find(|(other, _, one)| other != name && one == network);
            if let Some((other, _, _)) = same {
                let key = format!("sources.{name}.addresses[{at}]");
                report.unexpected(
                    &key,
                    format!("\"{network}\""),
                    format!("an address that is not the source {other}'s"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn told(settings: &str) -> Vec<String> {
        let read = Config::from_toml(settings, Path::new("."));
        read.err().map(|errors| errors.iter().map(ToString::to_string).collect()).unwrap_or_default()
    }

    #[test]
    fn two_doors_cannot_have_one_address() {
        let clash = |one: &str, other: &str| clash(one.parse().unwrap(), other.parse().unwrap());
        for (one, other) in [
            ("127.0.0.1:2575", "127.0.0.1:2575"),
            ("0.0.0.0:2575", "10.0.0.1:2575"),
            ("[::]:2575", "10.0.0.1:2575"),
            ("[::]:2575", "0.0.0.0:2575"),
            ("[::ffff:10.0.0.1]:2575", "10.0.0.1:2575"),
        ] {
            assert!(clash(one, other) && clash(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("127.0.0.1:2575", "127.0.0.1:2576"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("0.0.0.0:2575", "[::1]:2575"),
            ("10.0.0.1:2575", "10.0.0.2:2575"),
        ] {
            assert!(!clash(one, other), "{one} {other}");
        }
        let found = told(
            "[http]\nlisten = \"127.0.0.1:2575\"\n[mllp.a]\nlisten = \"127.0.0.1:2575\"\nsources = [\"p\"]\n\
             [sources.p]\nods = \"RX1\"\naddresses = [\"10.0.0.0/8\"]\n",
        );
        let expected = "signalbox.toml:4:1: mllp.a.listen: found \"127.0.0.1:2575\", expected an address and port that \
                        http.listen (\"127.0.0.1:2575\"), at signalbox.toml:2:1, does not take";
        assert_eq!(found, [expected]);
    }

    #[test]
    fn a_base_url_ends_where_paths_begin() {
        assert_eq!(told("http.base_url = \"https://gateway.example.org/fhir/\""), Vec::<String>::new());
        for wrong in ["https://gateway.example.org/fhir?x=1", "https://gateway.example.org/fhir#x"] {
            let found = told(&format!("http.base_url = \"{wrong}\""));
            assert!(
                found.len() == 1 && found[0].contains("http.base_url: ") && found[0].contains("without ? and #"),
                "{found:?}"
            );
        }
    }
}
