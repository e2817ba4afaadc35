//! A [Questionnaire](https://hl7.org/fhir/R4/questionnaire.html) asks for what comes before: an item is enabled by another
//! that exists, and stands neither in it nor is itself.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::{Judge, Subject, numbered};
use crate::issue::IssueCode;
use crate::json::Value;
use crate::location::{Location, Segment};
use crate::rules::quoted;

pub(super) fn judge(judge: &mut Judge<'_>, form: Subject<'_, '_>) {
    let (mut order, mut count) = (HashMap::new(), 0);
    collect(form.value, &mut order, &mut count);
    items(judge, (form.value, form.location), &order, &mut 0);
}

/// The place of each linkId in the order of the items, each before those in it; of two with one linkId, the first.
type Order<'d> = HashMap<Cow<'d, str>, usize>;

fn collect<'d>(parent: Value<'d>, order: &mut Order<'d>, count: &mut usize) {
    for (_, item) in numbered(parent, "item") {
        if let Some(link) = item.str_at(&["linkId"]) {
            order.entry(link).or_insert(*count);
        }
        *count += 1;
        collect(item, order, count);
    }
}

/// `next` is the place of the next item.
fn items(judge: &mut Judge<'_>, (parent, location): (Value<'_>, &Location<'_>), order: &Order<'_>, next: &mut usize) {
    let list = location.step(Segment::Child("item"));
    for (index, item) in numbered(parent, "item") {
        let step = list.step(Segment::Item(index));
        let own = *next;
        *next += 1;
        items(judge, (item, &step), order, next);
        for (_, condition) in numbered(item, "enableWhen") {
            enabled(judge, (item, &step), condition, order, own..*next);
        }
    }
}

/// `own`: the places of the item and of those in it.
fn enabled(
    judge: &mut Judge<'_>,
    at: (Value<'_>, &Location<'_>),
    condition: Value<'_>,
    order: &Order<'_>,
    own: Range<usize>,
) {
    let Some(question) = condition.str_at(&["question"]) else {
        judge.error(at, IssueCode::BusinessRule, "The condition names no question.");
        return;
    };
    let place = order.get(&question).copied();
    if at.0.str_at(&["linkId"]).as_ref() == Some(&question) {
        judge.error(at, IssueCode::BusinessRule, "The item is enabled by itself.");
    } else if place.is_some_and(|place| own.contains(&place)) {
        judge.error(
            at,
            IssueCode::BusinessRule,
            "The item is enabled by an item inside it, which cannot be answered before.",
        );
    } else if place.is_none() {
        let message = format!("There is no question '{}' to enable the item.", quoted(&question));
        judge.error(at, IssueCode::BusinessRule, message);
    } else if place > Some(own.start) {
        let message = format!("The question '{}' that enables the item comes after it.", quoted(&question));
        judge.warning(at, IssueCode::BusinessRule, message);
    }
}
