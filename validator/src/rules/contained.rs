//! [Contained resources](https://hl7.org/fhir/R4/references.html#contained): none inside another (dom-2), each
//! referred to (dom-3), no version of their own (dom-4) and no security label (dom-5).

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::{Finding, Rule};
use crate::issue::IssueCode;
use crate::json::{Kind, Value};

/// The element that contains resources.
pub(crate) const ELEMENT: &str = "contained";

/// What a resource contains, and which local references stand in it; read once, however many there are.
#[derive(Default)]
pub(crate) struct Contents<'a> {
    by_id: HashMap<Cow<'a, str>, Value<'a>>,
    /// Contained resources with an id that one before them has.
    doubled: Vec<u32>,
    /// Strings that begin with `#`, without it.
    mentioned: HashSet<Cow<'a, str>>,
}

impl<'a> Contents<'a> {
    pub(crate) fn of(container: Value<'a>) -> Self {
        let mut contents = Self::default();
        if let Some(contained) = container.get(ELEMENT) {
            let with_id = contained.items().filter_map(|resource| Some((resource.str_at(&["id"])?, resource)));
            for (id, resource) in with_id {
                match contents.by_id.entry(id) {
                    Entry::Occupied(_) => contents.doubled.push(resource.index()),
                    Entry::Vacant(free) => _ = free.insert(resource),
                }
            }
            mentions(container, &mut contents.mentioned);
        }
        contents
    }

    /// The contained resource with this id.
    pub(crate) fn get(&self, id: &str) -> Option<Value<'a>> {
        self.by_id.get(id).copied()
    }
}

/// Another contained resource has the id already.
pub(crate) fn is_doubled(resource: Value<'_>, around: &Contents<'_>) -> Option<Finding> {
    let message = "A contained resource before this one has the same id.";
    let is_doubled = around.doubled.contains(&resource.index());
    is_doubled.then(|| Finding::error(Rule::Contained, IssueCode::Duplicate, message))
}

/// dom-2, dom-4 and dom-5, for one contained resource.
pub(crate) fn resource(contained: Value<'_>) -> impl Iterator<Item = Finding> {
    let meta = |key| contained.at(&["meta", key]).is_some();
    let broken = [
        (contained.get(ELEMENT).is_some(), "A contained resource may not contain another (dom-2)."),
        (meta("versionId") || meta("lastUpdated"), "A contained resource has no version or time of update (dom-4)."),
        (meta("security"), "A contained resource has no security label of its own (dom-5)."),
    ];
    let error = |message| Finding::error(Rule::Contained, IssueCode::Invariant, message);
    broken.into_iter().filter(|(broken, _)| *broken).map(move |(_, message)| error(message))
}

/// dom-3: something in the container refers to it, or it refers to its container.
pub(crate) fn is_referred_to(resource: Value<'_>, around: &Contents<'_>) -> Option<Finding> {
    // Without an id the invariant as it is written says nothing.
    let id = resource.str_at(&["id"])?;
    let refers_out = || {
        let mut mentioned = HashSet::new();
        mentions(resource, &mut mentioned);
        mentioned.contains("")
    };
    let message = "Nothing in the resource around it refers to this contained resource (dom-3).";
    let error = || Finding::error(Rule::Contained, IssueCode::Invalid, message);
    (!around.mentioned.contains(&id) && !refers_out()).then(error)
}

/// Collects the local references in a tree, which is no deeper than the reader allows.
fn mentions<'a>(value: Value<'a>, found: &mut HashSet<Cow<'a, str>>) {
    match value.kind() {
        Kind::String if value.is_member("div") => {
            let text = value.as_str().unwrap_or_default();
            // Links and images of a narrative.
            let ids = text.split("\"#").skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(ids.map(|id| Cow::Owned(id.to_owned())));
        }
        Kind::String => match value.as_str() {
            Some(Cow::Borrowed(text)) => found.extend(text.strip_prefix('#').map(Cow::Borrowed)),
            Some(Cow::Owned(text)) => found.extend(text.strip_prefix('#').map(|id| Cow::Owned(id.to_owned()))),
            None => {}
        },
        Kind::Array | Kind::Object => value.children().for_each(|child| mentions(child, found)),
        _ => {}
    }
}
