//! Reads the tree into the structs. Where a setting is wrong, something harmless is put in its place, so that reading
//! goes on to the end; what the schema did not see is reported.

use serde::Deserialize;

use super::deserialize::{Fault, Kind};
use super::error::{ConfigError, Problem};
use super::tree::{Content, Node, Step, render};

/// What was read, and what was wrong with it that nobody had reported.
pub(super) struct Outcome<T> {
    /// Absent when even stand-ins did not help.
    pub(super) value: Option<T>,
    pub(super) errors: Vec<ConfigError>,
}

/// Texts for settings that have none: each kind of text the structs ask for accepts one of them.
const STAND_INS: [&str; 2] = ["X", "1s"];

/// Reads `tree`; settings that are wrong are taken from `defaults` if they are there. Nothing is said of what was
/// `reported`, or lies within it.
pub(super) fn read<T: for<'de> Deserialize<'de>>(
    mut tree: Node,
    defaults: &Node,
    reported: &[ConfigError],
) -> Outcome<T> {
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
        let error = mend(&mut tree, defaults, &fault);
        let known = |error: &ConfigError| reported.iter().chain(&outcome.errors).any(|other| error.is_within(other));
        outcome.errors.extend(error.filter(|error| !known(error)));
    }
    outcome
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
    let (last, parent) = path.split_last()?;
    match (&fault.kind, &found.content) {
        (Kind::Unknown, _) => {
            remove(tree.find_mut(parent)?, last);
            Some(ConfigError {
                place: found.place,
                key: render(&path),
                problem: Problem::Unknown { nearest: None, known: Vec::new() },
            })
        }
        (Kind::Missing(field), _) => {
            put_stand_in(tree.find_mut(&path)?, field);
            let key = format!("{}.{field}", render(&path));
            Some(ConfigError { place: found.place, key, problem: Problem::Missing })
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
        (Kind::Other(sentence), _) => {
            let stand_in = || Content::StandIn(STAND_INS[0]);
            tree.find_mut(&path)?.content = defaults.find(&path).map_or_else(stand_in, |node| node.content.clone());
            Some(ConfigError { place: found.place, key: render(&path), problem: Problem::Other(sentence.clone()) })
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
