//! A [Questionnaire](https://hl7.org/fhir/R4/questionnaire.html) asks for what comes before: an item is enabled by another
//! that exists, and stands neither in it nor is itself.

use super::{Judge, Subject, numbered};
use crate::issue::IssueCode;
use crate::json::Value;
use crate::location::{Location, Segment};
use crate::rules::quoted;

pub(super) fn judge(judge: &mut Judge<'_>, form: Subject<'_, '_>) {
    let mut order = Vec::new();
    collect(form.value, &mut order);
    items(judge, (form.value, form.location), &order);
}

/// The linkIds in the order of the items.
fn collect(parent: Value<'_>, order: &mut Vec<String>) {
    for (_, item) in numbered(parent, "item") {
        order.push(item.str_at(&["linkId"]).unwrap_or_default().into_owned());
        collect(item, order);
    }
}

fn items(judge: &mut Judge<'_>, (parent, location): (Value<'_>, &Location<'_>), order: &[String]) {
    let list = location.step(Segment::Child("item"));
    for (index, item) in numbered(parent, "item") {
        let step = list.step(Segment::Item(index));
        for (_, condition) in numbered(item, "enableWhen") {
            enabled(judge, (item, &step), condition, order);
        }
        items(judge, (item, &step), order);
    }
}

fn enabled(judge: &mut Judge<'_>, at: (Value<'_>, &Location<'_>), condition: Value<'_>, order: &[String]) {
    let Some(question) = condition.str_at(&["question"]) else {
        judge.error(at, IssueCode::BusinessRule, "The condition names no question.");
        return;
    };
    let own = at.0.str_at(&["linkId"]).unwrap_or_default();
    let mut inside = Vec::new();
    collect(at.0, &mut inside);
    let place = |link: &str| order.iter().position(|known| known == link);
    if inside.iter().any(|link| *link == *question) {
        judge.error(
            at,
            IssueCode::BusinessRule,
            "The item is enabled by an item inside it, which cannot be answered before.",
        );
    } else if own == question {
        judge.error(at, IssueCode::BusinessRule, "The item is enabled by itself.");
    } else if place(&question).is_none() {
        let message = format!("There is no question '{}' to enable the item.", quoted(&question));
        judge.error(at, IssueCode::BusinessRule, message);
    } else if place(&question) > place(&own) {
        let message = format!("The question '{}' that enables the item comes after it.", quoted(&question));
        judge.warning(at, IssueCode::BusinessRule, message);
    }
}
