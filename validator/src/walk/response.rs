//! A [QuestionnaireResponse](https://hl7.org/fhir/R4/questionnaireresponse.html) against its Questionnaire: which items
//! there are, how often, and what they are answered with. What one answer must be is in `rules::answer`.

use std::collections::HashMap;

use super::Walk;
use crate::issue::IssueCode;
use crate::json::{Document, Value};
use crate::location::{Location, Segment};
use crate::rules::answer::{self, Answer};
use crate::rules::questionnaire;
use crate::rules::{Finding, Rule};

/// What is the same for all items of a response.
struct Form<'a, 'q> {
    /// The items of the response by their linkId, wherever they stand.
    answered: HashMap<String, Vec<Value<'a>>>,
    /// A response that is being filled in may lack what is required.
    complete: bool,
    _questionnaire: std::marker::PhantomData<Value<'q>>,
}

/// An item of the response with its place.
struct Given<'a> {
    value: Value<'a>,
    index: usize,
}

impl<'a> Walk<'a> {
    /// Holds a response to the questionnaire that it names, when that is loaded or contained.
    pub(super) fn response(&mut self, response: Value<'a>, location: &Location<'_>) {
        let Some(canonical) = response.str_at(&["questionnaire"]) else { return };
        let at = location.step(Segment::Child("questionnaire"));
        let place = response.get("questionnaire").unwrap_or(response);
        let contained = canonical.strip_prefix('#').and_then(|id| {
            let mut contained = response.get("contained").into_iter().flat_map(Value::items);
            contained.find(|resource| resource.str_at(&["id"]).as_deref() == Some(id))
        });
        if let Some(questionnaire) = contained {
            self.answers(questionnaire, response, location);
            return;
        }
        let set = self.set;
        let Some(text) = set.questionnaire(&canonical) else {
            self.report(place, &at, None, questionnaire::not_loaded(set.defines_other(&canonical)));
            return;
        };
        if let Ok(document) = Document::read(text) {
            self.answers(document.root(), response, location);
        }
    }

    fn answers<'q>(&mut self, questionnaire: Value<'q>, response: Value<'a>, location: &Location<'_>) {
        let status = response.str_at(&["status"]);
        let mut form = Form {
            answered: HashMap::new(),
            complete: status.as_deref() != Some("in-progress"),
            _questionnaire: std::marker::PhantomData,
        };
        collect(response, &mut form.answered);
        self.items_of_form(&form, questionnaire, response, location);
    }

    /// The items below one item, or at the top.
    fn items_of_form<'q>(&mut self, form: &Form<'a, 'q>, asked: Value<'q>, given: Value<'a>, location: &Location<'_>) {
        let questions: Vec<Value<'q>> = asked.get("item").into_iter().flat_map(Value::items).collect();
        let mut places = HashMap::new();
        for (place, question) in questions.iter().enumerate() {
            places.entry(question.str_at(&["linkId"]).unwrap_or_default()).or_insert(place);
        }
        let items = given.get("item").into_iter().flat_map(Value::items).enumerate();
        let list = location.step(Segment::Child("item"));
        let mut by_link: HashMap<String, Vec<Given<'a>>> = HashMap::new();
        let mut furthest = 0;
        for (index, value) in items {
            let link = value.str_at(&["linkId"]).unwrap_or_default().into_owned();
            let step = list.step(Segment::Item(index));
            let Some(place) = places.get(&*link).copied() else {
                self.report(value, &step, None, questionnaire::unknown_item());
                continue;
            };
            if place < furthest {
                self.report(value, &step, None, questionnaire::out_of_order());
            }
            furthest = furthest.max(place);
            by_link.entry(link).or_default().push(Given { value, index });
        }
        for question in questions {
            if !self.pay(questionnaire::cost(question, &form.answered), given, location) {
                return;
            }
            let link = question.str_at(&["linkId"]).unwrap_or_default();
            let found = by_link.get(&*link).map(Vec::as_slice).unwrap_or_default();
            self.question(form, question, found, given, &list);
        }
    }

    /// One question with the items that answer it; `list` is where they stand.
    fn question<'q>(
        &mut self,
        form: &Form<'a, 'q>,
        question: Value<'q>,
        found: &[Given<'a>],
        around: Value<'a>,
        list: &Location<'_>,
    ) {
        if !questionnaire::is_enabled(question, &form.answered) {
            for item in found.iter().filter(|item| has_answers(item.value)) {
                self.report(item.value, &list.step(Segment::Item(item.index)), None, questionnaire::not_enabled());
            }
            return;
        }
        let is_group = question.str_at(&["type"]).as_deref() == Some("group");
        let required = question.get("required").and_then(Value::as_bool) == Some(true);
        let repeats = question.get("repeats").and_then(Value::as_bool) == Some(true);
        if found.is_empty() && required && form.complete {
            self.report(around, list.parent.unwrap_or(list), None, questionnaire::missing());
        }
        if found.len() > 1 && !(is_group && repeats) {
            let step = list.step(Segment::Item(found[1].index));
            self.report(found[1].value, &step, None, questionnaire::too_many_items());
        }
        for item in found {
            let step = list.step(Segment::Item(item.index));
            if is_group {
                if item.value.get("answer").is_some() {
                    self.report(item.value, &step, None, questionnaire::answered_group());
                }
                if required && form.complete && item.value.get("item").is_none() {
                    self.report(item.value, &step, None, questionnaire::empty_group());
                }
                self.items_of_form(form, question, item.value, &step);
            } else {
                self.answered(form, question, item.value, &step);
            }
        }
    }

    /// The answers of one item.
    fn answered<'q>(&mut self, form: &Form<'a, 'q>, question: Value<'q>, item: Value<'a>, location: &Location<'_>) {
        if item.get("item").is_some() {
            self.report(item, location, None, questionnaire::nested_items());
        }
        let answers: Vec<Value<'a>> = item.get("answer").into_iter().flat_map(Value::items).collect();
        for finding in questionnaire::count(question, answers.len(), form.complete) {
            self.report(item, location, None, finding);
        }
        let list = location.step(Segment::Child("answer"));
        for (index, value) in answers.iter().copied().enumerate() {
            let step = list.step(Segment::Item(index));
            if let Some(answer) = Answer::of(value) {
                for (whole, finding) in answer::check(self.set, question, &answer) {
                    let inner = step.step(Segment::Typed("value", &answer.type_name));
                    let at = if whole { &step } else { &inner };
                    self.report(if whole { value } else { answer.value }, at, None, finding);
                }
                if answers.len() > 1 && answer::is_exclusive(question, &answer) {
                    let sentence = "This answer goes with no other (optionExclusive).";
                    self.report(
                        value,
                        &step,
                        None,
                        Finding::error(Rule::Questionnaire, IssueCode::Invariant, sentence),
                    );
                }
            }
            self.items_of_form(form, question, value, &step);
        }
    }
}

fn has_answers(item: Value<'_>) -> bool {
    item.get("answer").is_some() || item.get("item").into_iter().flat_map(Value::items).any(has_answers)
}

/// The items below a value, by linkId.
fn collect<'a>(value: Value<'a>, found: &mut HashMap<String, Vec<Value<'a>>>) {
    for item in value.get("item").into_iter().flat_map(Value::items) {
        if let Some(link) = item.str_at(&["linkId"]) {
            found.entry(link.into_owned()).or_default().push(item);
        }
        collect(item, found);
        item.get("answer").into_iter().flat_map(Value::items).for_each(|answer| collect(answer, found));
    }
}
