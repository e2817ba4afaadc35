//! What one setting alone cannot show: names that lead nowhere, doubles, limits that contradict each other.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Config;
use super::check_doors;
use super::check_terminology;
use super::delivery::Retry;
use super::error::{ConfigError, Place, Problem, nearest};
use super::load::BUILT_IN;
use super::route::{Route, Target};
use super::units::Period;

/// Collects problems.
pub(super) struct Report<'c> {
    places: &'c BTreeMap<String, Place>,
    reported: Vec<String>,
    pub(super) errors: Vec<ConfigError>,
}

impl<'c> Report<'c> {
    /// Settings in `reported` may hold values nobody wrote: they get no further complaints.
    pub(super) fn new(places: &'c BTreeMap<String, Place>, reported: Vec<String>) -> Self {
        Self { places, reported, errors: Vec::new() }
    }

    pub(super) fn problem(&mut self, key: &str, problem: Problem) {
        let within = |entry: &String| {
            key.strip_prefix(entry.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if !self.reported.iter().any(within) {
            self.errors.push(ConfigError { place: self.place(key), key: key.to_owned(), problem });
        }
    }

    pub(super) fn unexpected(&mut self, key: &str, found: impl Into<String>, expected: impl Into<String>) {
        self.problem(key, Problem::Unexpected { found: found.into(), expected: expected.into() });
    }

    pub(super) fn place(&self, key: &str) -> Place {
        nearest_place(self.places, key)
    }

    fn written(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }
}

/// The place of `key`, or of the nearest table around it that the operator has written down.
pub(super) fn nearest_place(places: &BTreeMap<String, Place>, key: &str) -> Place {
    let mut rest = key;
    loop {
        if let Some(place) = places.get(rest).filter(|place| &*place.file != BUILT_IN) {
            return place.clone();
        }
        match rest.rfind(['.', '[']) {
            Some(at) => rest = &rest[..at],
            None => return Place::file("signalbox.toml"),
        }
    }
}

pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    check_doors::check_http(&config.http, report);
    check_doors::check_mllp(config, report);
    check_doors::check_addresses_of_doors(config, report);
    check_database(config, report);
    check_delivery(config, report);
    check_terminology::check(&config.terminology, report);
    check_issuers(config, report);
    check_sources(config, report);
    check_destinations(config, report);
    config.routes.iter().enumerate().for_each(|(index, route)| check_route(config, index, route, report));
    let names = config.routes.iter().map(|route| route.name.as_str()).enumerate();
    check_doubles(names.map(|(index, name)| (format!("routes[{index}].name"), name)), "route", report);
}

fn check_database(config: &Config, report: &mut Report<'_>) {
    let database = &config.database;
    for (key, url) in [("database.url", &database.url), ("database.owner_url", &database.owner_url)] {
        let url = url.expose();
        if !(url.is_empty() || url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            report.unexpected(key, "something else", "a URL that begins with postgres://");
        }
    }
    let day = Period(Duration::from_hours(24));
    for (key, period) in [
        ("database.keep_accepted", database.keep_accepted),
        ("database.keep_refused", database.keep_refused),
        ("database.keep_message_ids", database.keep_message_ids),
    ] {
        if period < day {
            report.unexpected(key, format!("\"{period}\""), "a day (\"1d\") or more: bodies are dropped by the day");
        }
    }
    let key = config.identity.search_key.expose();
    if !key.is_empty() && key.len() < 32 {
        report.unexpected("identity.search_key", format!("{} bytes", key.len()), "a secret of 32 bytes or more");
    }
}

fn check_delivery(config: &Config, report: &mut Report<'_>) {
    some_time("delivery.poll", config.delivery.poll, report);
    check_retry("delivery.retry", &config.delivery.retry, report);
}

fn check_retry(key: &str, retry: &Retry, report: &mut Report<'_>) {
    some_time(&format!("{key}.first"), retry.first, report);
    for (smaller, larger, name) in [(retry.first, retry.max, "max"), (retry.max, retry.give_up_after, "give_up_after")]
    {
        if larger < smaller {
            let expected = format!("at least \"{smaller}\": first, max and give_up_after must not shrink");
            report.unexpected(&format!("{key}.{name}"), format!("\"{larger}\""), expected);
        }
    }
}

fn check_sources(config: &Config, report: &mut Report<'_>) {
    let (mut hashes, mut names, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
    for (name, source) in &config.sources {
        let at = format!("sources.{name}");
        check_name(&at, name, report);
        let proofless = source.token_sha256.is_empty() && source.certificates.is_empty() && source.jwt.is_none();
        if proofless && source.addresses.is_empty() {
            let expected = "token_sha256 (signalbox source token makes one), certificates, jwt or addresses: a way to \
                            prove itself";
            report.unexpected(&at, "none", expected);
        }
        let listed = |key: &str, list: &[String]| {
            let key = format!("{at}.{key}");
            list.iter()
                .enumerate()
                .map(|(index, one)| (format!("{key}[{index}]"), one.to_lowercase()))
                .collect::<Vec<_>>()
        };
        hashes.extend(listed("token_sha256", &source.token_sha256));
        names.extend(listed("certificates", &source.certificates));
        if let Some(jwt) = &source.jwt {
            let key = format!("{at}.jwt");
            check_exists("issuers", &jwt.issuer, config.issuers.keys(), &format!("{key}.issuer"), report);
            subjects.push((format!("{key}.subject"), format!("{} {}", jwt.issuer, jwt.subject)));
        }
        if source.limits.burst.is_some() && source.limits.rate.is_none() {
            report.unexpected(&format!("{at}.limits.burst"), "a burst without a rate", "limits.rate beside it");
        }
    }
    for (keyed, what) in [(&hashes, "token"), (&names, "certificate's name"), (&subjects, "subject")] {
        check_doubles(keyed.iter().map(|(key, value)| (key.clone(), value.as_str())), what, report);
    }
}

fn check_issuers(config: &Config, report: &mut Report<'_>) {
    for (name, issuer) in &config.issuers {
        let key = format!("issuers.{name}");
        check_name(&key, name, report);
        if issuer.jwks.starts_with("http://") {
            let expected = "an https:// address or a file: who can change keys on the way can be any source";
            report.unexpected(&format!("{key}.jwks"), format!("{:?}", issuer.jwks), expected);
        }
        for (setting, value) in [("issuer", &issuer.issuer), ("audience", &issuer.audience), ("jwks", &issuer.jwks)] {
            if value.is_empty() {
                report.unexpected(&format!("{key}.{setting}"), "nothing", "a value: every token is compared with it");
            }
        }
        some_time(&format!("{key}.longest"), issuer.longest, report);
    }
    let issuers =
        config.issuers.iter().map(|(name, issuer)| (format!("issuers.{name}.issuer"), issuer.issuer.as_str()));
    check_doubles(issuers, "issuer", report);
}

fn check_destinations(config: &Config, report: &mut Report<'_>) {
    for (name, destination) in &config.destinations {
        let key = format!("destinations.{name}");
        check_name(&key, name, report);
        if destination.adapter.is_empty() {
            report.unexpected(&format!("{key}.type"), "nothing", "the name of an adapter");
        }
        if let Some(before) = &destination.renamed_from {
            let others = || config.destinations.iter().filter(|(other, _)| *other != name);
            let taken = others().any(|(_, other)| other.renamed_from.as_ref() == Some(before));
            if config.destinations.contains_key(before) || taken {
                let expected = "a name that no destination has any more, and that no other has been given another for";
                report.unexpected(&format!("{key}.renamed_from"), format!("\"{before}\""), expected);
            }
        }
        if let Some(timeout) = destination.timeout {
            some_time(&format!("{key}.timeout"), timeout, report);
        }
        if let Some(retry) = &destination.retry {
            check_retry(&format!("{key}.retry"), retry, report);
        }
    }
}

fn check_route(config: &Config, index: usize, route: &Route, report: &mut Report<'_>) {
    let key = format!("routes[{index}]");
    if route.name.trim().is_empty() {
        report.unexpected(&format!("{key}.name"), "nothing", "a name, told in the story of every exchange");
    }
    for (at, name) in route.sources.iter().enumerate() {
        check_exists("sources", name, config.sources.keys(), &format!("{key}.sources[{at}]"), report);
    }
    if route.when.is_some() && route.types.is_empty() && !route.messages.is_empty() {
        let sentence =
            "a FHIRPath condition is about FHIR resources, and this route takes HL7 v2 messages only: use `fields`";
        report.problem(&format!("{key}.when"), Problem::Other(sentence.to_owned()));
    }
    if !route.profiles.is_empty() && !route.takes_resources() {
        let sentence = "profiles are for FHIR resources, and this route takes HL7 v2 messages only";
        report.problem(&format!("{key}.profiles"), Problem::Other(sentence.to_owned()));
    }
    if !route.fields.is_empty() && route.messages.is_empty() && !route.types.is_empty() {
        let sentence = "a condition on fields is about HL7 v2 messages, and this route takes FHIR resources only";
        report.problem(&format!("{key}.fields"), Problem::Other(sentence.to_owned()));
    }
    for path in route.fields.keys().filter(|path| !is_field(path)) {
        let expected = "the path of a field, such as PV1-2 or PID-3.4";
        report.unexpected(&format!("{key}.fields.{path}"), format!("{path:?}"), expected);
    }
    for (path, _) in route.fields.iter().filter(|(_, values)| values.is_empty()) {
        report.unexpected(&format!("{key}.fields.{path}"), "no value", "the values of which the field must have one");
    }
    for (at, target) in route.to.iter().enumerate() {
        let place = match target {
            Target::Name(_) => format!("{key}.to[{at}]"),
            Target::WithOptions { .. } => format!("{key}.to[{at}].destination"),
        };
        let name = target.destination();
        check_exists("destinations", name, config.destinations.keys(), &place, report);
        if route.to[..at].iter().any(|earlier| earlier.destination() == name) {
            report.problem(&place, Problem::Other(format!("the destination {name:?} is named twice in this route")));
        }
    }
}

/// `PV1-2`, `PID-3.4` or `PID-3.4.1`.
fn is_field(path: &str) -> bool {
    let Some((segment, numbers)) = path.split_once('-') else { return false };
    let named = segment.len() == 3 && segment.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let numbers: Vec<_> = numbers.split('.').map(str::parse::<u16>).collect();
    named && numbers.len() <= 3 && numbers.iter().all(|number| number.as_ref().is_ok_and(|number| *number > 0))
}

pub(super) fn check_exists<'n>(
    table: &str,
    name: &str,
    known: impl Iterator<Item = &'n String> + Clone,
    key: &str,
    report: &mut Report<'_>,
) {
    if known.clone().any(|one| one == name) || report.written(&format!("{table}.{name}")) {
        return;
    }
    let expected = match nearest(name, known.clone().map(String::as_str)) {
        Some(nearest) => format!("the name of a [{table}.NAME], perhaps {nearest:?}"),
        None => match known.cloned().collect::<Vec<_>>().join(", ") {
            names if names.is_empty() => format!("the name of a [{table}.NAME], but there is none"),
            names => format!("the name of a [{table}.NAME]: {names}"),
        },
    };
    report.unexpected(key, format!("{name:?}"), expected);
}

/// Each later one that repeats an earlier one is a problem.
fn check_doubles<'v>(keyed: impl Iterator<Item = (String, &'v str)>, what: &str, report: &mut Report<'_>) {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for (key, value) in keyed {
        if let Some(first) = seen.get(value) {
            let sentence = format!("the same {what} as {first}, at {}", report.place(first));
            report.problem(&key, Problem::Other(sentence));
        } else {
            seen.insert(value, key);
        }
    }
}

/// Names become part of keys, metrics and addresses.
pub(super) fn check_name(key: &str, name: &str, report: &mut Report<'_>) {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
        report.unexpected(key, format!("the name {name:?}"), "1 to 64 letters, digits, - and _");
    }
}

pub(super) fn some_time(key: &str, period: Period, report: &mut Report<'_>) {
    if period.0.is_zero() {
        report.unexpected(key, format!("\"{period}\""), "longer than nothing");
    }
}
