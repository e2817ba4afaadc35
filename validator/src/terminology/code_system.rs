//! A [CodeSystem](https://hl7.org/fhir/R4/codesystem.html) with its hierarchy: nested concepts, and the properties
//! `parent` and `subsumedBy` for a concept that has several parents.

use rustc_hash::{FxHashMap, FxHashSet};

use super::items;
use crate::json::Value;

/// Properties that name a concept above, as FHIR and HL7 Version 3 call them.
const ABOVE: [&str; 2] = ["parent", "subsumedBy"];

/// A concept and what is said of it.
#[derive(Debug, Default)]
pub(crate) struct Concept {
    pub(crate) code: Box<str>,
    /// The display, then those of its designations.
    pub(crate) displays: Vec<Box<str>>,
    /// The codes directly above.
    pub(super) parents: Vec<Box<str>>,
    pub(crate) properties: Vec<(Box<str>, Box<str>)>,
}

impl Concept {
    /// It should not be used any more.
    pub(crate) fn is_inactive(&self) -> bool {
        self.properties.iter().any(|(name, value)| {
            (&**name == "inactive" && &**value == "true") || (&**name == "status" && &**value == "retired")
        })
    }
}

#[derive(Debug, Default)]
pub(crate) struct CodeSystem {
    /// It has all the codes there are.
    pub(crate) complete: bool,
    /// A group of LOINC's codes is not here.
    without_loinc: bool,
    /// Capital and small letters are the same.
    pub(crate) any_case: bool,
    /// It only adds to the system with this canonical, and is none itself.
    pub(crate) supplements: Option<Box<str>>,
    pub(crate) concepts: Vec<Concept>,
    by_code: FxHashMap<Box<str>, usize>,
    /// The properties it says its concepts may have, and their types.
    declared: FxHashMap<Box<str>, Box<str>>,
}

impl CodeSystem {
    pub(super) fn read(system: Value<'_>) -> Self {
        let content = system.str_at(&["content"]);
        let supplements = system.str_at(&["supplements"]).map(|canonical| (*canonical).into());
        let mut read = Self {
            // A pack holds complete systems only, and does not say so.
            complete: content.as_deref().is_none_or(|content| content == "complete") && supplements.is_none(),
            without_loinc: system.get("leftOut").is_some(),
            any_case: system.get("caseSensitive").and_then(Value::as_bool) == Some(false),
            supplements,
            declared: items(system, "property")
                .filter_map(|found| Some((boxed(found, "code")?, boxed(found, "type").unwrap_or_default())))
                .collect(),
            ..Self::default()
        };
        read.add_below(system, None);
        read.by_code = read.concepts.iter().enumerate().map(|(at, concept)| (read.key(&concept.code), at)).collect();
        read
    }

    fn add_below(&mut self, parent: Value<'_>, above: Option<&str>) {
        for concept in items(parent, "concept") {
            let Some(code) = boxed(concept, "code") else { continue };
            let designations = items(concept, "designation").filter_map(|found| boxed(found, "value"));
            let properties: Vec<_> = items(concept, "property").filter_map(property).collect();
            let named = properties.iter().filter(|(name, _)| ABOVE.contains(&&**name)).map(|(_, value)| value.clone());
            self.concepts.push(Concept {
                displays: boxed(concept, "display").into_iter().chain(designations).collect(),
                parents: above.map(Box::from).into_iter().chain(named).collect(),
                properties,
                code: code.clone(),
            });
            self.add_below(concept, Some(&code));
        }
    }

    /// A code as it is held in sets.
    pub(super) fn key(&self, code: &str) -> Box<str> {
        if self.any_case { code.to_lowercase().into() } else { code.into() }
    }

    pub(crate) fn find(&self, code: &str) -> Option<&Concept> {
        let found = self.by_code.get(code).or_else(|| {
            let folded = self.any_case.then(|| code.to_lowercase())?;
            self.by_code.get(&*folded)
        });
        found.map(|at| &self.concepts[*at])
    }

    /// Whether this is the form of codes that a pack leaves out of the system: LOINC's.
    pub(crate) fn leaves_out(&self, code: &str) -> bool {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        self.without_loinc && code.split_once('-').is_some_and(|(number, check)| is_number(number) && is_number(check))
    }

    /// Whether a concept is below another, however far.
    pub(super) fn is_below(&self, concept: &Concept, above: &str) -> bool {
        let mut pending: Vec<&str> = concept.parents.iter().map(|code| &**code).collect();
        let mut seen = FxHashSet::default();
        while let Some(code) = pending.pop() {
            if code == above {
                return true;
            }
            if seen.insert(code) {
                pending.extend(self.find(code).into_iter().flat_map(|found| &found.parents).map(|code| &**code));
            }
        }
        false
    }

    /// Whether this property is known here: declared, and not left out of a pack.
    pub(super) fn declares(&self, name: &str) -> bool {
        self.declared.contains_key(name)
    }

    /// The type that the system declares a property to have.
    pub(crate) fn property_type(&self, name: &str) -> Option<&str> {
        self.declared.get(name).map(|kind| &**kind)
    }
}

fn property(property: Value<'_>) -> Option<(Box<str>, Box<str>)> {
    let name = boxed(property, "code")?;
    let value = property.children().find(|member| member.key().is_some_and(|key| key.starts_with("value")))?;
    // Of a Coding, its code; of a number or a boolean, as it is written.
    let text = value.str_at(&["code"]).or_else(|| value.as_str());
    Some((name, text.as_deref().unwrap_or_else(|| value.raw()).into()))
}

fn boxed(object: Value<'_>, key: &str) -> Option<Box<str>> {
    object.str_at(&[key]).map(|text| (*text).into())
}
