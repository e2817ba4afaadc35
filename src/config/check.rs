//! What one setting alone cannot show: names that lead nowhere, doubles, limits that contradict each other.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Config;
use super::delivery::Retry;
use super::error::{ConfigError, Place, Problem, nearest};
use super::route::{Route, Target};
use super::source::Source;
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

    fn problem(&mut self, key: &str, problem: Problem) {
        let within = |entry: &String| {
            key.strip_prefix(entry.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if !self.reported.iter().any(within) {
            self.errors.push(ConfigError { place: nearest_place(self.places, key), key: key.to_owned(), problem });
        }
    }

    fn unexpected(&mut self, key: &str, found: impl Into<String>, expected: impl Into<String>) {
        self.problem(key, Problem::Unexpected { found: found.into(), expected: expected.into() });
    }

    fn written(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }
}

/// The place of `key`, or of the nearest table around it that is written down.
pub(super) fn nearest_place(places: &BTreeMap<String, Place>, key: &str) -> Place {
    let mut rest = key;
    loop {
        if let Some(place) = places.get(rest) {
            return place.clone();
        }
        match rest.rfind(['.', '[']) {
            Some(at) => rest = &rest[..at],
            None => return Place::file("signalbox.toml"),
        }
    }
}

pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    check_http(config, report);
    check_database(config, report);
    check_delivery(config, report);
    check_sources(&config.sources, report);
    check_destinations(config, report);
    config.routes.iter().enumerate().for_each(|(index, route)| check_route(config, index, route, report));
    let names = config.routes.iter().map(|route| route.name.as_str()).enumerate();
    check_doubles(names.map(|(index, name)| (format!("routes[{index}].name"), name)), "route", report);
}

fn check_http(config: &Config, report: &mut Report<'_>) {
    let http = &config.http;
    if !http.listen.ip().is_loopback() {
        let expected = "a loopback address such as 127.0.0.1:8080: the gateway speaks plain HTTP, so TLS comes first, \
                        in a proxy on this machine";
        report.unexpected("http.listen", format!("\"{}\"", http.listen), expected);
    }
    at_least_one("http.max_body", http.max_body.0, report);
    some_time("http.timeout", http.timeout, report);
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

fn check_sources(sources: &BTreeMap<String, Source>, report: &mut Report<'_>) {
    let mut hashes = Vec::new();
    for (name, source) in sources {
        check_name(&format!("sources.{name}"), name, report);
        let key = format!("sources.{name}.token_sha256");
        if source.token_sha256.is_empty() {
            report.unexpected(&key, "an empty list", "at least one hash, as signalbox source token prints it");
        }
        let entries = source.token_sha256.iter().enumerate();
        hashes.extend(entries.map(|(index, hash)| (format!("{key}[{index}]"), hash.as_str())));
    }
    check_doubles(hashes.into_iter(), "token", report);
}

fn check_destinations(config: &Config, report: &mut Report<'_>) {
    for (name, destination) in &config.destinations {
        let key = format!("destinations.{name}");
        check_name(&key, name, report);
        if destination.adapter.is_empty() {
            report.unexpected(&format!("{key}.type"), "nothing", "the name of an adapter");
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

fn check_exists<'n>(
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
            let sentence = format!("the same {what} as {first}, at {}", nearest_place(report.places, first));
            report.problem(&key, Problem::Other(sentence));
        } else {
            seen.insert(value, key);
        }
    }
}

/// Names become part of keys, metrics and addresses.
fn check_name(key: &str, name: &str, report: &mut Report<'_>) {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
        report.unexpected(key, format!("the name {name:?}"), "1 to 64 letters, digits, - and _");
    }
}

fn at_least_one(key: &str, number: u64, report: &mut Report<'_>) {
    if number == 0 {
        report.unexpected(key, "0", "1 or more");
    }
}

fn some_time(key: &str, period: Period, report: &mut Report<'_>) {
    if period.0.is_zero() {
        report.unexpected(key, format!("\"{period}\""), "longer than nothing");
    }
}
