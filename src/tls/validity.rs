//! When certificates are in force ([RFC 5280 §4.1.2.5](https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5)).

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

use super::certificates;

/// How long before its end a certificate is spoken of.
const SOON: TimeDelta = TimeDelta::days(30);

/// What is to be said of the time of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lapse {
    /// In words, with the file.
    pub sentence: String,
    /// Whether it is not in force now, rather than soon.
    pub now: bool,
}

/// Of a certificate and those between it and the root, at `now`: all must be in force. Files that cannot be read are not
/// spoken of here.
#[must_use]
pub fn of_chain(file: &Path, now: DateTime<Utc>) -> Vec<Lapse> {
    let certificates = certificates(file).unwrap_or_default();
    let several = certificates.len() > 1;
    let said = certificates.iter().enumerate().filter_map(|(at, certificate)| {
        let (from, until) = period(certificate)?;
        let number = if several { format!(" {}", at + 1) } else { String::new() };
        let (what, now) = match (now < from, now > until, until - now < SOON) {
            (true, ..) => (format!("is in force from {} only", from.format(DAY)), true),
            (_, true, _) => (format!("has not been in force since {}", until.format(DAY)), true),
            (_, _, true) => (format!("ends on {}", until.format(DAY)), false),
            _ => return None,
        };
        Some(Lapse { sentence: format!("certificate{number} in {} {what}", file.display()), now })
    });
    said.collect()
}

/// Of authorities, at `now`: one that is in force is enough.
#[must_use]
pub fn of_authorities(file: &Path, now: DateTime<Utc>) -> Vec<Lapse> {
    let mut lapses = of_chain(file, now);
    let none = lapses.iter().filter(|lapse| lapse.now).count() == certificates(file).map_or(0, |all| all.len());
    for lapse in &mut lapses {
        lapse.now &= none;
    }
    lapses
}

/// When the first of a certificate and those between it and the root ends.
#[must_use]
pub fn end_of_chain(file: &Path) -> Option<DateTime<Utc>> {
    certificates(file).ok()?.iter().filter_map(|certificate| Some(period(certificate)?.1)).min()
}

const DAY: &str = "%Y-%m-%d";

/// From when until when; none of a certificate that TLS could not use either.
fn period(certificate: &CertificateDer<'_>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    // Whoever asks for a moment outside the period is told where it begins or ends.
    let refused = |seconds| {
        let moment = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        certificate.verify_for_usage(&[], &[], &[], moment, KeyUsage::server_auth(), None, None).err()
    };
    let time = |time: UnixTime| DateTime::from_timestamp(i64::try_from(time.as_secs()).ok()?, 0);
    let from = match refused(0)? {
        Error::CertNotValidYet { not_before, .. } => time(not_before)?,
        _ => DateTime::UNIX_EPOCH,
    };
    match refused(u64::MAX)? {
        Error::CertExpired { not_after, .. } => Some((from, time(not_after)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of certificates that are in force from 2020 to the first of January of these years.
    fn file(folder: &Path, years: &[i32]) -> std::path::PathBuf {
        let certificate = |year: &i32| {
            let mut parameters = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
            parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
            parameters.not_after = rcgen::date_time_ymd(*year, 1, 1);
            parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
        };
        let path = folder.join("a.pem");
        std::fs::write(&path, years.iter().map(certificate).collect::<String>()).unwrap();
        path
    }

    fn at(date: &str) -> DateTime<Utc> {
        format!("{date}T00:00:00Z").parse().unwrap()
    }

    #[test]
    fn a_certificate_is_spoken_of_a_month_before_it_ends_and_when_it_is_not_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), &[2030]);
        let said = |date| {
            let lapses = of_chain(&path, at(date));
            let short = |lapse: &Lapse| (lapse.sentence.replace(&*path.to_string_lossy(), "FILE"), lapse.now);
            lapses.iter().map(short).collect::<Vec<_>>()
        };
        assert_eq!(said("2029-11-30"), []);
        assert_eq!(said("2029-12-15"), [("certificate in FILE ends on 2030-01-01".to_owned(), false)]);
        assert_eq!(
            said("2030-01-02"),
            [("certificate in FILE has not been in force since 2030-01-01".to_owned(), true)]
        );
        assert_eq!(said("2019-12-31"), [("certificate in FILE is in force from 2020-01-01 only".to_owned(), true)]);
        assert_eq!(end_of_chain(&path), Some(at("2030-01-01")));
    }

    #[test]
    fn of_a_chain_all_must_be_in_force_and_of_authorities_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), &[2040, 2030]);
        let lapsed = |lapses: Vec<Lapse>| lapses.iter().map(|lapse| lapse.now).collect::<Vec<_>>();
        assert_eq!(lapsed(of_chain(&path, at("2035-01-01"))), [true]);
        assert_eq!(lapsed(of_authorities(&path, at("2035-01-01"))), [false]);
        assert_eq!(lapsed(of_authorities(&path, at("2041-01-01"))), [true, true]);
        assert_eq!(end_of_chain(&path), Some(at("2030-01-01")));
        assert_eq!(of_chain(Path::new("no/such/file"), at("2035-01-01")), []);
    }
}
