//! Routes that can never do anything, and partners nobody reaches.

use crate::config::route::Route;
use crate::config::source::Source;
use crate::config::{Config, ConfigError, Problem};

/// Routes that take nothing, and routes that another one leaves nothing to do.
pub(super) fn dead_routes(config: &Config) -> Vec<ConfigError> {
    let routes = &config.routes;
    let never = routes.iter().enumerate().filter(|(_, route)| condition(route) == Some("false")).map(|(at, _)| {
        let sentence = "the condition is never true, so the route takes no message".to_owned();
        config.error(&format!("routes[{at}].when"), Problem::Other(sentence))
    });
    let shadowed = routes.iter().enumerate().filter_map(|(at, route)| {
        let (first, earlier) = routes[..at].iter().enumerate().find(|(_, earlier)| shadows(earlier, route))?;
        let place = config.place(&format!("routes[{first}].name"));
        let sentence = format!(
            "shadowed by the route {:?} at {place}: that one takes every message this one takes and names the same \
             destinations, so this one does nothing",
            earlier.name
        );
        Some(config.error(&format!("routes[{at}]"), Problem::Other(sentence)))
    });
    never.chain(shadowed).chain(unentered(config)).collect()
}

/// Routes none of whose sources has a door for what they take.
fn unentered(config: &Config) -> Vec<ConfigError> {
    let sources = |route: &Route| {
        let of_route = |name: &String| route.sources.is_empty() || route.sources.contains(name);
        config.sources.iter().filter(move |(name, _)| of_route(name)).collect::<Vec<_>>()
    };
    let unentered = config.routes.iter().enumerate().filter_map(|(at, route)| {
        let (resources, messages) = (route.takes_resources(), route.takes_messages());
        let mut named = sources(route).into_iter().peekable();
        // Without sources there is nobody to say it of, and names that lead nowhere have been told.
        if named.peek().is_none() && (resources || !config.mllp.is_empty()) {
            return None;
        }
        let mut enters = |(name, source): (&String, &Source)| {
            (resources && enters_by_http(config, source)) || (messages && heard(config, name))
        };
        if named.any(&mut enters) {
            return None;
        }
        let by_http = "proves itself to the FHIR front door (token_sha256, jwt, or certificates with \
                       http.tls.client_authorities)";
        let by_mllp = "is named by an MLLP listener ([mllp.NAME])";
        let missing = match (resources, messages) {
            (true, true) => format!("{by_http} or {by_mllp}"),
            (true, false) => by_http.to_owned(),
            _ => by_mllp.to_owned(),
        };
        let key = match (route.sources.is_empty(), resources, messages) {
            (false, ..) => format!("routes[{at}].sources"),
            (true, true, true) => format!("routes[{at}]"),
            (true, true, false) => format!("routes[{at}].types"),
            (true, false, _) => format!("routes[{at}].messages"),
        };
        let sentence = format!("none of its sources {missing}, so the route takes no message");
        Some(config.error(&key, Problem::Other(sentence)))
    });
    unentered.collect()
}

/// Whether a source has a credential for the FHIR front door.
fn enters_by_http(config: &Config, source: &Source) -> bool {
    let certified = !source.certificates.is_empty() && config.http.tls.asks_clients();
    certified || !source.token_sha256.is_empty() || source.jwt.is_some()
}

/// Whether an MLLP listener names this source.
fn heard(config: &Config, name: &str) -> bool {
    config.mllp.values().any(|listener| listener.sources.iter().any(|one| one == name))
}

/// Whether whatever `later` takes, `earlier` has sent everywhere `later` would.
fn shadows(earlier: &Route, later: &Route) -> bool {
    let named = |target: &crate::config::route::Target| {
        earlier.to.iter().any(|other| other.destination() == target.destination())
    };
    let takes_all = condition(earlier).is_none_or(|when| when == "true" || condition(later) == Some(when));
    (later.profiles.is_empty() || later.profiles == earlier.profiles)
        && covers(&earlier.sources, &later.sources)
        && later.to.iter().all(named)
        && (!later.takes_resources()
            || (earlier.takes_resources() && covers(&earlier.types, &later.types) && takes_all))
        && (!later.takes_messages() || covers_messages(earlier, later))
}

/// Whether `earlier` takes every HL7 v2 message that `later` takes.
fn covers_messages(earlier: &Route, later: &Route) -> bool {
    let lists_all = match &later.messages[..] {
        [] => earlier.messages.is_empty(),
        messages => messages.iter().all(|message| earlier.lists_message(message)),
    };
    earlier.takes_messages() && lists_all && (earlier.fields.is_empty() || earlier.fields == later.fields)
}

/// An empty list means all.
fn covers(earlier: &[String], later: &[String]) -> bool {
    earlier.is_empty() || (!later.is_empty() && later.iter().all(|one| earlier.contains(one)))
}

fn condition(route: &Route) -> Option<&str> {
    route.when.as_deref().map(str::trim)
}

/// Destinations that no route names, sources whose messages no route takes, certificates nobody asks for.
pub(super) fn loose_ends(config: &Config) -> Vec<ConfigError> {
    let unnamed = config.destinations.keys().filter(|name| {
        !config.routes.iter().flat_map(|route| &route.to).any(|target| target.destination() == name.as_str())
    });
    let untaken = config
        .sources
        .keys()
        .filter(|name| !config.routes.iter().any(|route| route.sources.is_empty() || route.sources.contains(name)));
    let unnamed = unnamed.map(|name| (format!("destinations.{name}"), "no route names this destination"));
    let untaken =
        untaken.map(|name| (format!("sources.{name}"), "no route takes from this source: all it sends is refused"));
    let asked = |name: &str| {
        let listeners = config.mllp.values().filter(|listener| listener.sources.iter().any(|one| one == name));
        config.http.tls.asks_clients() || listeners.into_iter().any(|listener| listener.tls.asks_clients())
    };
    let unasked = config.sources.iter().filter(|(name, source)| !source.certificates.is_empty() && !asked(name)).map(
        |(name, _)| {
            (
                format!("sources.{name}.certificates"),
                "no client certificate is asked for: set http.tls.client_authorities",
            )
        },
    );
    let unheard = config
        .sources
        .iter()
        .filter(|(name, source)| !source.addresses.is_empty() && !heard(config, name))
        .map(|(name, _)| {
            (format!("sources.{name}.addresses"), "no MLLP listener names this source, so its address proves nothing")
        });
    unnamed
        .chain(untaken)
        .chain(unasked)
        .chain(unheard)
        .map(|(key, sentence)| config.error(&key, Problem::Other(sentence.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const PARTNERS: &str = r#"
[sources.pas]
ods = "RX1"
token_sha256 = ["6d0ba8d1c94b9ce8b6e3f0d2f6c0a8b7a3d2c5f4e1908172635445362718090a"]
addresses = ["127.0.0.1"]
[mllp.adt]
listen = "127.0.0.1:2575"
sources = ["pas"]
[destinations.a]
type = "file"
[destinations.b]
type = "file"
"#;

    fn told(routes: &str) -> Vec<String> {
        let config = Config::from_toml(&format!("{PARTNERS}{routes}"), Path::new(".")).unwrap();
        let found = dead_routes(&config).into_iter().chain(loose_ends(&config));
        found.map(|error| format!("{}: {}", error.key, error.problem)).collect()
    }

    fn route(name: &str, rest: &str) -> String {
        format!("[[routes]]\nname = \"{name}\"\n{rest}\n")
    }

    #[test]
    fn a_route_that_an_earlier_one_leaves_nothing_to_do_is_told() {
        let all = route("all", "to = [\"a\", \"b\"]");
        let part = route("part", "types = [\"Patient\"]\nsources = [\"pas\"]\nwhen = \"active\"\nto = [\"b\"]");
        let found = told(&format!("{all}{part}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("routes[1]: shadowed by the route \"all\" at signalbox.toml:"), "{found:?}");
        assert_eq!(told(&format!("{part}{all}")), Vec::<String>::new(), "the narrow one first: both have work");
    }

    #[test]
    fn routes_that_differ_in_what_they_take_or_where_they_send_are_left_alone() {
        let first = route("first", "types = [\"Patient\"]\nwhen = \"active\"\nto = [\"a\"]");
        for other in [
            "types = [\"Patient\", \"Encounter\"]\nwhen = \"active\"\nto = [\"a\", \"b\"]",
            "types = [\"Patient\"]\nto = [\"a\", \"b\"]",
            "types = [\"Patient\"]\nwhen = \"active\"\nto = [\"a\", \"b\"]",
        ] {
            assert_eq!(told(&format!("{first}{}", route("other", other))), Vec::<String>::new(), "{other}");
        }
        for (first, other) in [
            ("messages = [\"ADT^A01\"]", "messages = [\"ADT\"]"),
            ("messages = [\"ADT\"]", "types = [\"Patient\"]"),
            ("messages = [\"ADT\"]\nfields = { \"PV1-2\" = [\"I\"] }", "messages = [\"ADT\"]"),
            ("messages = [\"ADT\"]", ""),
        ] {
            let rest = |rest: &str| format!("{rest}\nto = [\"a\", \"b\"]");
            let found = told(&format!("{}{}", route("first", &rest(first)), route("other", &rest(other))));
            assert_eq!(found, Vec::<String>::new(), "{first} {other}");
        }
        for (first, other) in [("messages = [\"ADT\"]", "messages = [\"ADT^A01\"]"), ("", "messages = [\"ADT\"]")] {
            let rest = |rest: &str| format!("{rest}\nto = [\"a\", \"b\"]");
            let found = told(&format!("{}{}", route("first", &rest(first)), route("other", &rest(other))));
            assert_eq!(found.len(), 1, "{first} {other}: {found:?}");
        }
        let same = route("same", "types = [\"Patient\"]\nwhen = \" active \"\nto = [\"a\"]");
        assert_eq!(told(&format!("{first}{same}{}", route("b", "to = [\"b\"]"))).len(), 1);
    }

    #[test]
    fn a_route_whose_sources_have_no_door_for_what_it_takes_is_told() {
        let sources = "[sources.token]\nods = \"RX1\"\n\
                       token_sha256 = [\"1f2e3d4c5b6a79880f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978\"]\n\
                       [sources.address]\nods = \"RX1\"\naddresses = [\"10.0.0.1\"]\n\
                       [sources.certified]\nods = \"RX1\"\ncertificates = [\"a.example\"]\n";
        let dead = |text: &str| {
            let config = Config::from_toml(text, Path::new(".")).unwrap();
            dead_routes(&config).iter().map(|error| format!("{}: {}", error.key, error.problem)).collect::<Vec<_>>()
        };
        let door = "[mllp.adt]\nlisten = \"127.0.0.1:2575\"\nsources = [\"address\"]\n";
        let with =
            |door: &str, rest: &str| dead(&format!("{sources}{door}{}", route("r", &format!("{rest}\nto = []"))));
        for (rest, told) in [
            (
                "messages = [\"ADT\"]\nsources = [\"token\"]",
                "routes[0].sources: none of its sources is named by an MLLP",
            ),
            ("types = [\"Patient\"]\nsources = [\"address\"]", "routes[0].sources: none of its sources proves itself"),
            (
                "types = [\"Patient\"]\nsources = [\"certified\"]",
                "routes[0].sources: none of its sources proves itself",
            ),
            ("sources = [\"certified\"]", "routes[0].sources: none of its sources proves itself"),
        ] {
            let found = with(door, rest);
            assert!(found.len() == 1 && found[0].starts_with(told), "{rest}: {found:?}");
        }
        for rest in [
            "messages = [\"ADT\"]",
            "messages = [\"ADT\"]\nsources = [\"token\", \"address\"]",
            "types = [\"Patient\"]\nsources = [\"token\", \"address\"]",
            "sources = [\"address\"]",
        ] {
            assert_eq!(with(door, rest), Vec::<String>::new(), "{rest}");
        }
        for text in [sources, ""] {
            let found = dead(&format!("{text}{}", route("r", "messages = [\"ADT\"]\nto = []")));
            assert!(found.len() == 1 && found[0].starts_with("routes[0].messages: none of its sources"), "{found:?}");
        }
        let asked = "http.tls = { certificate = \"a\", key = \"b\", client_authorities = \"c\" }\n";
        let certified = route("r", "types = [\"Patient\"]\nsources = [\"certified\"]\nto = []");
        assert_eq!(dead(&format!("{asked}{sources}{certified}")), Vec::<String>::new());
    }

    #[test]
    fn what_nobody_reaches_is_told() {
        let found = told(&route("never", "when = \"false\"\nsources = [\"pas\"]\nto = [\"a\"]"));
        assert_eq!(
            found,
            [
                "routes[0].when: the condition is never true, so the route takes no message",
                "destinations.b: no route names this destination",
            ]
        );
        let found = told("");
        assert!(found.iter().any(|told| told.starts_with("sources.pas: no route takes")), "{found:?}");
    }
}
