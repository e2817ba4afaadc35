//! Resources that are judged as a whole, by rules which `StructureDefinition`s do not state: a
//! [Bundle](https://hl7.org/fhir/R4/bundle.html) of each type, and the conformance resources that others are judged by.
//! The walk asks once for each resource, after its elements.

pub(crate) mod bundle;
mod code_system;
mod concept_map;
mod ecl;
mod filter;
mod implementation_guide;
mod questionnaire;
mod search_parameter;
mod structure_definition;
mod value_set;

use crate::issue::{IssueCode, Severity};
use crate::json::Value;
use crate::location::{Location, Segment};
use crate::profile_set::ProfileSet;
use crate::rules::{Finding, Rule, format};

/// Where findings go.
type Sink<'s> = &'s mut dyn FnMut(Value<'_>, &Location<'_>, Finding);

/// What a judgement needs to know, and takes its findings.
pub(crate) struct Judge<'s> {
    pub(crate) set: &'s ProfileSet,
    rule: Rule,
    sink: Sink<'s>,
}

/// A resource with the place it stands at.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'p, 'a> {
    pub(crate) value: Value<'a>,
    pub(crate) location: &'p Location<'p>,
}

/// Judges a resource of this type as a whole.
pub(crate) fn judge(type_name: &str, subject: Subject<'_, '_>, set: &ProfileSet, sink: Sink<'_>) {
    let mut judge = Judge { set, rule: Rule::Conformance, sink };
    canonical_url(&mut judge, type_name, subject);
    match type_name {
        "Bundle" => {
            judge.rule = Rule::Bundle;
            bundle::judge(&mut judge, subject);
        }
        "CodeSystem" => code_system::judge(&mut judge, subject),
        "ConceptMap" => concept_map::judge(&mut judge, subject),
        "ImplementationGuide" => implementation_guide::judge(&mut judge, subject),
        "SearchParameter" => search_parameter::judge(&mut judge, subject),
        "Questionnaire" => questionnaire::judge(&mut judge, subject),
        "StructureDefinition" => structure_definition::judge(&mut judge, subject),
        "ValueSet" => value_set::judge(&mut judge, subject),
        _ => {}
    }
}

/// The url that others name a conformance resource by is absolute.
fn canonical_url(judge: &mut Judge<'_>, type_name: &str, subject: Subject<'_, '_>) {
    let Some(url) = subject.value.get("url") else { return };
    let is_relative =
        url.as_str().is_some_and(|url| !url.is_empty() && !format::is_absolute(&url) && !url.starts_with('#'));
    if is_relative && judge.set.has_path(&format!("{type_name}.status")) {
        let step = subject.location.step(Segment::Child("url"));
        judge.error((url, &step), IssueCode::Invalid, "The canonical url of a resource is absolute.");
    }
}

impl Judge<'_> {
    pub(crate) fn error(&mut self, at: (Value<'_>, &Location<'_>), code: IssueCode, message: impl Into<String>) {
        self.find(at, Severity::Error, code, message);
    }

    pub(crate) fn warning(&mut self, at: (Value<'_>, &Location<'_>), code: IssueCode, message: impl Into<String>) {
        self.find(at, Severity::Warning, code, message);
    }

    pub(crate) fn find(
        &mut self,
        (value, location): (Value<'_>, &Location<'_>),
        severity: Severity,
        code: IssueCode,
        message: impl Into<String>,
    ) {
        let finding = Finding { severity, ..Finding::error(self.rule, code, message) };
        (self.sink)(value, location, finding);
    }
}

/// The items of a repeating element with their number; a value that is no array has none.
pub(crate) fn numbered<'a>(value: Value<'a>, key: &str) -> impl Iterator<Item = (usize, Value<'a>)> {
    value.get(key).into_iter().flat_map(Value::items).enumerate()
}
