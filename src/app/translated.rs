//! Messages that are not valid, agreed to be accepted, on their way to an adapter that translates them: what it cannot
//! read is left out of what it sends, and nobody has looked.

use crate::adapters;
use crate::config::route::Route;
use crate::config::source::Verdict;
use crate::config::{Config, ConfigError, Problem};

/// One warning for each source and destination that meet so.
pub(super) fn unseen_losses(config: &Config) -> Vec<ConfigError> {
    let flagged = config.sources.iter().filter(|(_, source)| source.on_error == Verdict::AcceptAndFlag);
    let told = flagged.flat_map(|(name, _)| {
        let key = format!("sources.{name}.on_error");
        let reached = reached(config, name);
        reached.into_iter().map(move |destination| {
            let sentence = format!(
                "resources that are not valid are sent to {destination:?} in another format, and what cannot be read in \
                 them, such as a sex that is no code, is left out unseen; \"quarantine\" lets somebody look first"
            );
            config.error(&key, Problem::Other(sentence))
        })
    });
    told.collect()
}

/// Destinations that get resources of this source, and translate them.
fn reached<'c>(config: &'c Config, source: &String) -> Vec<&'c String> {
    let takes =
        |route: &&Route| route.takes_resources() && (route.sources.is_empty() || route.sources.contains(source));
    let routes: Vec<&Route> = config.routes.iter().filter(takes).collect();
    let named = |name: &str| routes.iter().flat_map(|route| &route.to).any(|target| target.destination() == name);
    let translates = |adapter: &str| adapters::ADAPTERS.iter().any(|kind| kind.name == adapter && !kind.sends_json);
    let destinations = config.destinations.iter().filter(|(_, destination)| translates(&destination.adapter));
    destinations.map(|(name, _)| name).filter(|name| named(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn told(policy: &str, route: &str) -> Vec<String> {
        let text = format!(
            "[sources.gp]\nods = \"A99001\"\naddresses = [\"127.0.0.1\"]\n{policy}\n[destinations.ward]\ntype = \"mllp\"\n\
             [destinations.archive]\ntype = \"file\"\n[[routes]]\nname = \"r\"\n{route}\n"
        );
        let config = Config::from_toml(&text, Path::new(".")).unwrap();
        unseen_losses(&config).into_iter().map(|error| error.key).collect()
    }

    #[test]
    fn only_what_is_flagged_and_translated_is_warned_of() {
        let flag = "on_error = \"accept-and-flag\"";
        assert_eq!(told(flag, "to = [\"ward\", \"archive\"]"), ["sources.gp.on_error"]);
        for (policy, route) in [
            ("", "to = [\"ward\"]"),
            ("on_error = \"quarantine\"", "to = [\"ward\"]"),
            (flag, "to = [\"archive\"]"),
            (flag, "messages = [\"ADT\"]\nto = [\"ward\"]"),
        ] {
            assert_eq!(told(policy, route), [""; 0], "{policy} {route}");
        }
    }
}
