//! Checks what the configuration alone cannot: adapters and their settings, the options of routes, conditions, resource
//! types. All problems are reported at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::{StartError, reachability};
use crate::adapters::{self, Outside};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::destination::OnReject;
use crate::config::{self, Config, ConfigError, ConfigErrors, Fault, Problem};
use crate::delivery::body_schema::BodySchema;
use crate::delivery::destination::Destination;
use crate::delivery::policy::Policy;
use crate::delivery::worker::Line;
use crate::exchange::keys::SearchKey;
use crate::exchange::{Conditions, Interaction};
use crate::gateway::{Judge, Known};
use crate::routing::Routes;
use crate::telemetry::Metrics;
use crate::tls::server::{self, Tls};
use crate::validation::Validation;
use crate::validation::guides::{Guides, Loaded};
use crate::validation::terminology::Terminology;

/// A configuration that can run.
pub(super) struct Checked {
    pub(super) routes: Routes,
    destinations: BTreeMap<String, Ready>,
}

struct Ready {
    destination: Arc<dyn Destination>,
    policy: Policy,
    concurrency: usize,
    timeout: Duration,
}

const TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection may take to open; never longer than the destination's own timeout.
pub(super) const CONNECT: Duration = Duration::from_secs(10);

pub(super) fn check(
    config: &Config,
    validation: &Validation,
    clock: &Clock,
    chance: &Chance,
) -> Result<Checked, ConfigErrors> {
    let mut errors = wrong_options(config);
    let mut destinations = BTreeMap::new();
    for (name, section) in &config.destinations {
        match build(config, name, section, clock, chance) {
            Ok(ready) => {
                destinations.insert(name.clone(), ready);
            }
            Err(found) => errors.extend(found),
        }
    }
    errors.extend(unknown_types(config, validation));
    errors.extend(unable(config, &destinations));
    errors.extend(reachability::dead_routes(config));
    match Routes::compile(&config.routes, Arc::clone(validation.definitions())) {
        Ok(routes) if errors.is_empty() => return Ok(Checked { routes, destinations }),
        Ok(_) => {}
        Err(faults) => errors.extend(faults.into_iter().map(|fault| {
            let sentence = format!("column {} of the condition: {}", fault.column, fault.message);
            config.error(&format!("routes[{}].when", fault.index), Problem::Other(sentence))
        })),
    }
    Err(ConfigErrors::new(errors))
}

fn build(
    config: &Config,
    name: &str,
    section: &config::destination::Destination,
    clock: &Clock,
    chance: &Chance,
) -> Result<Ready, Vec<ConfigError>> {
    let key = format!("destinations.{name}");
    let Some(kind) = adapters::kind_of(&section.adapter) else {
        let known: Vec<_> = adapters::ADAPTERS.iter().map(|kind| kind.name).collect();
        let problem = Problem::Unexpected {
            found: format!("\"{}\"", section.adapter),
            expected: format!("one of {}", known.join(", ")),
        };
        return Err(vec![config.error(&format!("{key}.type"), problem)]);
    };
    let may_be = (kind.schema)();
    let mut faults = config.faults_of_settings(name, &may_be);
    let timeout = section.timeout.map_or(TIMEOUT, |timeout| timeout.0);
    let within = format!("{key}.settings");
    let fail = |sentence: String| config.error(&within, Problem::Other(sentence));
    let http =
        client(timeout.min(CONNECT)).map_err(|error| vec![fail(format!("the HTTP client cannot be made: {error}"))])?;
    let outside = Outside { http, clock: clock.clone(), chance: chance.clone(), timeout, base: config.base.clone() };
    let at_fault = |setting: &str| {
        let setting = config.error(&format!("{within}.{setting}"), Problem::Missing);
        faults.iter().any(|fault| fault.is_within(&setting))
    };
    let settings = match faults.as_slice() {
        [] => section.settings.clone(),
        _ => kind.without(&section.settings, at_fault),
    };
    let destination = (kind.build)(settings, &outside);
    faults.extend(config.secrets_in_clear(name, &may_be));
    let schema = section.schema.as_ref().map(|file| {
        let refused = || format!("a schema is for JSON bodies, and {} sends none", kind.name);
        if kind.sends_json { BodySchema::read(&config.base.join(file)) } else { Err(refused()) }
    });
    let (destination, schema) = match (destination, schema.transpose()) {
        (Ok(destination), Ok(schema)) if faults.is_empty() => (destination, schema),
        (destination, schema) => {
            faults.extend(placed(config, &within, destination.err().unwrap_or_default()));
            let error = schema.err().map(|sentence| config.error(&format!("{key}.schema"), Problem::Other(sentence)));
            faults.extend(error);
            return Err(faults);
        }
    };
    let destination = match schema {
        Some(schema) => BodySchema::before(destination, schema),
        None => destination,
    };
    let retry = section.retry.clone().unwrap_or_else(|| config.delivery.retry.clone());
    let policy = Policy { retry, on_reject: section.on_reject, on_unknown: section.on_unknown };
    Ok(Ready { destination, policy, concurrency: section.concurrency, timeout })
}

/// Faults of the settings below `key`, each in its place.
fn placed(config: &Config, key: &str, faults: Vec<Fault>) -> Vec<ConfigError> {
    let place = |(setting, sentence): Fault| {
        let key = if setting.is_empty() { key.to_owned() } else { format!("{key}.{setting}") };
        config.error(&key, Problem::Other(sentence))
    };
    faults.into_iter().map(place).collect()
}

/// What is wrong with what routes say beside the names of their destinations.
fn wrong_options(config: &Config) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    for (at, route) in config.routes.iter().enumerate() {
        for (to, target) in route.to.iter().enumerate() {
            let destination = config.destinations.get(target.destination());
            let Some(kind) = destination.and_then(|one| adapters::kind_of(&one.adapter)) else { continue };
            let faults = config.faults_of_options(at, to, &(kind.options)());
            if faults.is_empty()
                && let Err(sentence) = (kind.check_options)(&target.options())
            {
                errors.push(config.error(&format!("routes[{at}].to[{to}]"), Problem::Other(sentence)));
            }
            errors.extend(faults);
        }
    }
    errors
}

/// Destinations that a route for HL7 v2 messages names, and that take none.
fn unable(config: &Config, destinations: &BTreeMap<String, Ready>) -> Vec<ConfigError> {
    let routes =
        config.routes.iter().enumerate().filter(|(_, route)| route.takes_messages() && !route.takes_resources());
    let targets = routes.flat_map(|(at, route)| route.to.iter().enumerate().map(move |(to, target)| (at, to, target)));
    let unable = targets.filter(|(_, _, target)| {
        let (conditions, options) = (Conditions::default(), target.options());
        let ready = destinations.get(target.destination());
        ready.is_some_and(|ready| !ready.destination.carries(Interaction::Message, &conditions, &options))
    });
    let told = unable.map(|(at, to, target)| {
        let sentence =
            format!("the destination {:?} takes no HL7 v2 messages, and the route no others", target.destination());
        config.error(&format!("routes[{at}].to[{to}]"), Problem::Other(sentence))
    });
    told.collect()
}

/// The HTTP client: no redirects, no proxy of the environment.
pub(super) fn client(connect: Duration) -> reqwest::Result<reqwest::Client> {
    let client = reqwest::Client::builder().connect_timeout(connect);
    client.redirect(reqwest::redirect::Policy::none()).no_proxy().build()
}

/// What messages are judged by.
pub(super) fn judge(
    config: &Config,
    guides: Guides,
    routes: Routes,
    destinations: HashMap<String, Known>,
    search_key: SearchKey,
) -> Judge {
    Judge {
        guides,
        routes,
        destinations,
        search_key,
        max_depth: config.http.max_depth,
        sources: config.sources.clone(),
        mllp: config.mllp.clone(),
        terminology: config.terminology.is_on().then(|| config.terminology.clone()),
    }
}

/// The terminology server, when one is configured.
pub(super) fn terminology(config: &Config, metrics: &Metrics) -> Result<Option<Terminology>, StartError> {
    let http = client(config.terminology.timeout.0.min(CONNECT))?;
    Terminology::of(&config.terminology, http, metrics.clone())
        .map_err(|faults| ConfigErrors::new(placed(config, "terminology", faults)).into())
}

/// The packages of the sources, with the profiles that the settings name in them.
///
/// # Errors
/// When a package cannot be read, or a profile is not in the packages of those who must meet it.
pub(super) fn guides(config: &Config) -> Result<Guides, StartError> {
    let Loaded { guides, warnings, mut errors } = Guides::load(config)?;
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    if errors.is_empty() {
        errors = guides.unknown_profiles(config);
    }
    if errors.is_empty() { Ok(guides) } else { Err(ConfigErrors::new(errors).into()) }
}

/// TLS of the front door, when it is configured.
pub(super) fn tls(config: &Config) -> Result<Option<Tls>, ConfigErrors> {
    Tls::load(&config.http.tls, &config.base, "http.tls", server::HTTP)
        .map_err(|(key, sentence)| config.error(&key, Problem::Other(sentence)).into())
}

fn unknown_types(config: &Config, validation: &Validation) -> Vec<ConfigError> {
    let routes = config.routes.iter().enumerate();
    let types = routes.flat_map(|(at, route)| route.types.iter().map(move |name| (at, name)));
    types
        .filter(|(_, name)| !validation.is_resource_type(name))
        .map(|(at, name)| {
            let known = validation.resource_types();
            let nearest = config::nearest(name, known.iter().map(String::as_str));
            let perhaps = nearest.map(|nearest| format!(", perhaps {nearest}")).unwrap_or_default();
            let expected = format!("a resource type of FHIR R4{perhaps}");
            config.error(&format!("routes[{at}].types"), Problem::Unexpected { found: format!("\"{name}\""), expected })
        })
        .collect()
}

type Lines = (Vec<Line>, HashMap<String, Known>, HashMap<i32, (String, Policy)>);

impl Checked {
    pub(super) fn names(&self) -> Vec<String> {
        self.destinations.keys().cloned().collect()
    }

    /// The destinations as the worker, the gateway and the sweeper want them.
    pub(super) fn lines(&self, numbers: &[(i32, String)]) -> Lines {
        let (mut lines, mut known, mut policies) = (Vec::new(), HashMap::new(), HashMap::new());
        for (number, name) in numbers {
            let Some(ready) = self.destinations.get(name) else { continue };
            lines.push(Line {
                number: *number,
                name: name.clone(),
                destination: Arc::clone(&ready.destination),
                policy: ready.policy.clone(),
                concurrency: ready.concurrency,
                timeout: ready.timeout,
            });
            let give_up_after = ready.policy.retry.give_up_after.0;
            let destination = Arc::clone(&ready.destination);
            let one_stream = ready.policy.on_reject == OnReject::HoldStream;
            known.insert(name.clone(), Known { number: *number, give_up_after, one_stream, destination });
            policies.insert(*number, (name.clone(), ready.policy.clone()));
        }
        (lines, known, policies)
    }
}
