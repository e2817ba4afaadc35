//! A [ConceptMap](https://hl7.org/fhir/R4/conceptmap.html) leads from codes of its source to codes of its target, as far as
//! these are known here.

use super::{Judge, Subject, numbered};
use crate::issue::IssueCode;
use crate::json::Value;
use crate::location::{Location, Segment};
use crate::rules::quoted;
use crate::value_set::Membership;

/// One side of a group: a code system, and the value set that the map is for.
struct Side<'g> {
    name: &'static str,
    system: Option<&'g str>,
    version: Option<&'g str>,
    scope: Option<&'g str>,
}

pub(super) fn judge(judge: &mut Judge<'_>, map: Subject<'_, '_>) {
    let scope = |name: &str| {
        ["Canonical", "Uri"].iter().find_map(|end| map.value.str_at(&[&format!("{name}{end}")])).map(String::from)
    };
    let (source, target) = (scope("source"), scope("target"));
    let list = map.location.step(Segment::Child("group"));
    for (index, group) in numbered(map.value, "group") {
        let step = list.step(Segment::Item(index));
        let text = |key| group.str_at(&[key]);
        let (from, to) = (text("source"), text("target"));
        let (from_version, to_version) = (text("sourceVersion"), text("targetVersion"));
        let side = |name, system, version, scope| Side { name, system, version, scope };
        let source = side("source", from.as_deref(), from_version.as_deref(), source.as_deref());
        let target = side("target", to.as_deref(), to_version.as_deref(), target.as_deref());
        for side in [&source, &target] {
            if side.system.is_none() {
                let message = format!("The group names no {} system, so its codes mean nothing.", side.name);
                judge.warning((group, &step), IssueCode::Required, message);
            }
        }
        let elements = step.step(Segment::Child("element"));
        for (index, element) in numbered(group, "element") {
            let step = elements.step(Segment::Item(index));
            code(judge, &source, (element, &step));
            let targets = step.step(Segment::Child("target"));
            for (index, mapped) in numbered(element, "target") {
                code(judge, &target, (mapped, &targets.step(Segment::Item(index))));
            }
        }
    }
}

/// The code of an element or target.
fn code(judge: &mut Judge<'_>, side: &Side<'_>, (value, location): (Value<'_>, &Location<'_>)) {
    let (Some(code), Some(system)) = (value.str_at(&["code"]), side.system) else { return };
    let step = location.step(Segment::Child("code"));
    let at = (value.get("code").unwrap_or(value), &step);
    let known = judge.set.terminology().code_system(system, side.version);
    let complete = known.filter(|known| known.complete);
    if complete.is_some_and(|known| known.find(&code).is_none()) {
        let message = format!("The {} system has no code '{}'.", side.name, quoted(&code));
        judge.error(at, IssueCode::Required, message);
        return;
    }
    let scope = side.scope.and_then(|canonical| judge.set.value_set_named(canonical));
    if scope.is_some_and(|scope| scope.contains(system, &code) == Membership::Out) {
        let message = format!("The code '{}' is not in the {} value set of the map.", quoted(&code), side.name);
        judge.error(at, IssueCode::Required, message);
        return;
    }
    let Some(display) = value.str_at(&["display"]) else { return };
    let concept = known.and_then(|known| known.find(&code));
    if concept.is_some_and(|concept| {
        let same = |known: &str| known.eq_ignore_ascii_case(&display);
        !concept.displays.is_empty() && !concept.displays.iter().any(|known| same(known))
    }) {
        let step = location.step(Segment::Child("display"));
        let message = format!("The display is not that of the code '{}'.", quoted(&code));
        judge.warning((value.get("display").unwrap_or(value), &step), IssueCode::Required, message);
    }
}
