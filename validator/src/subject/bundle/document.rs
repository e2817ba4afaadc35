//! A [document](https://hl7.org/fhir/R4/documents.html) begins with its Composition and a
//! [message](https://hl7.org/fhir/R4/messaging.html) with its `MessageHeader`; what these refer to is in the Bundle, and
//! what is in the Bundle is reached from them.

use super::super::{Judge, Subject, numbered};
use super::{ENTRY, Entries, Found};
use crate::issue::{IssueCode, Severity};
use crate::json::{Kind, Value};
use crate::location::{Location, Segment};
use crate::node::{Content, Node, Special};
use crate::profile_set::ProfileSet;

/// What differs between the two.
pub(super) struct Shape {
    /// The type of the first resource.
    first: &'static str,
    /// How bad an entry is that nothing leads to.
    orphan: Severity,
}

pub(super) const DOCUMENT: Shape = Shape { first: "Composition", orphan: Severity::Error };
pub(super) const MESSAGE: Shape = Shape { first: "MessageHeader", orphan: Severity::Warning };

/// Resources that may point to the document without being pointed to: they say how it came about.
const ABOUT: [&str; 1] = ["Provenance"];

/// Elements whose URIs name no resource to read: identities, systems, definitions and addresses.
const NO_LINKS: [&str; 4] = ["fullUrl", "system", "endpoint", "address"];

pub(super) fn check(judge: &mut Judge<'_>, bundle: Subject<'_, '_>, entries: &Entries<'_>, shape: &Shape) {
    let list = bundle.location.step(Segment::Child(ENTRY));
    let step = list.step(Segment::Item(0));
    let Some((_, first)) = numbered(bundle.value, ENTRY).next() else {
        let message = format!("A {} has at least one entry, its {}.", entries.bundle_type, shape.first);
        judge.error((bundle.value, bundle.location), IssueCode::Invalid, message);
        return;
    };
    let Some(resource) = entries.at(0).resource else {
        judge.error((first, &step), IssueCode::Invalid, format!("The first entry holds the {}.", shape.first));
        return;
    };
    let at = step.step(Segment::Child("resource"));
    if entries.at(0).type_name.as_deref() == Some(shape.first) {
        let mut paths = Paths { judge, entries };
        paths.check(resource, &at, if shape.first == "Composition" { COMPOSITION } else { HEADER });
    } else {
        let message = format!("The first entry of a {} is its {}.", entries.bundle_type, shape.first);
        judge.error((resource, &at), IssueCode::Invalid, message);
    }
    reach(judge, bundle, entries, shape);
    super::narrative_link::check(judge, bundle, entries);
}

/// References that must lead into the Bundle: elements on the way, the last holding the Reference.
const COMPOSITION: &[&[&str]] =
    &[&["subject"], &["author"], &["encounter"], &["custodian"], &["attester", "party"], &["event", "detail"]];
const SECTION: &[&[&str]] = &[&["author"], &["focus"], &["entry"]];
const HEADER: &[&[&str]] = &[&["focus"]];

struct Paths<'p, 's, 'a> {
    judge: &'p mut Judge<'s>,
    entries: &'p Entries<'a>,
}

impl<'a> Paths<'_, '_, 'a> {
    fn check(&mut self, value: Value<'a>, location: &Location<'_>, paths: &[&[&str]]) {
        for path in paths {
            self.follow(value, location, path);
        }
        // Sections stand in sections.
        let list = location.step(Segment::Child("section"));
        for (index, section) in numbered(value, "section") {
            self.check(section, &list.step(Segment::Item(index)), SECTION);
        }
    }

    fn follow(&mut self, value: Value<'a>, location: &Location<'_>, path: &[&str]) {
        let Some((name, rest)) = path.split_first() else {
            return self.arrive(value, location);
        };
        let Some(found) = value.get(name) else { return };
        let step = location.step(Segment::Child(name));
        if found.kind() != Kind::Array {
            return self.follow(found, &step, rest);
        }
        for (index, item) in found.items().enumerate() {
            self.follow(item, &step.step(Segment::Item(index)), rest);
        }
    }

    fn arrive(&mut self, value: Value<'a>, location: &Location<'_>) {
        let Some(reference) = value.str_at(&["reference"]).filter(|text| !text.is_empty() && !text.starts_with('#'))
        else {
            return;
        };
        let at = (value, location);
        match self.entries.find(Some(0), &reference) {
            Found::One(_) => {}
            Found::Several(_) => {
                self.judge.error(at, IssueCode::Invalid, "Several entries of the Bundle match this reference.");
            }
            Found::Apparently(index) => {
                let message = format!(
                    "No entry of the Bundle matches this reference: entry {index} has the type and id, but its fullUrl is \
                     not where the fullUrl of the first entry leads."
                );
                self.judge.error(at, IssueCode::Invalid, message);
            }
            Found::Nowhere => {
                self.judge.error(at, IssueCode::NotFound, "What this refers to must be in the Bundle, and is not.");
            }
        }
    }
}

/// Every entry is reached from the first: forwards, or by leading to one that is.
fn reach(judge: &mut Judge<'_>, bundle: Subject<'_, '_>, entries: &Entries<'_>, shape: &Shape) {
    let targets: Vec<Vec<usize>> = (0..entries.len()).map(|index| targets_of(judge.set, entries, index)).collect();
    let mut reached = vec![false; entries.len()];
    visit(&mut reached, &targets, 0);
    for (_, link) in numbered(bundle.value, "link") {
        let is_style = link.str_at(&["relation"]).as_deref() == Some("stylesheet");
        if let Some(Found::One(index)) = link.str_at(&["url"]).filter(|_| is_style).map(|url| entries.find(None, &url))
        {
            reached[index] = true;
        }
    }
    let list = bundle.location.step(Segment::Child(ENTRY));
    let backwards = visit_sources(&mut reached, &targets);
    for (index, value) in numbered(bundle.value, ENTRY) {
        let step = list.step(Segment::Item(index));
        let entry = entries.at(index);
        let is_about = entry.type_name.as_deref().is_some_and(|name| ABOUT.contains(&name));
        if backwards[index] && shape.orphan == Severity::Error && !is_about {
            let message = "Nothing leads from the Composition to this entry; it only leads to one that is reached.";
            judge.warning((value, &step), IssueCode::Invalid, message);
        } else if !reached[index] && entry.resource.is_some() {
            let message =
                format!("Nothing leads from the {} to this entry, nor from this entry to there.", shape.first);
            judge.find((value, &step), shape.orphan, IssueCode::Informational, message);
        }
    }
}

/// Reaches what leads to something that is reached, and what that leads to in turn; tells which entries were reached by
/// where they lead.
fn visit_sources(reached: &mut [bool], targets: &[Vec<usize>]) -> Vec<bool> {
    let mut sources = vec![Vec::new(); targets.len()];
    for (index, list) in targets.iter().enumerate() {
        for &target in list {
            sources[target].push(index);
        }
    }
    let mut backwards = vec![false; targets.len()];
    let mut pending: Vec<usize> = (0..targets.len()).filter(|&index| reached[index]).collect();
    while let Some(index) = pending.pop() {
        for &source in &sources[index] {
            if !reached[source] {
                backwards[source] = true;
                pending.extend(visit(reached, targets, source));
            }
        }
    }
    backwards
}

/// Reaches an entry and all it leads to; those that were not reached before.
fn visit(reached: &mut [bool], targets: &[Vec<usize>], from: usize) -> Vec<usize> {
    let (mut pending, mut found) = (vec![from], Vec::new());
    while let Some(index) = pending.pop() {
        if !std::mem::replace(&mut reached[index], true) {
            found.push(index);
            pending.extend(&targets[index]);
        }
    }
    found
}

/// The entries that the resource of an entry leads to.
fn targets_of(set: &ProfileSet, entries: &Entries<'_>, index: usize) -> Vec<usize> {
    let entry = entries.at(index);
    let mut found = Vec::new();
    let node = entry.type_name.as_deref().and_then(|name| set.resource(name)).map(|id| set.node(id));
    if let (Some(node), Some(resource)) = (node, entry.resource) {
        links(set, node, resource, &mut |text| match entries.find(Some(index), text) {
            Found::One(target) | Found::Several(target) if target != index => found.push(target),
            _ => {}
        });
    }
    found
}

/// The references and URIs of an object, and of the objects in it.
fn links(set: &ProfileSet, node: &Node, object: Value<'_>, found: &mut dyn FnMut(&str)) {
    for member in object.children() {
        let Some(property) = member.key().and_then(|key| node.properties.get(&*key).copied()) else { continue };
        let element = set.element(property.element);
        let Some(element_type) = element.types.get(usize::from(property.choice)) else { continue };
        let values = member.items().chain((member.kind() != Kind::Array).then_some(member));
        for value in values {
            match element_type.content {
                Content::Primitive(..) => {
                    // The url of an extension names its definition.
                    let names_itself = node.ext_1.is_some() && &*element.name == "url";
                    let is_link = matches!(&*element_type.name, "uri" | "url")
                        && !names_itself
                        && !NO_LINKS.contains(&&*element.name);
                    if let Some(text) = value.as_str().filter(|text| is_link && !text.starts_with('#')) {
                        found(&text);
                    }
                }
                Content::Object(inner) => {
                    let is_reference = element_type.special == Special::Reference;
                    if let Some(text) = value.str_at(&["reference"]).filter(|_| is_reference) {
                        found(&text);
                    }
                    links(set, set.node(inner), value, found);
                }
                Content::Resource => {
                    let name = value.str_at(&["resourceType"]).filter(|name| name != "Bundle");
                    if let Some(inner) = name.and_then(|name| set.resource(&name)) {
                        links(set, set.node(inner), value, found);
                    }
                }
            }
        }
    }
}
