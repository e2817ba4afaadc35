//! A [CodeSystem](https://hl7.org/fhir/R4/codesystem.html) has the codes it says it has, each once, with properties of the
//! types it declares; a supplement adds to codes of its base only.

use std::collections::{HashMap, HashSet};

use super::{Judge, Subject, numbered};
use crate::issue::{IssueCode, Severity};
use crate::json::Value;
use crate::location::{Location, Segment};
use crate::rules::{format, quoted};

/// A system of more concepts than this is not counted by a message of its own; all are looked at.
const MANY: usize = 1000;

pub(super) fn judge(judge: &mut Judge<'_>, system: Subject<'_, '_>) {
    let text = |key| system.value.str_at(&[key]);
    let content = text("content");
    let supplements = text("supplements").filter(|base| !base.is_empty());
    kind(judge, system, content.as_deref(), supplements.is_some());
    let mut concepts =
        Concepts { codes: HashSet::new(), declared: declared(judge, system), base: supplements.as_deref() };
    let counted = concepts.check(judge, (system.value, system.location));
    let first = system.location.step(Segment::Child("concept"));
    if content.as_deref() == Some("not-present")
        && let Some((_, concept)) = numbered(system.value, "concept").next()
    {
        let at = first.step(Segment::Item(0));
        judge.error((concept, &at), IssueCode::Invalid, "The system says that it has no concepts here, and has some.");
    }
    count(judge, system, content.as_deref(), counted);
    whole_set(judge, system);
}

/// What a supplement is and is not.
fn kind(judge: &mut Judge<'_>, system: Subject<'_, '_>, content: Option<&str>, is_supplement: bool) {
    let mut told = |key: &str, severity, message: &str| {
        let step = system.location.step(Segment::Child(key));
        let value = system.value.get(key);
        let at = if value.is_some() { &step } else { system.location };
        judge.find((value.unwrap_or(system.value), at), severity, IssueCode::BusinessRule, message);
    };
    if is_supplement && content != Some("supplement") {
        told("content", Severity::Error, "A system that supplements another has the content 'supplement'.");
    }
    let is_hl7 = system.value.str_at(&["url"]).is_some_and(|url| url.contains("hl7.org") || url.contains("fhir.org"));
    if !is_supplement && content.is_none() && is_hl7 {
        told("content", Severity::Error, "HL7's code systems say how much of the system is here (content).");
    }
    if !is_supplement && content == Some("supplement") {
        told("content", Severity::Error, "A supplement says which system it supplements.");
    }
    if is_supplement && system.value.get("caseSensitive").is_some() {
        told("caseSensitive", Severity::Error, "This is for the system that is supplemented to say.");
    }
}

/// `count` is the number of concepts of a whole system, and more than there are in a part of one.
fn count(judge: &mut Judge<'_>, system: Subject<'_, '_>, content: Option<&str>, counted: usize) {
    let Some(value) = system.value.get("count") else { return };
    let Some(stated) = value.as_number().and_then(|number| number.parse::<usize>().ok()) else { return };
    let step = system.location.step(Segment::Child("count"));
    let at = (value, &step);
    match content {
        Some("complete") if stated != counted => {
            let message = format!("The system is complete with {counted} concepts, and says that it has {stated}.");
            judge.error(at, IssueCode::Invalid, message);
        }
        Some("example" | "fragment") if counted >= stated => {
            let message = format!("This is part of a system of {stated} concepts, and has {counted} of them.");
            judge.warning(at, IssueCode::Invalid, message);
        }
        _ => {}
    }
}

/// Code and type of each property; two of one code cannot be told apart.
fn declared(judge: &mut Judge<'_>, system: Subject<'_, '_>) -> HashMap<String, String> {
    let list = system.location.step(Segment::Child("property"));
    let (mut declared, mut uris) = (HashMap::new(), HashSet::new());
    for (index, property) in numbered(system.value, "property") {
        let step = list.step(Segment::Item(index));
        if let Some(uri) = property.str_at(&["uri"]) {
            if !format::is_absolute(&uri) {
                judge.error((property, &step), IssueCode::BusinessRule, "The URI of a property is absolute.");
            }
            if !uris.insert(uri.into_owned()) {
                judge.error(
                    (property, &step),
                    IssueCode::BusinessRule,
                    "A property with this URI is declared already.",
                );
            }
        }
        let (Some(code), Some(kind)) = (property.str_at(&["code"]), property.str_at(&["type"])) else { continue };
        if declared.contains_key(&*code) {
            judge.error((property, &step), IssueCode::BusinessRule, "A property with this code is declared already.");
        } else {
            declared.insert(code.into_owned(), kind.into_owned());
        }
    }
    declared
}

struct Concepts<'c> {
    codes: HashSet<String>,
    declared: HashMap<String, String>,
    base: Option<&'c str>,
}

impl Concepts<'_> {
    /// Checks the concepts below a value, and counts them.
    fn check(&mut self, judge: &mut Judge<'_>, (parent, location): (Value<'_>, &Location<'_>)) -> usize {
        let list = location.step(Segment::Child("concept"));
        let mut counted = 0;
        for (index, concept) in numbered(parent, "concept") {
            let step = list.step(Segment::Item(index));
            counted += 1;
            self.concept(judge, (concept, &step));
            counted += self.check(judge, (concept, &step));
        }
        counted
    }

    fn concept(&mut self, judge: &mut Judge<'_>, (concept, location): (Value<'_>, &Location<'_>)) {
        if let Some(code) = concept.str_at(&["code"]) {
            if !self.codes.insert(code.clone().into_owned()) {
                let message = format!("The code '{}' is defined already.", quoted(&code));
                judge.error((concept, location), IssueCode::BusinessRule, message);
            }
            let base = self.base.and_then(|base| judge.set.terminology().code_system(base, None));
            if base.is_some_and(|base| base.complete && base.find(&code).is_none()) && self.codes.len() <= MANY {
                let message = format!("The system that is supplemented has no code '{}'.", quoted(&code));
                judge.error((concept, location), IssueCode::BusinessRule, message);
            }
        }
        let list = location.step(Segment::Child("property"));
        for (index, property) in numbered(concept, "property") {
            self.property(judge, (property, &list.step(Segment::Item(index))));
        }
    }

    fn property(&self, judge: &mut Judge<'_>, at: (Value<'_>, &Location<'_>)) {
        let Some(code) = at.0.str_at(&["code"]) else { return };
        let key = at.0.children().find_map(|member| member.key()?.strip_prefix("value").map(str::to_owned));
        let code = quoted(&code);
        let Some(found) = key else {
            judge.error(at, IssueCode::BusinessRule, format!("The property '{code}' has no value."));
            return;
        };
        match self.declared.get(&*code) {
            Some(kind) if !kind.eq_ignore_ascii_case(&found) => {
                let message = format!("The property '{code}' is declared to be a {kind}, and has a value{found}.");
                judge.error(at, IssueCode::BusinessRule, message);
            }
            None if !super::filter::is_of_all_systems(&code) => {
                let message = format!("The property '{code}' is not declared, and nobody knows what it means.");
                judge.warning(at, IssueCode::BusinessRule, message);
            }
            _ => {}
        }
    }
}

/// `valueSet` names a set of all codes of the system, and of nothing else.
fn whole_set(judge: &mut Judge<'_>, system: Subject<'_, '_>) {
    let (Some(canonical), Some(url)) = (system.value.str_at(&["valueSet"]), system.value.str_at(&["url"])) else {
        return;
    };
    let Some(fault) = judge.set.terminology().fault_of_whole_set(&canonical, &url) else { return };
    judge.error((system.value, system.location), IssueCode::BusinessRule, fault);
}
