//! A [StructureDefinition](https://hl7.org/fhir/R4/structuredefinition.html) starts from something of its kind, and what its
//! differential says is about elements that exist, in their order, and of types that can bear it.

use std::collections::HashMap;

use super::{Judge, Subject, numbered};
use crate::definition::{Derivation, ElementDefinition, Max, StructureDefinition};
use crate::fhirpath::Expression;
use crate::issue::IssueCode;
use crate::json::Value;
use crate::location::{Location, Segment};
use crate::rules::quoted;
use crate::snapshot::BASE;

/// Most elements of a differential that is looked through; the longest published ones have some hundreds.
const MOST: usize = 5_000;

/// The expression of each key of a constraint, the first one, and whether another had the key with another expression.
type Keys = HashMap<String, (String, bool)>;

/// Types whose values come from a value set.
const BINDABLE: [&str; 6] = ["code", "Coding", "CodeableConcept", "Quantity", "string", "uri"];
/// Types whose values are more or less than others.
const RANGED: [&str; 9] =
    ["date", "dateTime", "instant", "time", "decimal", "integer", "positiveInt", "unsignedInt", "Quantity"];
/// Types whose values have a length.
const LONG: [&str; 10] = ["string", "markdown", "code", "id", "uri", "url", "canonical", "oid", "uuid", "base64Binary"];
/// Types whose values lead to a resource.
const LEADING: [&str; 2] = ["Reference", "canonical"];

pub(super) fn judge(judge: &mut Judge<'_>, subject: Subject<'_, '_>) {
    let Subject { value, location, .. } = subject;
    contexts(judge, subject);
    let text = |key| value.str_at(&[key]);
    let is_constraint = text("derivation").as_deref() == Some("constraint");
    let type_name = text("type").unwrap_or_default();
    let base = text("baseDefinition");
    let known = base.as_deref().and_then(|base| judge.set.definition(base));
    if let (Some(base), None) = (&base, known) {
        let message = format!("{} is not loaded, so the differential cannot be checked.", crate::rules::url(base));
        judge.warning((value, location), IssueCode::NotFound, message);
    }
    if let Some(base) = known {
        starts(judge, subject, base, is_constraint, &type_name);
        if let Ok(definition) = StructureDefinition::read(value) {
            snapshot(judge, subject, &definition);
        }
    }
    let published = format!("{BASE}{type_name}");
    let is_own = text("url").as_deref() == Some(&*published);
    if !is_constraint && !is_own && judge.set.definition(&published).is_some() {
        let step = location.step(Segment::Child("type"));
        let message = format!("{} is a type of FHIR: another definition may only narrow it.", quoted(&type_name));
        judge.error((value.get("type").unwrap_or(value), &step), IssueCode::Invalid, message);
    }
    let of_extensions = base.as_deref() == Some("http://hl7.org/fhir/StructureDefinition/Extension");
    if let (true, Some(url)) = (of_extensions && type_name == "Extension", text("url")) {
        extension_url(judge, subject, &url);
    }
    let step = location.step(Segment::Child("differential"));
    let list = step.step(Segment::Child("element"));
    let mut keys = Keys::new();
    for (index, element) in value.get("differential").into_iter().flat_map(|found| numbered(found, "element")) {
        self::element(judge, (element, &list.step(Segment::Item(index))), &type_name, &mut keys);
    }
}

/// What it says of the definition that it starts from.
fn starts(
    judge: &mut Judge<'_>,
    subject: Subject<'_, '_>,
    base: &StructureDefinition,
    is_constraint: bool,
    type_name: &str,
) {
    let at = (subject.value, subject.location);
    let mut wrong = |message: String| judge.error(at, IssueCode::NotFound, message);
    if subject.value.get("derivation").is_none() {
        wrong("A definition that starts from another says whether it narrows it or makes a new type of it.".to_owned());
        return;
    }
    let kind = subject.value.str_at(&["kind"]);
    if !base.is_abstract && kind.as_deref().is_some_and(|kind| kind != base.kind.as_str()) {
        wrong(format!("It starts from a definition of another kind ({}).", base.kind.as_str()));
    }
    if is_constraint && type_name != base.type_name {
        wrong(format!("It narrows {}, so that is its type.", base.type_name));
    }
    if !is_constraint && type_name == base.type_name {
        wrong(format!("It makes a new type of {}, so its type has another name.", base.type_name));
    }
}

/// Whether a snapshot comes out of it, and everything it says is in there.
fn snapshot(judge: &mut Judge<'_>, subject: Subject<'_, '_>, definition: &StructureDefinition) {
    if definition.derivation != Derivation::Constraint || definition.elements.is_empty() {
        return;
    }
    let whole = (subject.value, subject.location);
    if definition.elements.len() > MOST {
        let message = format!("A differential of more than {MOST} elements takes too long to look through.");
        judge.error(whole, IssueCode::TooCostly, message);
        return;
    }
    let root = |path: &str| !path.contains('.');
    cardinalities(judge, subject, definition);
    let any = |is: &dyn Fn(&ElementDefinition) -> bool| definition.elements.iter().any(is);
    let set = judge.set;
    let base = definition.base.as_deref().and_then(|base| set.definition(base));
    let reasons = [
        (any(&|element| element.path.split('.').any(str::is_empty)), "a path has an empty part"),
        (any(&|element| element.path.split('.').next() != Some(&definition.type_name)), "a path is of another type"),
        (any(&|element| root(&element.path) && element.slicing.is_some()), "the root cannot be sliced"),
        (
            any(&|element| element.slicing.is_some() && set.repeats(&element.path) == Some(false)),
            "an element is sliced that neither repeats nor has a choice of types",
        ),
        (
            any(&|element| set.has_other_type(element)),
            "an element is of a type that what this starts from does not allow",
        ),
        (
            base.is_some_and(|base| base.type_name != definition.type_name),
            "it is of another type than what it starts from",
        ),
    ];
    if let Some((_, why)) = reasons.iter().find(|(is, _)| *is) {
        judge.error(whole, IssueCode::Exception, format!("No snapshot can be made: {why}."));
        return;
    }
    let mut problems = match judge.set.problems_of(definition) {
        Ok(problems) => problems,
        Err(why) => {
            judge.error(whole, IssueCode::Exception, format!("No snapshot can be made: {why}."));
            return;
        }
    };
    problems.extend(out_of_order(judge, definition));
    let step = subject.location.step(Segment::Child("differential"));
    let list = step.step(Segment::Child("element"));
    for (index, problem) in &problems {
        let element = subject.value.get("differential").and_then(|found| numbered(found, "element").nth(*index));
        let item = list.step(Segment::Item(*index));
        let value = element.map_or(subject.value, |(_, element)| element);
        judge.error((value, &item), IssueCode::Value, format!("This says nothing about any element: {problem}."));
    }
    if !problems.is_empty() {
        let message = format!("{} elements of the differential are about no element there is.", problems.len());
        judge.error(whole, IssueCode::Value, message);
    }
}

/// A definition allows no more than what it starts from.
fn cardinalities(judge: &mut Judge<'_>, subject: Subject<'_, '_>, definition: &StructureDefinition) {
    let elements =
        definition.elements.iter().filter(|element| element.slice_name.is_none() && !element.id.contains(':'));
    for element in elements {
        let Some((min, max)) = judge.set.cardinality(&element.path) else { continue };
        let more = matches!((element.max, max), (Some(Max::Count(own)), Max::Count(most)) if own > most)
            || matches!((element.max, max), (Some(Max::Many), Max::Count(_)));
        let fewer = element.min.is_some_and(|own| own < min);
        if more || fewer {
            let message = format!("{} may not appear more or less often than in what this starts from.", element.path);
            judge.error((subject.value, subject.location), IssueCode::BusinessRule, message);
        }
    }
}

/// Elements that stand before one that comes before them in the type.
fn out_of_order(judge: &Judge<'_>, definition: &StructureDefinition) -> Vec<(usize, String)> {
    // From the end: for each parent, the element met so far that comes first in the type.
    let mut first: HashMap<&str, (u8, &str)> = HashMap::new();
    let mut found = Vec::new();
    for (index, element) in
        definition.elements.iter().enumerate().rev().filter(|(_, element)| !element.id.contains(':'))
    {
        let Some(place) = judge.set.place_of(&element.path) else { continue };
        let parent = element.path.rsplit_once('.').map_or("", |(parent, _)| parent);
        match first.get(parent) {
            Some((before, other)) if *before < place => {
                found.push((index, format!("{other} comes before it in the type")));
            }
            _ => _ = first.insert(parent, (place, &element.path)),
        }
    }
    found.reverse();
    found
}

/// An extension is told by the url that its definition fixes.
fn extension_url(judge: &mut Judge<'_>, subject: Subject<'_, '_>, url: &str) {
    let elements = subject.value.get("differential").into_iter().flat_map(|found| numbered(found, "element"));
    let mut urls = elements.filter(|(_, element)| element.str_at(&["path"]).as_deref() == Some("Extension.url"));
    let fixed = urls.next().and_then(|(_, element)| element.str_at(&["fixedUri"]));
    if subject.value.get("differential").is_some() && fixed.as_deref() != Some(url) {
        let message = "The definition of an extension fixes Extension.url to its own url.";
        judge.error((subject.value, subject.location), IssueCode::Invalid, message);
    }
}

/// Where an extension may stand; nothing else has such places.
fn contexts(judge: &mut Judge<'_>, subject: Subject<'_, '_>) {
    let is_extension = subject.value.str_at(&["type"]).as_deref() == Some("Extension");
    let list = subject.location.step(Segment::Child("context"));
    for (index, context) in numbered(subject.value, "context") {
        let step = list.step(Segment::Item(index));
        if !is_extension {
            judge.error((context, &step), IssueCode::Invalid, "Only the definition of an extension has a context.");
            continue;
        }
        let is_element = context.str_at(&["type"]).as_deref() == Some("element");
        let Some(expression) = context.str_at(&["expression"]).filter(|_| is_element) else { continue };
        if expression == "Element" {
            let message = "The extension may stand on any element, which is seldom what is meant.";
            judge.warning((context, &step), IssueCode::BusinessRule, message);
        } else if !judge.set.has_path(&expression) {
            let message = format!("There is no element '{}' for the extension to stand on.", quoted(&expression));
            judge.error((context, &step), IssueCode::Invalid, message);
        }
    }
}

/// One element of a differential.
fn element(judge: &mut Judge<'_>, at: (Value<'_>, &Location<'_>), type_name: &str, keys: &mut Keys) {
    let (value, location) = at;
    let Some(path) = value.str_at(&["path"]) else { return };
    let (root, rest) = path.split_once('.').map_or((&*path, None), |(root, rest)| (root, Some(rest)));
    let name = type_name.rsplit('/').next().unwrap_or(type_name);
    if root != name && !name.is_empty() {
        let message = format!("Paths begin with the type of the definition, {}.", quoted(name));
        judge.error(at, IssueCode::NotFound, message);
    }
    if value.get("slicing").is_some() {
        if rest.is_none() {
            judge.error(at, IssueCode::Invalid, "The root of a definition cannot be sliced.");
        } else if judge.set.repeats(&path) == Some(false) {
            let step = location.step(Segment::Child("slicing"));
            let message = "An element that neither repeats nor has a choice of types cannot be sliced.";
            judge.error((value.get("slicing").unwrap_or(value), &step), IssueCode::NotFound, message);
        }
    }
    types(judge, at, rest.is_none().then_some(root));
    let list = location.step(Segment::Child("constraint"));
    for (index, constraint) in numbered(value, "constraint") {
        let Some(expression) = constraint.str_at(&["expression"]) else { continue };
        let key = constraint.str_at(&["key"]).unwrap_or_default();
        let step = list.step(Segment::Item(index));
        let (first, differ) = keys.entry(key.clone().into_owned()).or_insert_with(|| (expression.to_string(), false));
        *differ |= *first != *expression;
        if *differ || judge.set.constraint(&path, &key).is_some_and(|other| other != expression) {
            let message = format!("The key '{}' is that of another constraint already.", quoted(&key));
            judge.error((constraint, &step), IssueCode::Invalid, message);
        }
        if let Err(error) = Expression::parse(&expression) {
            let message = format!("The constraint cannot be checked: {error}.");
            judge.warning((constraint, &step), IssueCode::Invalid, message);
        }
    }
}

/// What is said of an element is of a kind that its types can bear.
fn types(judge: &mut Judge<'_>, at: (Value<'_>, &Location<'_>), root: Option<&str>) {
    let value = at.0;
    let listed = numbered(value, "type").filter_map(|(_, found)| found.str_at(&["code"])).map(String::from);
    let codes: Vec<String> = root.map(str::to_owned).into_iter().chain(listed).collect();
    if codes.is_empty() || codes.iter().any(|code| code.contains('/')) {
        return;
    }
    let member = |key: &str| {
        value.children().any(|member| {
            member.key().is_some_and(|found| found == key || (key.ends_with("Value") && found.starts_with(key)))
        })
    };
    for (key, able) in [("binding", &BINDABLE[..]), ("maxLength", &LONG), ("minValue", &RANGED), ("maxValue", &RANGED)]
    {
        if member(key) && !codes.iter().any(|code| able.contains(&code.as_str())) {
            let message = format!("An element of the type {} has no {key}.", codes.join(" or "));
            judge.error(at, IssueCode::BusinessRule, message);
        }
    }
    let list = at.1.step(Segment::Child("type"));
    for (index, found) in numbered(value, "type") {
        let code = found.str_at(&["code"]).unwrap_or_default();
        if found.get("targetProfile").is_some() && !LEADING.contains(&&*code) {
            let message = format!("A {} leads to no target, so it has no targetProfile.", quoted(&code));
            judge.error(at, IssueCode::BusinessRule, message.clone());
            let step = list.step(Segment::Item(index));
            let targets = step.step(Segment::Child("targetProfile"));
            judge.error((found, &targets.step(Segment::Item(0))), IssueCode::Exception, message);
        }
    }
}
