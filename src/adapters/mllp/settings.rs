//! The settings of an MLLP destination, and the adapter they are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::destination::MllpDestination;
use crate::adapters::{Adapter, NoOptions, Outside};
use crate::config::Fault;
use crate::config::tls::PartnerTls;
use crate::config::units::{Period, Size};
use crate::delivery::destination::Destination;
use crate::formats::hl7v2::Partner;
use crate::formats::hl7v2::charset::Charset;
use crate::formats::hl7v2::partner::SexAlphabet;
use crate::tls::client::Client;

/// `settings` of a destination of type `mllp`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mllp {
    /// `host:port`.
    pub address: String,
    /// MSH-3.
    pub sending_application: String,
    /// MSH-4; an ODS code in the NHS.
    pub sending_facility: String,
    /// MSH-5.
    pub receiving_application: String,
    /// MSH-6; an ODS code in the NHS.
    pub receiving_facility: String,
    /// How the partner reads bytes: `utf-8`, `windows-1252` or `ascii`.
    #[serde(default)]
    pub charset: Charset,
    /// MSH-11: `P`, `T` or `D`.
    #[serde(default = "production")]
    pub processing_id: String,
    /// Alphabet of administrative sex: `itk` (1, 2, 9, 0) or `hl7` (M, F, O, U).
    #[serde(default)]
    pub sex: SexAlphabet,
    /// Identifier system -> assigning authority. The NHS number needs no line; identifiers of any other system that has
    /// no line here are not sent.
    #[serde(default)]
    pub authorities: BTreeMap<String, String>,
    /// Connections kept open; each has one message under way.
    #[serde(default = "one")]
    pub connections: usize,
    /// Longest message sent or read; no less than what listeners take that goes here.
    #[serde(default = "max_frame")]
    pub max_frame: Size,
    /// TLS to the partner.
    #[serde(default)]
    pub tls: Option<PartnerTls>,
    /// Wait before a partner that could not be reached is called again; doubled up to `reconnect_max`.
    #[serde(default = "reconnect")]
    pub reconnect: Period,
    /// Longest such wait.
    #[serde(default = "reconnect_max")]
    pub reconnect_max: Period,
    /// Which acknowledgement tells that the partner has taken a message.
    #[serde(default)]
    pub acknowledgement: Acknowledgement,
    /// Commit bytes of MLLP release 2 (`06` or `15` in a frame of their own) are awaited before each acknowledgement.
    #[serde(default)]
    pub commit_bytes: bool,
}

/// Which acknowledgement decides (HL7 v2.4 §2.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Acknowledgement {
    /// The first one: AA of original mode, CA of enhanced mode.
    #[default]
    First,
    /// The application's: after a CA, the AA, AE or AR that follows on the same connection.
    Application,
}

fn reconnect() -> Period {
    Period(Duration::from_secs(1))
}

fn reconnect_max() -> Period {
    Period(Duration::from_secs(30))
}

fn production() -> String {
    "P".to_owned()
}

fn one() -> usize {
    1
}

/// As long as listeners take by default: what was taken can be sent on.
fn max_frame() -> Size {
    Size(16 << 20)
}

impl Adapter for Mllp {
    const TYPE: &'static str = "mllp";
    const SENDS_JSON: bool = false;
    const EXAMPLE: &'static str = r#"
address = "127.0.0.1:2575"
sending_application = "SIGNALBOX"
sending_facility = "RXX"
receiving_application = "PAS"
receiving_facility = "RXX"
charset = "windows-1252"
authorities = { "https://pas.example.nhs.uk/hospital-number" = "RXX" }
"#;

    type Options = NoOptions;

    fn destination(self, outside: &Outside) -> Result<Arc<dyn Destination>, Vec<Fault>> {
        let mut faults = self.check();
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let tls = self.tls.as_ref().filter(|_| !faults.iter().any(|(setting, _)| setting.starts_with("tls")));
        let tls = tls.map(|tls| Client::load(tls, host, &outside.base)).transpose();
        match tls {
            Ok(tls) if faults.is_empty() => Ok(Arc::new(MllpDestination::new(self, tls, outside))),
            tls => {
                faults.extend(tls.err().map(|(setting, sentence)| (format!("tls.{setting}"), sentence)));
                Err(faults)
            }
        }
    }

    fn tls(&self) -> Option<&PartnerTls> {
        self.tls.as_ref()
    }

    fn max_frame(&self) -> Option<u64> {
        Some(self.max_frame.0)
    }
}

impl Mllp {
    /// Every setting that is wrong by itself, or beside another.
    fn check(&self) -> Vec<Fault> {
        let port = self.address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
        let lone = |tls: &PartnerTls| match (tls.certificate.as_os_str().is_empty(), tls.key.as_os_str().is_empty()) {
            (true, false) => Some("tls.certificate"),
            (false, true) => Some("tls.key"),
            _ => None,
        };
        let lone = self.tls.as_ref().and_then(lone);
        let faults = [
            (
                !port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0)),
                "address",
                "expected host:port, such as \"tie.example.nhs.uk:2575\"",
            ),
            (
                self.receiving_application.trim().is_empty(),
                "receiving_application",
                "expected the name of the partner's system (MSH-5): it says for whom a message is",
            ),
            (
                !["P", "T", "D"].contains(&self.processing_id.as_str()),
                "processing_id",
                "expected \"P\", \"T\" or \"D\"",
            ),
            (self.connections == 0, "connections", "expected at least 1"),
            (
                self.reconnect.0.is_zero() || self.reconnect_max < self.reconnect,
                "reconnect",
                "expected more than nothing and no more than reconnect_max",
            ),
            (lone.is_some(), lone.unwrap_or_default(), "expected certificate and key together, or neither"),
            (usize::try_from(self.max_frame.0).unwrap_or(0) < 1024, "max_frame", "expected at least 1 KiB"),
        ];
        let faults = faults.into_iter().filter(|(wrong, ..)| *wrong);
        faults.map(|(_, setting, sentence)| (setting.to_owned(), sentence.to_owned())).collect()
    }

    /// What the messages need to know of the partner.
    pub(super) fn partner(&self) -> Partner {
        Partner {
            sending_application: self.sending_application.clone(),
            sending_facility: self.sending_facility.clone(),
            receiving_application: self.receiving_application.clone(),
            receiving_facility: self.receiving_facility.clone(),
            processing_id: self.processing_id.clone(),
            charset: self.charset,
            sex: self.sex,
            authorities: self.authorities.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: &str) -> Result<(), String> {
        let mut table: toml::Table = Mllp::EXAMPLE.parse().unwrap();
        table.extend(change.parse::<toml::Table>().unwrap());
        let settings: Mllp = table.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let faults: Vec<_> = settings.check().iter().map(|(setting, told)| format!("{setting}: {told}")).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
    }

    #[test]
    fn the_example_is_right_and_a_wrong_setting_is_named() {
        assert_eq!(check(""), Ok(()));
        let wrong = [
            ("address = \"tie\"", "address"),
            ("address = \":2575\"", "address"),
            ("address = \"tie:0\"", "address"),
            ("processing_id = \"X\"", "processing_id"),
            ("connections = 0", "connections"),
            ("receiving_application = \" \"", "receiving_application"),
            ("max_frame = \"10 B\"", "max_frame"),
            ("reconnect = \"0s\"", "reconnect"),
            ("reconnect = \"1m\"", "reconnect"),
            ("tls = { authorities = \"ca.pem\", certificate = \"own.pem\" }", "tls"),
            ("acknowledgement = \"second\"", "second"),
            ("charset = \"latin1\"", "latin1"),
            ("port = 2575", "port"),
        ];
        for (change, named) in wrong {
            assert!(check(change).unwrap_err().contains(named), "{change}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let told = check("address = \"tie\"\nprocessing_id = \"X\"\nreconnect = \"0s\"\nconnections = 0").unwrap_err();
        let named: Vec<&str> = told.lines().filter_map(|line| Some(line.split_once(':')?.0)).collect();
        assert_eq!(named, ["address", "processing_id", "connections", "reconnect"]);
    }

    #[test]
    fn a_route_may_not_say_anything_to_it() {
        assert_eq!(Mllp::check_options(&serde_json::json!({})), Ok(()));
        assert!(Mllp::check_options(&serde_json::json!({ "method": "PUT" })).unwrap_err().contains("method"));
    }
}
