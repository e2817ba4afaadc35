//! The elements of two versions of a definition. A snapshot goes only as deep as its profile says something, so an
//! element that one version alone has may say no more than its type does: it is held against that.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use serde_json::Value;

use super::element::{defined_by, facts};
use super::{Change, ChangedElement, How, differing};
use crate::validation::Validation;

/// Elements by their id, in the order of their definition.
struct Tree {
    order: Vec<String>,
    by_id: BTreeMap<String, Value>,
}

/// Snapshots of one side, each read once.
pub(super) struct Elements<'s> {
    set: &'s Validation,
    snapshots: HashMap<String, Result<Rc<Tree>, String>>,
}

/// What changed of the elements, and why the snapshots could not be compared where that is so.
pub(super) fn compare(
    (olds, old): (&mut Elements<'_>, &Value),
    (news, new): (&mut Elements<'_>, &Value),
) -> (Vec<ChangedElement>, Option<String>) {
    let canonical = old["url"].as_str().unwrap_or_default();
    let (before, after, note) = match (olds.snapshot(canonical), news.snapshot(canonical)) {
        (Ok(before), Ok(after)) => (before, after, None),
        (Err(why), _) | (_, Err(why)) => {
            let note = format!("only what it says itself is compared: {why}");
            (Rc::new(Tree::own(old)), Rc::new(Tree::own(new)), Some(note))
        }
    };
    let mut changes = Vec::new();
    for id in &after.order {
        match before.by_id.get(id) {
            Some(was) => changes.extend(changed(id, differing(&facts(was), &facts(&after.by_id[id])))),
            None => changes.extend(olds.only_here(id, &after, &before, How::Added)),
        }
    }
    for id in before.order.iter().filter(|id| !after.by_id.contains_key(*id)) {
        changes.extend(news.only_here(id, &before, &after, How::Removed));
    }
    (changes, note)
}

fn changed(id: &str, facts: Vec<Change>) -> Option<ChangedElement> {
    (!facts.is_empty()).then(|| ChangedElement { id: id.to_owned(), change: How::Changed, facts })
}

impl<'s> Elements<'s> {
    pub(super) fn of(set: &'s Validation) -> Self {
        Self { set, snapshots: HashMap::new() }
    }

    fn snapshot(&mut self, canonical: &str) -> Result<Rc<Tree>, String> {
        if let Some(known) = self.snapshots.get(canonical) {
            return known.clone();
        }
        let read = self.set.snapshot(canonical).and_then(|text| {
            let definition: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            Ok(Rc::new(Tree::read(definition["snapshot"]["element"].as_array())))
        });
        self.snapshots.insert(canonical.to_owned(), read.clone());
        read
    }

    /// An element that one version has and the other, whose snapshots these are, has not.
    fn only_here(&mut self, id: &str, with: &Tree, without: &Tree, how: How) -> Option<ChangedElement> {
        let element = &with.by_id[id];
        let (parent, name) = id.rsplit_once('.')?;
        if let Some((sliced, _)) = name.split_once(':') {
            // A slice: it says what the sliced element does, and more.
            let sliced = with.by_id.get(&format!("{parent}.{sliced}")).map(facts).unwrap_or_default();
            let mut facts = facts(element);
            facts.retain(|fact, text| fact == "cardinality" || sliced.get(fact) != Some(text));
            return Some(ChangedElement { id: id.to_owned(), change: how, facts: one_sided(facts, how) });
        }
        let implied =
            without.by_id.get(parent).or_else(|| with.by_id.get(parent)).and_then(|parent| self.child(parent, name));
        let Some(implied) = implied else {
            return Some(ChangedElement { id: id.to_owned(), change: how, facts: one_sided(facts(element), how) });
        };
        let (implied, here) = (facts(&implied), facts(element));
        changed(id, if how == How::Added { differing(&implied, &here) } else { differing(&here, &implied) })
    }

    /// What the type of an element says of a child of it.
    fn child(&mut self, parent: &Value, name: &str) -> Option<Value> {
        let tree = self.snapshot(&defined_by(parent)?).ok()?;
        let root = tree.order.first()?;
        tree.by_id.get(&format!("{root}.{name}")).cloned()
    }
}

fn one_sided(facts: super::Facts, how: How) -> Vec<Change> {
    let side = |(fact, text)| match how {
        How::Removed => Change { fact, before: Some(text), after: None },
        How::Added | How::Changed => Change { fact, before: None, after: Some(text) },
    };
    facts.into_iter().map(side).collect()
}

impl Tree {
    fn read(elements: Option<&Vec<Value>>) -> Self {
        let mut tree = Self { order: vec![], by_id: BTreeMap::new() };
        for element in elements.into_iter().flatten() {
            let Some(id) = element["id"].as_str().or(element["path"].as_str()) else { continue };
            if tree.by_id.insert(id.to_owned(), element.clone()).is_none() {
                tree.order.push(id.to_owned());
            }
        }
        tree
    }

    /// What a definition says itself: of a pack, or its differential.
    fn own(definition: &Value) -> Self {
        let listed = [
            definition.get("element"),
            definition.pointer("/differential/element"),
            definition.pointer("/snapshot/element"),
        ];
        Self::read(listed.into_iter().flatten().find_map(Value::as_array))
    }
}
