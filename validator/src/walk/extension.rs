//! The definition of an [extension](https://hl7.org/fhir/R4/extensibility.html) met in a document: found by its url, used
//! in the right element, and where its [context](https://hl7.org/fhir/R4/defining-extensions.html#context) allows.

use super::{Demands, Place, Walk, resource};
use crate::definition::Context;
use crate::fhirpath::{self, Expression, Item};
use crate::node::Element;
use crate::profile::Profile;
use crate::rules::{extension, format};

/// The element that holds extensions, and the one that holds those which change the meaning of what they are on.
const EXTENSIONS: &str = "extension";
const MODIFIERS: &str = "modifierExtension";

/// Whether extensions stand under this key.
pub(super) fn is_list(key: &str) -> bool {
    matches!(key, EXTENSIONS | MODIFIERS)
}

impl<'a> Walk<'a> {
    /// Adds what the definition of an extension demands. `place` is the extension, in the node that it extends.
    pub(super) fn add_extension(&mut self, place: Place<'_, 'a>, element: &'a Element, demands: &mut Demands<'a>) {
        let set = self.set;
        let Some(url) = place.value.str_at(&["url"]) else { return };
        let inside = place.node.ext_1.is_some();
        if !format::is_absolute(&url) {
            if inside {
                self.part(place, &url, demands);
            } else {
                self.report_found(place, extension::url(place.value));
            }
            return;
        }
        let is_modifier = &*element.name == MODIFIERS;
        let Some(definition) = set.profile(&url) else {
            // A part may have an absolute url as well; the definition around it knows.
            if !(inside && is_part(demands)) {
                let finding = extension::unknown(&url, is_modifier, self.options.unknown_extension);
                self.report_at(place, finding);
            }
            return;
        };
        if &*definition.type_name != "Extension" {
            self.report_at(place, extension::not_an_extension(&url));
            return;
        }
        if definition.is_modifier != is_modifier {
            self.report_at(place, extension::wrong_element(&url, definition.is_modifier));
        }
        if !definition.contexts.is_empty() && !self.allowed(place, definition) {
            let allowed: Vec<&str> = definition.contexts.iter().map(name).collect();
            // What is wrong is that the element has this extension.
            let on = place.location.parent.and_then(|list| list.parent).unwrap_or(place.location);
            self.report_at(Place { location: on, ..place }, extension::wrong_context(&url, &allowed.join(", ")));
        }
        resource::add(demands, &definition.root);
    }

    /// An extension named by a word, which the definition of the extension around it must have.
    fn part(&mut self, place: Place<'_, 'a>, url: &str, demands: &Demands<'a>) {
        // Nothing is known of the parts of an extension that has no definition.
        let is_known = demands.iter().any(|demand| demand.slicing.is_some());
        if is_known && !is_part(demands) {
            self.report_at(place, extension::unknown_part(url));
        }
    }

    /// The conditions in `FHIRPath` on where the extensions of an object may stand; `place` is the object.
    pub(super) fn extension_contexts(&mut self, place: Place<'_, 'a>) {
        for key in [EXTENSIONS, MODIFIERS] {
            if !place.node.slots.contains_key(key) {
                continue;
            }
            let Some(list) = place.value.get(key) else { continue };
            for extension in list.items() {
                let Some(url) = extension.str_at(&["url"]).filter(|url| format::is_absolute(url)) else { continue };
                let Some(definition) = self.set.profile(&url) else { continue };
                if !self.meets_conditions(place, definition) {
                    let finding = extension::wrong_context(&url, "where its conditions hold");
                    self.report(extension, place.location, Some(&definition.canonical), finding);
                }
            }
        }
    }

    fn meets_conditions(&self, place: Place<'_, 'a>, definition: &Profile) -> bool {
        let by_path = |context: &Context| matches!(context, Context::FhirPath(_));
        if definition.context_invariants.is_empty() && !definition.contexts.iter().any(by_path) {
            return true;
        }
        let context = fhirpath::Context::new(self.set).inside(self.nested);
        let focus = Item::of_node(place.value, place.node, self.resource.0);
        let holds = |text: &str| {
            let expression = Expression::parse(text).ok();
            // What cannot be read or evaluated is the fault of the definition.
            expression.is_none_or(|found| found.holds_at(&context, &focus, self.resource).unwrap_or(true))
        };
        let selected = |text: &str| {
            let found = Expression::parse(text).ok().and_then(|found| found.evaluate(&context, self.resource.0).ok());
            found.is_none_or(|items| items.iter().any(|item| item.is_value(place.value)))
        };
        let is_there = definition.contexts.iter().any(|context| match context {
            Context::Element(expected) => self.stands_on(place, expected),
            Context::Extension(_) => true,
            Context::FhirPath(text) => selected(text),
        });
        (is_there || definition.contexts.is_empty()) && definition.context_invariants.iter().all(|text| holds(text))
    }

    /// Whether one of the contexts of a definition is where the extension stands.
    fn allowed(&self, place: Place<'_, 'a>, definition: &Profile) -> bool {
        definition.contexts.iter().any(|context| match context {
            Context::Element(expected) => self.stands_on(place, expected),
            Context::Extension(url) => {
                // The extension around is the object that this one is a member of.
                place.node.ext_1.is_some() && self.around_is(place, url)
            }
            // Judged when the whole object has been seen.
            Context::FhirPath(_) => true,
        })
    }

    /// Whether the object that is extended is the element or type with this name.
    fn stands_on(&self, place: Place<'_, 'a>, expected: &str) -> bool {
        let set = self.set;
        let node = place.node;
        let plain = |path: &str| path.trim_end_matches("[x]") == expected.trim_end_matches("[x]");
        if expected == "Element" || plain(&node.name) || set.ancestors(&node.name).any(|ancestor| ancestor == expected)
        {
            return true;
        }
        let Some((outer, element)) = place.within else { return false };
        let at = |name: &str| {
            expected
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|rest| rest.trim_end_matches("[x]") == &*element.name)
        };
        at(&outer.name) || set.ancestors(&outer.name).any(at)
    }

    /// Whether the extension around this one has that url; a `#name` behind it names a part.
    fn around_is(&self, place: Place<'_, 'a>, url: &str) -> bool {
        let (url, part) = url.split_once('#').map_or((url, None), |(url, part)| (url, Some(part)));
        let expected = part.unwrap_or(url);
        self.around.last().is_some_and(|around| around.as_deref() == Some(expected)) || place.within.is_none()
    }
}

/// Whether the extension was found to be a slice of those around it.
fn is_part(demands: &Demands<'_>) -> bool {
    demands.iter().any(|demand| demand.label.rsplit('.').next().is_some_and(|last| last.contains(':')))
}

fn name(context: &Context) -> &str {
    match context {
        Context::Element(name) | Context::Extension(name) | Context::FhirPath(name) => name,
    }
}
