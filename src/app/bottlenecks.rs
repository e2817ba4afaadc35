//! Messages that are taken at a door and then are too long for where they go: each would be refused after it was
//! acknowledged, and its patient's later messages wait behind it.

use crate::adapters;
use crate::config::route::Route;
use crate::config::{Config, ConfigError, Problem};

/// One warning for each destination, about the listener with the largest limit that leads to it.
pub(super) fn narrower_than_the_door(config: &Config) -> Vec<ConfigError> {
    let told = config.destinations.iter().filter_map(|(name, section)| {
        let most = (adapters::kind_of(&section.adapter)?.max_frame)(&section.settings)?;
        let routes = config.routes.iter().filter(|route| {
            route.takes_messages() && route.to.iter().any(|target| target.destination() == name.as_str())
        });
        let (longest, listener) = routes.filter_map(|route| longest(config, route)).max()?;
        let sentence = format!(
            "the longest message sent has {most} bytes, and mllp.{listener} takes messages of {longest} bytes that go here: \
             what is between is acknowledged, then refused, and holds its patient's later messages"
        );
        let key = format!("destinations.{name}.settings.max_frame");
        (longest > most).then(|| config.error(&key, Problem::Other(sentence)))
    });
    told.collect()
}

/// The longest message in bytes that a route can get from a listener, and which.
fn longest<'c>(config: &'c Config, route: &Route) -> Option<(u64, &'c str)> {
    let takes = |source: &String| route.sources.is_empty() || route.sources.contains(source);
    let limits = config.mllp.iter().flat_map(|(name, listener)| {
        let sources = listener.sources.iter().filter(move |source| takes(source));
        sources.filter_map(move |source| {
            let most = config.sources.get(source)?.limits.max_body.unwrap_or(listener.max_frame);
            Some((most.min(listener.max_frame).0, name.as_str()))
        })
    });
    limits.max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn told(listener: &str, source: &str, destination: &str, route: &str) -> Vec<String> {
        let text = format!(
            "[sources.pas]\nods = \"RX1\"\naddresses = [\"127.0.0.1\"]\n{source}\n[mllp.adt]\nlisten = \"127.0.0.1:2575\"\n\
             sources = [\"pas\"]\n{listener}\n[destinations.ward]\ntype = \"mllp\"\n[destinations.ward.settings]\n\
             address = \"127.0.0.1:2576\"\nsending_application = \"A\"\nsending_facility = \"B\"\n\
             receiving_application = \"C\"\nreceiving_facility = \"D\"\n{destination}\n\
             [destinations.archive]\ntype = \"file\"\n[[routes]]\nname = \"r\"\n{route}\n"
        );
        let config = Config::from_toml(&text, Path::new(".")).unwrap();
        narrower_than_the_door(&config).into_iter().map(|error| format!("{}: {}", error.key, error.problem)).collect()
    }

    #[test]
    fn a_destination_that_takes_less_than_its_listener_is_warned_of() {
        let (route, small) = ("messages = [\"ADT\"]\nto = [\"ward\", \"archive\"]", "max_frame = \"1 MiB\"");
        let found = told("", "", small, route);
        assert!(found.len() == 1 && found[0].starts_with("destinations.ward.settings.max_frame: "), "{found:?}");
        assert!(found[0].contains("1048576 bytes, and mllp.adt takes messages of 16777216 bytes"), "{found:?}");
        for (listener, source, destination, route) in [
            ("", "", "", route),
            (small, "", small, route),
            ("", "limits.max_body = \"1 MiB\"", small, route),
            ("", "", small, "types = [\"Patient\"]\nto = [\"ward\"]"),
            ("", "", small, "messages = [\"ADT\"]\nto = [\"archive\"]"),
        ] {
            assert_eq!(
                told(listener, source, destination, route),
                [""; 0],
                "{listener} {source} {destination} {route}"
            );
        }
    }
}
