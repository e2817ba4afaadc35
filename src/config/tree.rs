//! Configuration files as one tree in which every setting knows the file, line and column it came from, so that files
//! can be laid over each other and still be complained about precisely ([TOML](https://toml.io/en/v1.0.0)).

use std::collections::BTreeMap;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place, Problem};

/// A setting or a table of settings.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Where its key (or, in a list, the item) stands.
    pub(super) place: Place,
    pub(super) content: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    /// Also TOML dates: no setting is one.
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
    /// Put where a problem was reported, so that reading can go on and find the next: answers whatever is asked,
    /// texts with this one.
    StandIn(&'static str),
}

/// One step from a table or list to what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// `routes[2].to`
pub(super) fn render(path: &[Step]) -> String {
    path.iter().fold(String::new(), |text, step| match step {
        Step::Key(key) if text.is_empty() => key.clone(),
        Step::Key(key) => format!("{text}.{key}"),
        Step::Index(index) => format!("{text}[{index}]"),
    })
}

/// Reads one file. The errors are TOML's own; the tree is what could be read.
pub(super) fn parse(file: &str, text: &str) -> (Node, Vec<ConfigError>) {
    let source = Source::new(file, text);
    let (table, faults) = DeTable::parse_recoverable(text);
    let mut errors: Vec<ConfigError> = faults
        .iter()
        .map(|fault| ConfigError {
            place: source.place(fault.span().map_or(text.len(), |span| span.start)),
            key: String::new(),
            problem: Problem::Other(format!("not TOML: {}", fault.message())),
        })
        .collect();
    let content = source.table(table.get_ref(), &mut errors);
    (Node { place: Place::file(file), content }, errors)
}

struct Source<'t> {
    file: &'t str,
    text: &'t str,
}

impl<'t> Source<'t> {
    fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text }
    }

    fn place(&self, offset: usize) -> Place {
        Place::within(self.file, self.text, offset)
    }

    fn table(&self, table: &DeTable<'_>, errors: &mut Vec<ConfigError>) -> Content {
        let members = table.iter().map(|(key, value)| {
            let place = self.place(key.span().start);
            (key.get_ref().to_string(), Node { content: self.content(value, &place, errors), place })
        });
        Content::Table(members.collect())
    }

    fn content(&self, value: &Spanned<DeValue<'_>>, place: &Place, errors: &mut Vec<ConfigError>) -> Content {
        match value.get_ref() {
            DeValue::String(text) => Content::Text(text.to_string()),
            DeValue::Boolean(value) => Content::Boolean(*value),
            DeValue::Datetime(time) => Content::Text(time.to_string()),
            DeValue::Table(table) => self.table(table, errors),
            DeValue::Array(items) => {
                let item = |item: &Spanned<DeValue<'_>>| {
                    let place = self.place(item.span().start);
                    Node { content: self.content(item, &place, errors), place }
                };
                Content::List(items.iter().map(item).collect())
            }
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Content::Integer(number),
                Err(_) => out_of_range(place, errors),
            },
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => Content::Float(number),
                Err(_) => out_of_range(place, errors),
            },
        }
    }
}

fn out_of_range(place: &Place, errors: &mut Vec<ConfigError>) -> Content {
    let problem = Problem::Other("this number is out of range".to_owned());
    errors.push(ConfigError { place: place.clone(), key: String::new(), problem });
    Content::StandIn("")
}

impl Default for Node {
    fn default() -> Self {
        Self { place: Place::file(""), content: Content::Table(BTreeMap::new()) }
    }
}

impl Node {
    /// Lays `top` over this: tables member by member, everything else whole.
    pub(super) fn overlay(&mut self, top: Self) {
        match (&mut self.content, top.content) {
            (Content::Table(members), Content::Table(over)) => {
                for (key, node) in over {
                    match members.get_mut(&key) {
                        Some(member) => member.overlay(node),
                        None => drop(members.insert(key, node)),
                    }
                }
            }
            (content, over) => *content = over,
        }
        self.place = top.place;
    }

    pub(super) fn get(&self, step: &Step) -> Option<&Self> {
        match (&self.content, step) {
            (Content::Table(members), Step::Key(key)) => members.get(key),
            (Content::List(items), Step::Index(index)) => items.get(*index),
            _ => None,
        }
    }

    fn get_mut(&mut self, step: &Step) -> Option<&mut Self> {
        match (&mut self.content, step) {
            (Content::Table(members), Step::Key(key)) => members.get_mut(key),
            (Content::List(items), Step::Index(index)) => items.get_mut(*index),
            _ => None,
        }
    }

    pub(super) fn find(&self, path: &[Step]) -> Option<&Self> {
        path.iter().try_fold(self, |node, step| node.get(step))
    }

    pub(super) fn find_mut(&mut self, path: &[Step]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, step| node.get_mut(step))
    }

    /// The members of the table with this key at the root; none when there is no such table.
    pub(super) fn members(&self, key: &str) -> impl Iterator<Item = (&String, &Self)> {
        let table = self.get(&Step::Key(key.to_owned())).and_then(|node| match &node.content {
            Content::Table(members) => Some(members),
            _ => None,
        });
        table.into_iter().flatten()
    }

    /// Shows every node below this one, with its path.
    pub(super) fn walk(&self, path: &mut Vec<Step>, see: &mut impl FnMut(&[Step], &Self)) {
        let mut child = |step: Step, node: &Self, path: &mut Vec<Step>| {
            path.push(step);
            see(path, node);
            node.walk(path, see);
            path.pop();
        };
        match &self.content {
            Content::Table(members) => {
                for (key, node) in members {
                    child(Step::Key(key.clone()), node, path);
                }
            }
            Content::List(items) => {
                for (index, node) in items.iter().enumerate() {
                    child(Step::Index(index), node, path);
                }
            }
            _ => {}
        }
    }

    /// The settings alone, for the schema; what stands in for something unreadable is null.
    pub(super) fn to_json(&self) -> Value {
        match &self.content {
            Content::Text(text) => Value::from(text.as_str()),
            Content::Integer(number) => Value::from(*number),
            Content::Float(number) => Value::from(*number),
            Content::Boolean(value) => Value::from(*value),
            Content::StandIn(_) => Value::Null,
            Content::List(items) => items.iter().map(Self::to_json).collect(),
            Content::Table(members) => {
                Value::Object(members.iter().map(|(key, node)| (key.clone(), node.to_json())).collect())
            }
        }
    }

    /// A problem with the setting at `path`; placed at the nearest table around it when it is not written down.
    pub(super) fn error(&self, path: &[Step], problem: Problem) -> ConfigError {
        let (mut place, mut node) = (&self.place, Some(self));
        for step in path {
            node = node.and_then(|node| node.get(step));
            place = node.map_or(place, |node| &node.place);
        }
        ConfigError { place: place.clone(), key: render(path), problem }
    }

    /// The settings alone, without places: equal trees have equal texts.
    pub(super) fn canonical(&self) -> String {
        match &self.content {
            Content::Text(text) => format!("{text:?}"),
            Content::Integer(number) => number.to_string(),
            Content::Float(number) => format!("{number:?}"),
            Content::Boolean(value) => value.to_string(),
            Content::StandIn(_) => String::new(),
            Content::List(items) => {
                let items: Vec<String> = items.iter().map(Self::canonical).collect();
                format!("[{}]", items.join(","))
            }
            Content::Table(members) => {
                let members: Vec<String> =
                    members.iter().map(|(key, node)| format!("{key:?}:{}", node.canonical())).collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_laid_over_another_changes_only_what_it_names() {
        let (mut tree, _) = parse("a", "[http]\nlisten = 1\nmax_depth = 2\n");
        tree.overlay(parse("b", "\n[http]\nlisten = 3\n").0);
        assert_eq!(tree.canonical(), r#"{"http":{"listen":3,"max_depth":2}}"#);
        let path = |key: &str| [Step::Key("http".into()), Step::Key(key.into())];
        assert_eq!(tree.find(&path("listen")).unwrap().place.to_string(), "b:3:1");
        assert_eq!(tree.find(&path("max_depth")).unwrap().place.to_string(), "a:3:1");
    }

    #[test]
    fn every_syntax_error_of_a_file_has_a_place() {
        let (_, errors) = parse("a", "x = \n\ny = 99999999999999999999\nz = 1 1\n");
        let lines: Vec<u32> = errors.iter().map(|error| error.place.line).collect();
        assert!(lines.contains(&1) && lines.contains(&3) && lines.contains(&4), "{errors:?}");
    }
}
