//! Which items of a [Questionnaire](https://hl7.org/fhir/R4/questionnaire.html) a response has: required, enabled, and how
//! often.

use std::collections::HashMap;

use super::answer::{Answer, extension};
use super::{Finding, Rule};
use crate::issue::{IssueCode, Severity};
use crate::json::Value;

const MIN_OCCURS: &str = "http://hl7.org/fhir/StructureDefinition/questionnaire-minOccurs";
const MAX_OCCURS: &str = "http://hl7.org/fhir/StructureDefinition/questionnaire-maxOccurs";

fn error(code: IssueCode, sentence: &str) -> Finding {
    Finding::error(Rule::Questionnaire, code, sentence)
}

/// The questionnaire is not loaded: nothing is checked; or it is `other`, which no response can answer.
pub(crate) fn not_loaded(other: bool) -> Finding {
    if other {
        return error(IssueCode::Invalid, "This names a resource that is no Questionnaire.");
    }
    let message = "The Questionnaire is not loaded: the answers were not checked against it.".to_owned();
    Finding { rule: Rule::Questionnaire, severity: Severity::Information, code: IssueCode::Invalid, message }
}

pub(crate) fn unknown_item() -> Finding {
    error(IssueCode::Structure, "The Questionnaire has no item with this linkId here.")
}

pub(crate) fn out_of_order() -> Finding {
    error(IssueCode::Structure, "Items stand in the order of the Questionnaire.")
}

pub(crate) fn not_enabled() -> Finding {
    error(IssueCode::Invariant, "The item is not enabled by the answers it depends on, and is answered.")
}

pub(crate) fn missing() -> Finding {
    error(IssueCode::Required, "A required item is missing.")
}

pub(crate) fn too_many_items() -> Finding {
    error(IssueCode::Invalid, "Only a group that repeats has several items with one linkId.")
}

pub(crate) fn answered_group() -> Finding {
    error(IssueCode::Structure, "A group has items and no answers.")
}

pub(crate) fn empty_group() -> Finding {
    error(IssueCode::Invariant, "A required group has at least one item.")
}

pub(crate) fn nested_items() -> Finding {
    error(IssueCode::Structure, "The items below a question stand in its answers.")
}

/// How many answers a question has.
pub(crate) fn count(question: Value<'_>, found: usize, complete: bool) -> Vec<Finding> {
    let flag = |name: &str| question.get(name).and_then(Value::as_bool) == Some(true);
    let limit = |url: &str| {
        let value = extension(question, url).next()?;
        value.get("valueInteger")?.as_number()?.parse::<usize>().ok()
    };
    let mut findings = Vec::new();
    if found == 0 && flag("required") && complete {
        findings.push(error(IssueCode::Required, "A required question has an answer."));
    }
    if found > 1 && !flag("repeats") {
        findings.push(error(IssueCode::Invalid, "The question takes one answer only."));
    }
    if complete && limit(MIN_OCCURS).is_some_and(|least| found < least) {
        findings.push(error(IssueCode::Invalid, "The question has fewer answers than it must (minOccurs)."));
    }
    if limit(MAX_OCCURS).is_some_and(|most| found > most) {
        findings.push(error(IssueCode::Invalid, "The question has more answers than it may (maxOccurs)."));
    }
    findings
}

/// About how many steps it takes to judge what is given to a question.
pub(crate) fn cost(question: Value<'_>, answered: &HashMap<String, Vec<Value<'_>>>) -> u64 {
    let conditions = question.get("enableWhen").into_iter().flat_map(Value::items);
    let items = conditions.map(|condition| {
        let question = condition.str_at(&["question"]).unwrap_or_default();
        1 + answered.get(&*question).map_or(0, Vec::len)
    });
    1 + items.sum::<usize>() as u64
}

/// Whether the answers to other questions enable an item.
pub(crate) fn is_enabled(question: Value<'_>, answered: &HashMap<String, Vec<Value<'_>>>) -> bool {
    let conditions: Vec<_> = question.get("enableWhen").into_iter().flat_map(Value::items).collect();
    if conditions.is_empty() {
        return true;
    }
    let mut held = conditions.iter().map(|condition| holds(*condition, answered));
    match question.str_at(&["enableBehavior"]).as_deref() {
        Some("any") => held.any(|holds| holds),
        _ => held.all(|holds| holds),
    }
}

fn holds(condition: Value<'_>, answered: &HashMap<String, Vec<Value<'_>>>) -> bool {
    let question = condition.str_at(&["question"]).unwrap_or_default();
    let items = answered.get(&*question).map(Vec::as_slice).unwrap_or_default();
    let answers = items.iter().filter_map(|item| item.get("answer")).flat_map(Value::items);
    let answers: Vec<Answer<'_>> = answers.filter_map(Answer::of).collect();
    let wanted = condition.children().find_map(|member| {
        let name = member.key()?.strip_prefix("answer")?.to_owned();
        Some(Answer { value: member, type_name: lower_first(&name) })
    });
    let Some(wanted) = wanted else { return true };
    let order = |answer: &Answer<'_>| answer.compare(&wanted);
    match condition.str_at(&["operator"]).as_deref() {
        Some("exists") => answers.is_empty() != (wanted.value.as_bool() == Some(true)),
        Some("=") => answers.iter().any(|answer| answer.equals(&wanted)),
        Some("!=") => answers.iter().any(|answer| !answer.equals(&wanted)),
        Some(">") => answers.iter().filter_map(order).any(std::cmp::Ordering::is_gt),
        Some("<") => answers.iter().filter_map(order).any(std::cmp::Ordering::is_lt),
        Some(">=") => answers.iter().filter_map(order).any(std::cmp::Ordering::is_ge),
        Some("<=") => answers.iter().filter_map(order).any(std::cmp::Ordering::is_le),
        _ => true,
    }
}

/// `Coding` stays, `Boolean` becomes `boolean`: the type as its definition has it.
pub(crate) fn lower_first(name: &str) -> String {
    if matches!(name, "Coding" | "Quantity" | "Reference" | "Attachment") {
        return name.to_owned();
    }
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}
