//! Reads the tree into the structs and, when a setting is wrong, reports it, puts something harmless in its place and
//! reads again: so all problems come at once.

use serde::Deserialize;

use super::deserialize::{Fault, Kind};
use super::error::{ConfigError, Problem, nearest};
use super::tree::{Content, Node, Step, render};

/// What was read, and what was wrong with it.
pub(super) struct Outcome<T> {
    /// Absent when even stand-ins did not help.
    pub(super) value: Option<T>,
    pub(super) errors: Vec<ConfigError>,
}

/// Texts for settings that have none: each kind of text the structs ask for accepts one of them.
const STAND_INS: [&str; 2] = ["X", "1s"];

/// Reads `tree`; settings that are wrong are taken from `defaults` if they are there.
pub(super) fn read<T: for<'de> Deserialize<'de>>(mut tree: Node, defaults: &Node) -> Outcome<T> {
    let mut made_up = Vec::new();
    let mut outcome = Outcome { value: None, errors: Vec::new() };
    // Every round changes a node for good, so there are fewer rounds than this.
    for _ in 0..=count(&tree) * 4 {
        let fault = match T::deserialize(&tree) {
            Ok(value) => {
                outcome.value = Some(value);
                break;
            }
            Err(fault) => fault,
        };
        let path = fault.path();
        let error = mend(&mut tree, defaults, &fault);
        let within_made_up = |error: &ConfigError| made_up.iter().any(|table| error.key.starts_with(table));
        let error = error.filter(|error| !within_made_up(error) && !is_misspelt(error, &outcome.errors));
        outcome.errors.extend(error);
        if let Some(Content::StandIn(_)) = tree.find(&path).map(|node| &node.content) {
            made_up.push(format!("{}.", render(&path)));
        }
    }
    outcome
}

/// Whether a setting is missing because an unknown one was meant to be it.
fn is_misspelt(error: &ConfigError, earlier: &[ConfigError]) -> bool {
    let (table, name) = error.key.rsplit_once('.').unwrap_or(("", &error.key));
    let meant = |other: &ConfigError| {
        let beside = other.key.rsplit_once('.').is_some_and(|(around, _)| around == table);
        beside && matches!(&other.problem, Problem::Unknown { nearest: Some(nearest), .. } if nearest == name)
    };
    error.problem == Problem::Missing && earlier.iter().any(meant)
}

fn count(tree: &Node) -> usize {
    let mut nodes = 1;
    tree.walk(&mut Vec::new(), &mut |_, _| nodes += 1);
    nodes
}

/// Takes the fault out of the tree; the problem to report, unless the fault lies in something we put there.
fn mend(tree: &mut Node, defaults: &Node, fault: &Fault) -> Option<ConfigError> {
    let path = fault.path();
    let found = tree.find(&path)?.clone();
    let report = |problem| Some(ConfigError { place: found.place.clone(), key: render(&path), problem });
    let (last, parent) = path.split_last()?;
    match (&fault.kind, &found.content) {
        (Kind::Unknown { known }, _) => {
            remove(tree.find_mut(parent)?, last);
            let written = if let Step::Key(key) = last { key.as_str() } else { "" };
            let nearest = nearest(written, known.iter().copied()).map(str::to_owned);
            report(Problem::Unknown { nearest, known: known.iter().map(ToString::to_string).collect() })
        }
        (Kind::Missing(field), _) => {
            put_stand_in(tree.find_mut(&path)?, field);
            let key = format!("{}.{field}", render(&path));
            Some(ConfigError { place: found.place.clone(), key, problem: Problem::Missing })
        }
        (_, Content::StandIn(text)) => {
            let next = STAND_INS.iter().position(|stand_in| stand_in == text).map_or(0, |at| at + 1);
            match STAND_INS.get(next) {
                Some(text) => tree.find_mut(&path)?.content = Content::StandIn(text),
                // Neither text will do: a setting that may be left out.
                None => remove(tree.find_mut(parent)?, last),
            }
            None
        }
        (kind, content) => {
            let problem = problem(kind, content, &path);
            tree.find_mut(&path)?.content =
                defaults.find(&path).map_or(Content::StandIn(STAND_INS[0]), |node| node.content.clone());
            report(problem)
        }
    }
}

fn remove(node: &mut Node, step: &Step) {
    if let (Content::Table(members), Step::Key(key)) = (&mut node.content, step) {
        members.remove(key);
    }
}

fn put_stand_in(node: &mut Node, field: &str) {
    if let Content::StandIn(_) = node.content {
        node.content = Content::Table(std::collections::BTreeMap::new());
    }
    if let Content::Table(members) = &mut node.content {
        let stand_in = Node { place: node.place.clone(), content: Content::StandIn(STAND_INS[0]) };
        members.insert(field.to_owned(), stand_in);
    }
}

fn problem(kind: &Kind, content: &Content, path: &[Step]) -> Problem {
    let found = shown(content, path);
    match kind {
        Kind::Variant { known } => Problem::Unexpected { found, expected: format!("one of {}", known.join(", ")) },
        Kind::Expected(expected) => Problem::Unexpected { found, expected: expected.clone() },
        Kind::Other(sentence) => Problem::Other(format!("found {found}: {sentence}")),
        Kind::Unknown { .. } | Kind::Missing(_) => Problem::Missing,
    }
}

/// What stands there, short; only its kind where a secret may have been written by mistake.
fn shown(content: &Content, path: &[Step]) -> String {
    let discreet = matches!(path.first(), Some(Step::Key(key)) if key == "database" || key == "identity");
    match content {
        Content::Text(text) if !discreet => format!("{:?}", text.chars().take(60).collect::<String>()),
        Content::Integer(number) if !discreet => number.to_string(),
        Content::Float(number) if !discreet => number.to_string(),
        Content::Boolean(value) => value.to_string(),
        Content::Text(_) => "a text".to_owned(),
        Content::Integer(_) | Content::Float(_) => "a number".to_owned(),
        Content::List(_) => "a list".to_owned(),
        Content::Table(_) => "a table".to_owned(),
        Content::StandIn(_) => "nothing".to_owned(),
    }
}
