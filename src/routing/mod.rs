//! Routing: which exchange goes where. Every route that matches applies, in the order of the configuration; a
//! destination that two of them name gets the message once, as the first says. Pure: the same message and the same
//! routes always give the same answer, and every message gets one.

mod condition;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use signalbox_validator::ProfileSet;
use signalbox_validator::json::Value;

use crate::config::route::Route;

use condition::Condition;

/// All routes, their conditions read and ready.
pub struct Routes {
    routes: Vec<Compiled>,
    /// What the elements of a resource are.
    definitions: Arc<ProfileSet>,
}

struct Compiled {
    route: Route,
    when: Option<Condition>,
}

/// A condition that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("route {route:?}, column {column} of `when`: {message}")]
pub struct RouteError {
    /// Which route, from 0; its setting is `routes[INDEX].when`.
    pub index: usize,
    /// The route's name.
    pub route: String,
    /// Where in the condition, in characters from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// Where a message goes. When no route matched, nobody takes it; when some matched without a target, it is accepted
/// and goes nowhere on purpose.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selection {
    /// Names of the routes that took it, in their order.
    pub matched: Vec<String>,
    /// Where it goes: each destination once.
    pub targets: Vec<Target>,
    /// Profiles by resource type that the routes which took it ask for.
    pub profiles: BTreeMap<String, Vec<String>>,
    /// Routes whose condition makes no sense for this message; they count as not matching, and a person should know.
    pub undecided: Vec<Undecided>,
}

/// A destination, and what the route says beside its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Name of the destination.
    pub destination: String,
    /// Options for its adapter; an object.
    pub options: serde_json::Value,
    /// Whether its answer is relayed to a sender that waits.
    pub reply: bool,
    /// The route that chose it.
    pub route: String,
}

/// A route that could not be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// Name of the route.
    pub route: String,
    /// Why: about the condition, never about the message's content.
    pub reason: String,
}

impl Selection {
    /// Whether some route took the message.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        !self.matched.is_empty()
    }
}

impl Routes {
    /// Reads the conditions, with the definitions of the types that they are about.
    ///
    /// # Errors
    /// Every condition that cannot be used.
    pub fn compile(routes: &[Route], definitions: Arc<ProfileSet>) -> Result<Self, Vec<RouteError>> {
        let (mut compiled, mut errors) = (Vec::with_capacity(routes.len()), Vec::new());
        for (index, route) in routes.iter().enumerate() {
            let read = |when| Condition::parse(when, &definitions, &route.types);
            match route.when.as_deref().map(read).transpose() {
                Ok(when) => compiled.push(Compiled { route: route.clone(), when }),
                Err(error) => {
                    let (column, message) = (error.column, error.message);
                    errors.push(RouteError { index, route: route.name.clone(), column, message });
                }
            }
        }
        if errors.is_empty() { Ok(Self { routes: compiled, definitions }) } else { Err(errors) }
    }

    /// Whether some route takes this resource type, from somebody and under some condition.
    #[must_use]
    pub fn takes(&self, resource_type: &str) -> bool {
        let routes = self.routes.iter().map(|compiled| &compiled.route);
        routes.into_iter().any(|route| route.takes_resources() && listed(&route.types, resource_type))
    }

    /// Whether some route takes HL7 v2 messages of this type (`ADT`), of some event, from somebody.
    #[must_use]
    pub fn takes_message(&self, kind: &str) -> bool {
        let of_kind = |listed: &String| listed.split('^').next() == Some(kind);
        let routes = self.routes.iter().map(|compiled| &compiled.route).filter(|route| route.takes_messages());
        routes.into_iter().any(|route| route.messages.is_empty() || route.messages.iter().any(of_kind))
    }

    /// Where a resource goes that came then.
    #[must_use]
    pub fn select(&self, source: &str, resource_type: &str, resource: Value<'_>, came: DateTime<Utc>) -> Selection {
        let mut selection = Selection::default();
        for Compiled { route, when } in &self.routes {
            if !route.takes_resources() || !listed(&route.types, resource_type) || !listed(&route.sources, source) {
                continue;
            }
            match when.as_ref().map_or(Ok(true), |when| when.holds(&self.definitions, resource, came)) {
                Ok(true) => selection.take(route),
                Ok(false) => {}
                Err(why) => {
                    selection.undecided.push(Undecided { route: route.name.clone(), reason: why.to_string() });
                }
            }
        }
        selection
    }

    /// Where an HL7 v2 message of this type (`ADT^A31`) goes. `holds`: whether the field at a path has one of these
    /// values.
    #[must_use]
    pub fn select_message(&self, source: &str, message: &str, holds: impl Fn(&str, &[String]) -> bool) -> Selection {
        let mut selection = Selection::default();
        let routes = self.routes.iter().map(|compiled| &compiled.route).filter(|route| route.takes_messages());
        for route in routes.filter(|route| route.lists_message(message) && listed(&route.sources, source)) {
            if route.fields.iter().all(|(path, values)| holds(path, values)) {
                selection.take(route);
            }
        }
        selection
    }
}

fn listed(list: &[String], one: &str) -> bool {
    list.is_empty() || list.iter().any(|item| item == one)
}

impl Selection {
    fn take(&mut self, route: &Route) {
        self.matched.push(route.name.clone());
        for (resource_type, canonicals) in &route.profiles {
            let of_type = self.profiles.entry(resource_type.clone()).or_default();
            of_type.extend(
                canonicals.iter().filter(|canonical| !of_type.contains(canonical)).cloned().collect::<Vec<_>>(),
            );
        }
        for target in &route.to {
            let destination = target.destination();
            if self.targets.iter().all(|earlier| earlier.destination != destination) {
                let (destination, options) = (destination.to_owned(), target.options());
                self.targets.push(Target { destination, options, reply: target.reply(), route: route.name.clone() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use proptest::prelude::*;
    use signalbox_validator::json::Document;
    use std::path::Path;
    use std::sync::OnceLock;

    const DESTINATIONS: &str = "destinations.a.type = \"x\"\ndestinations.b.type = \"x\"\ndestinations.c.type = \"x\"\n\
        [sources.pas]\nods = \"RX1\"\ntoken_sha256 = [\"0000000000000000000000000000000000000000000000000000000000000000\"]\n";

    fn compile(routes: &str) -> Result<Routes, Vec<RouteError>> {
        let config = Config::from_toml(&format!("{DESTINATIONS}{routes}"), Path::new(".")).unwrap();
        Routes::compile(&config.routes, condition::r4())
    }

    fn select(routes: &str, source: &str, resource: &str) -> Selection {
        let document = Document::read(resource.as_bytes()).unwrap();
        let resource_type = document.root().str_at(&["resourceType"]).unwrap().into_owned();
        compile(routes).unwrap().select(source, &resource_type, document.root(), DateTime::UNIX_EPOCH)
    }

    const ROUTES: &str = r#"
[[routes]]
name = "patients of the pas"
types = ["Patient"]
sources = ["pas"]
to = ["a", { destination = "b", priority = 1 }]
[[routes]]
name = "active ones"
when = "active"
to = [{ destination = "b", priority = 2 }, "c"]
[[routes]]
name = "only recorded"
types = ["Appointment"]
to = []
"#;

    #[test]
    fn every_route_that_matches_applies_and_the_first_to_name_a_destination_wins() {
        let selection = select(ROUTES, "pas", r#"{"resourceType":"Patient","active":true}"#);
        assert_eq!(selection.matched, ["patients of the pas", "active ones"]);
        let targets: Vec<_> =
            selection.targets.iter().map(|target| (target.destination.as_str(), target.route.as_str())).collect();
        assert_eq!(targets, [("a", "patients of the pas"), ("b", "patients of the pas"), ("c", "active ones")]);
        assert_eq!(selection.targets[1].options, serde_json::json!({ "priority": 1 }));
        assert_eq!(selection.targets[0].options, serde_json::json!({}));
    }

    #[test]
    fn nowhere_on_purpose_is_not_the_same_as_no_route() {
        let recorded = select(ROUTES, "pas", r#"{"resourceType":"Appointment"}"#);
        assert!(recorded.is_taken() && recorded.targets.is_empty());
        let refused = select(ROUTES, "laboratory", r#"{"resourceType":"Patient","active":false}"#);
        assert!(!refused.is_taken() && refused.targets.is_empty() && refused.undecided.is_empty());
    }

    #[test]
    fn a_condition_that_makes_no_sense_for_a_message_is_told_without_its_content() {
        let routes = "[[routes]]\nname = \"r\"\nwhen = \"name.family = 'x' and name.given > 3\"\nto = [\"a\"]\n";
        let resource = r#"{"resourceType":"Patient","name":[{"family":"x","given":["Secret"]}]}"#;
        let selection = select(routes, "pas", resource);
        assert!(!selection.is_taken());
        assert_eq!(selection.undecided.len(), 1);
        assert_eq!(selection.undecided[0].reason, "column 34 of `when`: string and integer have no order");
    }

    #[test]
    fn every_condition_that_cannot_be_used_is_reported() {
        let route = |name: &str, when: &str| format!("[[routes]]\nname = \"{name}\"\nwhen = \"{when}\"\nto = []\n");
        let routes = format!("{}{}{}", route("a", "active and"), route("b", "active"), route("c", "name.lowered()"));
        let errors = compile(&routes).err().unwrap();
        let told: Vec<_> = errors.iter().map(|error| (error.index, error.route.as_str(), error.column)).collect();
        assert_eq!(told, [(0, "a", 11), (2, "c", 6)]);
    }

    const MESSAGES: &str = r#"
[[routes]]
name = "everything"
to = ["a"]
[[routes]]
name = "resources"
types = ["Patient"]
to = ["b"]
[[routes]]
name = "admissions of inpatients"
messages = ["ADT^A01", "ORU"]
fields = { "PV1-2" = ["I", "E"] }
sources = ["pas"]
to = ["c"]
"#;

    #[test]
    fn a_message_goes_by_its_type_its_source_and_its_fields_and_never_by_a_route_for_resources() {
        let routes = compile(MESSAGES).unwrap();
        let select = |source: &str, message: &str, class: &str| {
            let holds = |path: &str, values: &[String]| path == "PV1-2" && values.iter().any(|value| value == class);
            routes.select_message(source, message, holds).matched
        };
        assert_eq!(select("pas", "ADT^A01", "I"), ["everything", "admissions of inpatients"]);
        assert_eq!(select("pas", "ORU^R01", "E"), ["everything", "admissions of inpatients"]);
        assert_eq!(select("pas", "ADT^A01", "O"), ["everything"]);
        assert_eq!(select("laboratory", "ADT^A01", "I"), ["everything"]);
        assert_eq!(select("pas", "ADT^A31", "I"), ["everything"]);
        assert_eq!(select("pas", "ADTX^A01", "I"), ["everything"]);
        let selection = self::select(MESSAGES, "pas", r#"{"resourceType":"Patient"}"#);
        assert_eq!(selection.matched, ["everything", "resources"]);
        assert!(routes.takes("Patient") && routes.takes("Encounter"));
        assert!(!compile("[[routes]]\nname = \"r\"\nmessages = [\"ADT\"]\nto = []\n").unwrap().takes("Patient"));
    }

    const CONDITIONS: [&str; 6] =
        ["active", "name.exists()", "name.given = 'x'", "name.count() > 1", "birthDate < @2000", "not()"];

    /// A route for each condition.
    fn conditional() -> &'static [Routes] {
        static ROUTES: OnceLock<Vec<Routes>> = OnceLock::new();
        ROUTES.get_or_init(|| {
            let route = |when| format!("[[routes]]\nname = \"r\"\nwhen = \"{when}\"\nto = [\"a\"]\n");
            CONDITIONS.into_iter().map(|when| compile(&route(when)).unwrap()).collect()
        })
    }

    proptest! {
        #[test]
        fn selection_is_total_and_deterministic(
            condition in 0..CONDITIONS.len(),
            resource in r#"\{"resourceType":"Patient"(,"active":(true|1|"x"|null))?(,"name":(\[(\{"given":\["x"\]\}|3)(,\{"given":\["x","y"\]\})?\]|\{\}))?(,"birthDate":("[0-9-]{0,10}"|2000))?\}"#,
            source in "[a-z]{0,3}",
        ) {
            let document = Document::read(resource.as_bytes()).unwrap();
            let select = || conditional()[condition].select(&source, "Patient", document.root(), DateTime::UNIX_EPOCH);
            let selection = select();
            prop_assert_eq!(&selection, &select());
            prop_assert!(selection.matched.len() + selection.undecided.len() <= 1);
            prop_assert_eq!(selection.is_taken(), selection.targets.len() == 1);
        }
    }
}
