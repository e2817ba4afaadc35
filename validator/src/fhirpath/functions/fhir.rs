//! FHIR's own functions ([FHIRPath in FHIR](https://hl7.org/fhir/R4/fhirpath.html#functions)).

use super::{Call, Function, boolean, maybe};
use crate::fhirpath::Collection;
use crate::fhirpath::evaluate::Outcome;
use crate::fhirpath::functions::types::is_a;
use crate::fhirpath::item::{Inner, Item};
use crate::issue::Severity;
use crate::json::{Document, Value};
use crate::options::Options;

/// Validations inside each other that `conformsTo` begins: profiles that ask about themselves have no end.
const DEEPEST: u8 = 3;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("extension", extension),
    Function::new("resolve", resolve),
    Function::new("memberOf", member_of),
    Function::new("conformsTo", conforms_to),
    Function::new("checkModifiers", check_modifiers),
    Function::new("htmlChecks", |call| html(call, crate::rules::narrative::is_safe)),
    Function::new("htmlChecks2", |call| html(call, crate::rules::narrative::has_content)),
    Function::new("subsumes", subsumes),
    Function::new("subsumedBy", subsumes),
];

fn children<'d>(call: &Call<'_, '_, 'd>, of: &Item<'d>, name: &str) -> Collection<'d> {
    let mut found = Vec::new();
    of.children_named(call.evaluator.set(), name, &mut found);
    found
}

fn extension<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 1)?;
    let Some(url) = call.text_argument(0)? else { return Ok(Vec::new()) };
    let extensions = call.input.iter().flat_map(|item| children(call, item, "extension"));
    let has_url = |extension: &Item<'d>| {
        let value = extension.as_element().and_then(|element| element.value);
        value.and_then(|value| value.str_at(&["url"])).is_some_and(|found| *found == *url)
    };
    Ok(extensions.filter(has_url).collect())
}

/// What references mean: something contained, an entry of the Bundle around, or what the caller knows.
fn resolve<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(0, 0)?;
    let mut found = Vec::new();
    for item in &call.input {
        let reference = match item.as_text() {
            Some(text) => Some(text),
            None => item.as_element().and_then(|element| element.value).and_then(|value| value.str_at(&["reference"])),
        };
        let Some(reference) = reference else { continue };
        let resource = item.as_element().and_then(|element| element.resource);
        if let Some(target) = call.evaluator.target(&reference, resource) {
            found.push(Item::resource(call.evaluator.set(), target));
        }
    }
    Ok(found)
}

/// Whether a code is in a value set; nothing when nobody can tell.
fn member_of<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 1)?;
    let Some((item, value_set)) = call.one()?.zip(call.text_argument(0)?) else { return Ok(Vec::new()) };
    let terminology = call.evaluator.set().terminology();
    let ask = |value_set: &str, system: Option<&str>, code: &str| match call.evaluator.context.member_of {
        Some(ask) => ask(value_set, system, code),
        None => terminology.member_of(value_set, system, code),
    };
    let coding = |value: Value<'d>| {
        let (system, code) = (value.str_at(&["system"]), value.str_at(&["code"])?);
        ask(&value_set, system.as_deref(), &code)
    };
    if let Some(code) = item.as_text() {
        return maybe(ask(&value_set, None, &code).map(Inner::Boolean));
    }
    let Some(value) = item.as_element().and_then(|element| element.value) else { return Ok(Vec::new()) };
    let answers: Vec<Option<bool>> = match value.get("coding") {
        Some(codings) => codings.items().map(coding).collect(),
        None => vec![coding(value)],
    };
    let answer = if answers.contains(&Some(true)) {
        Some(true)
    } else if answers.contains(&None) {
        None
    } else {
        Some(false)
    };
    maybe(answer.map(Inner::Boolean))
}

fn conforms_to<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 1)?;
    let Some((item, profile)) = call.one()?.zip(call.text_argument(0)?) else { return Ok(Vec::new()) };
    let set = call.evaluator.set();
    if let Some(name) = profile.strip_prefix(crate::snapshot::BASE)
        && set.type_node(name).is_some()
        && !is_a(set, item.type_name(), name)
    {
        return boolean(false);
    }
    if !set.has_profile(&profile) {
        return call.fail("there is no profile of this name here");
    }
    let Some(value) = item.as_element().and_then(|element| element.value) else { return boolean(false) };
    let Ok(document) = Document::read(value.raw().as_bytes()) else { return boolean(false) };
    let options = Options { profiles: vec![profile], ..Options::default() };
    let nested = call.evaluator.context.nested;
    if nested >= DEEPEST {
        return call.fail(format!("'{}' asks again and again whether something conforms", call.name));
    }
    let issues = set.validate_within(&document, &options, nested + 1);
    boolean(!issues.iter().any(|issue| matches!(issue.severity, Severity::Error | Severity::Fatal)))
}

/// Whether no modifier extension stands there but those named.
fn check_modifiers<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    let mut known = Vec::new();
    for number in 0..call.arguments.len() {
        known.extend(call.text_argument(number)?);
    }
    let modifiers = call.input.iter().flat_map(|item| children(call, item, "modifierExtension"));
    let url = |extension: Item<'d>| {
        let value = extension.as_element().and_then(|element| element.value);
        value.and_then(|value| value.str_at(&["url"])).map(std::borrow::Cow::into_owned)
    };
    boolean(modifiers.map(url).all(|url| url.is_some_and(|url| known.contains(&url))))
}

fn html<'d>(call: &Call<'_, '_, 'd>, check: fn(&str) -> bool) -> Outcome<'d> {
    call.takes(0, 0)?;
    call.text()?.map_or_else(|| Ok(Vec::new()), |text| boolean(check(&text)))
}

/// A code subsumes itself; more would have to be asked of a terminology server.
fn subsumes<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 1)?;
    let other = call.argument(0)?;
    let (Some(own), Some(other)) = (call.one()?, crate::fhirpath::operators::single(&other, call.at)?) else {
        return Ok(Vec::new());
    };
    let coding = |item: &Item<'d>| {
        let value = item.as_element().and_then(|element| element.value)?;
        let value = value.get("coding").and_then(|codings| codings.items().next()).unwrap_or(value);
        Some((value.str_at(&["system"])?, value.str_at(&["code"])?))
    };
    let same = coding(own).zip(coding(other)).is_some_and(|(own, other)| own == other);
    maybe(same.then_some(Inner::Boolean(true)))
}
