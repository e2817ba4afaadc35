//! What one answer to a question must be: its type, its options, its limits
//! ([item types](https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.type)).

use std::cmp::Ordering;

use super::questionnaire::lower_first;
use super::{Finding, Rule};
use crate::fhirpath::decimal;
use crate::issue::{IssueCode, Severity};
use crate::json::Value;
use crate::profile_set::ProfileSet;
use crate::value_set::Membership;

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";

/// A value with its type.
pub(crate) struct Answer<'a> {
    pub(crate) value: Value<'a>,
    pub(crate) type_name: String,
}

/// A finding, and whether it is about the answer rather than about its value.
type Found = (bool, Finding);

/// The extensions of an item with this url.
pub(crate) fn extension<'v>(item: Value<'v>, url: &str) -> impl Iterator<Item = Value<'v>> {
    let extensions = item.get("extension").into_iter().flat_map(Value::items);
    extensions.filter(move |extension| extension.str_at(&["url"]).as_deref() == Some(url))
}

impl<'a> Answer<'a> {
    /// The value of an answer, an option or an extension.
    pub(crate) fn of(holder: Value<'a>) -> Option<Self> {
        holder.children().find_map(|member| {
            let name = member.key()?.strip_prefix("value")?.to_owned();
            Some(Self { value: member, type_name: lower_first(&name) })
        })
    }

    /// Whether two values are the same answer.
    pub(crate) fn equals(&self, other: &Answer<'_>) -> bool {
        match self.type_name.as_str() {
            "Coding" => {
                let same = |key| self.value.str_at(&[key]) == other.value.str_at(&[key]);
                same("code") && (same("system") || other.value.get("system").is_none())
            }
            "Reference" => self.value.str_at(&["reference"]) == other.value.str_at(&["reference"]),
            _ => self.compare(other) == Some(Ordering::Equal),
        }
    }

    /// Which is less, of numbers, dates, texts and quantities of one unit.
    pub(crate) fn compare(&self, other: &Answer<'_>) -> Option<Ordering> {
        if self.type_name == "Quantity" {
            let unit = |value: Value<'_>| {
                let text = value.str_at(&["code"]).or_else(|| value.str_at(&["unit"]));
                text.map(std::borrow::Cow::into_owned)
            };
            if unit(self.value) != unit(other.value) {
                return None;
            }
            return number(self.value.get("value")?)?.partial_cmp(&number(other.value.get("value")?)?);
        }
        if let (Some(left), Some(right)) = (number(self.value), number(other.value)) {
            return Some(left.cmp(&right));
        }
        if let (Some(left), Some(right)) = (self.value.as_bool(), other.value.as_bool()) {
            return Some(left.cmp(&right));
        }
        let (left, right) = (self.value.as_str()?, other.value.as_str()?);
        if matches!(self.type_name.as_str(), "date" | "dateTime") {
            return Some(whole(&left).cmp(&whole(&right)));
        }
        Some(left.cmp(&right))
    }
}

fn number(value: Value<'_>) -> Option<rust_decimal::Decimal> {
    value.as_number().and_then(decimal)
}

/// A date with the month and day that it begins with.
fn whole(date: &str) -> String {
    match date.len() {
        4 => format!("{date}-01-01"),
        7 => format!("{date}-01"),
        _ => date.to_owned(),
    }
}

fn invariant(sentence: &str) -> Found {
    (false, Finding::error(Rule::Questionnaire, IssueCode::Invariant, sentence))
}

/// Everything that an answer breaks.
pub(crate) fn check(set: &ProfileSet, question: Value<'_>, answer: &Answer<'_>) -> Vec<Found> {
    let kind = question.str_at(&["type"]).unwrap_or_default().into_owned();
    let mut found = Vec::new();
    if !allowed(&kind, question).contains(&answer.type_name) {
        // A type that no answer can have is told by its definition already.
        if KNOWN.contains(&answer.type_name.as_str()) {
            found.push(invariant("The answer is not of the type that the question asks for."));
        }
        return found;
    }
    found.extend(option(&kind, question, answer));
    found.extend(coded(set, question, answer));
    found.extend(limits(question, answer));
    match answer.type_name.as_str() {
        "string" | "uri" => found.extend(text(&kind, question, answer)),
        "Quantity" => found.extend(units(set, question, answer)),
        "Reference" => found.extend(reference(set, question, answer)),
        "Attachment" => found.extend(attachment(question, answer)),
        _ => {}
    }
    found
}

/// Types that an answer may have.
const KNOWN: [&str; 12] = [
    "boolean",
    "decimal",
    "integer",
    "date",
    "dateTime",
    "time",
    "string",
    "uri",
    "Attachment",
    "Coding",
    "Quantity",
    "Reference",
];

/// The types that answer a question.
fn allowed(kind: &str, question: Value<'_>) -> Vec<String> {
    let fixed: &[&str] = match kind {
        "boolean" => &["boolean"],
        "decimal" => &["decimal", "integer"],
        "integer" => &["integer"],
        "date" => &["date"],
        "dateTime" => &["dateTime", "date"],
        "time" => &["time"],
        "string" | "text" => &["string"],
        "url" => &["uri"],
        "choice" => &["Coding"],
        "open-choice" => &["Coding", "string"],
        "attachment" => &["Attachment"],
        "reference" => &["Reference"],
        "quantity" => &["Quantity"],
        _ => &[],
    };
    let mut types: Vec<String> = fixed.iter().map(|name| (*name).to_owned()).collect();
    if matches!(kind, "choice" | "open-choice") {
        types.extend(options(question).map(|option| option.type_name));
    }
    types
}

fn options(question: Value<'_>) -> impl Iterator<Item = Answer<'_>> {
    question.get("answerOption").into_iter().flat_map(Value::items).filter_map(Answer::of)
}

/// Whether the option that an answer takes excludes all others.
pub(crate) fn is_exclusive(question: Value<'_>, answer: &Answer<'_>) -> bool {
    let url = format!("{BASE}questionnaire-optionExclusive");
    let options = question.get("answerOption").into_iter().flat_map(Value::items);
    let exclusive = |option: &Value<'_>| {
        extension(*option, &url).any(|found| found.get("valueBoolean").and_then(Value::as_bool) == Some(true))
    };
    options.filter(exclusive).filter_map(Answer::of).any(|option| answer.equals(&option))
}

/// One of the options, where there are any; an open choice also takes a text of one's own.
fn option(kind: &str, question: Value<'_>, answer: &Answer<'_>) -> Option<Found> {
    let mut listed = options(question).peekable();
    listed.peek()?;
    let own_words = kind == "open-choice" && answer.type_name == "string";
    (!own_words && !listed.any(|option| answer.equals(&option)))
        .then(|| invariant("The answer is none of the options."))
}

/// A code of the value set of the question, where that is known.
fn coded(set: &ProfileSet, question: Value<'_>, answer: &Answer<'_>) -> Option<Found> {
    let canonical = question.str_at(&["answerValueSet"]).filter(|_| answer.type_name == "Coding")?;
    let value_set = set.value_set_named(&canonical)?;
    let (system, code) = (answer.value.str_at(&["system"])?, answer.value.str_at(&["code"])?);
    let sentence = "The code is not in the value set of the question.";
    (value_set.contains(&system, &code) == Membership::Out)
        .then(|| (false, Finding::error(Rule::Questionnaire, IssueCode::CodeInvalid, sentence)))
}

fn limits(question: Value<'_>, answer: &Answer<'_>) -> Vec<Found> {
    let limit = |urls: [String; 2]| {
        urls.iter().find_map(|url| extension(question, url).next()).and_then(|found| {
            let limit = Answer::of(found)?;
            answer.compare(&limit)
        })
    };
    let least = limit([format!("{BASE}minValue"), format!("{SDC}minQuantity")]);
    let most = limit([format!("{BASE}maxValue"), format!("{SDC}maxQuantity")]);
    let mut found = Vec::new();
    if least.is_some_and(Ordering::is_lt) {
        found.push(invariant("The answer is less than the least the question allows."));
    }
    if most.is_some_and(Ordering::is_gt) {
        found.push(invariant("The answer is more than the most the question allows."));
    }
    let places = extension(question, &format!("{BASE}maxDecimalPlaces")).next();
    let places = places.and_then(|found| found.get("valueInteger")?.as_number()?.parse::<u32>().ok());
    let own = number(answer.value).map(|value| value.scale());
    if places.zip(own).is_some_and(|(most, own)| own > most) {
        found.push(invariant("The answer has more decimal places than the question allows."));
    }
    found
}

fn text(kind: &str, question: Value<'_>, answer: &Answer<'_>) -> Vec<Found> {
    let Some(text) = answer.value.as_str() else { return Vec::new() };
    let mut found = Vec::new();
    let count = |value: Option<Value<'_>>| value.and_then(|value| value.as_number()?.parse::<usize>().ok());
    if count(question.get("maxLength")).is_some_and(|most| text.chars().count() > most) {
        found.push(invariant("The answer is longer than the question allows."));
    }
    let least = extension(question, &format!("{BASE}minLength")).next().and_then(|found| found.get("valueInteger"));
    if count(least).is_some_and(|least| text.chars().count() < least) {
        found.push(invariant("The answer is shorter than the question allows."));
    }
    if kind == "string" && text.contains('\n') {
        let message = "The answer to a question of type string is one line; 'text' takes several.".to_owned();
        let (rule, severity, code) = (Rule::Questionnaire, Severity::Warning, IssueCode::Invariant);
        found.push((false, Finding { rule, severity, code, message }));
    }
    found
}

/// The unit is one of those offered.
fn units(set: &ProfileSet, question: Value<'_>, answer: &Answer<'_>) -> Option<Found> {
    let wrong = || invariant("The unit is none of those that the question offers.");
    let (system, code) = (answer.value.str_at(&["system"]), answer.value.str_at(&["code"]));
    let url = format!("{BASE}questionnaire-unitOption");
    let mut offered = extension(question, &url).filter_map(|found| found.get("valueCoding")).peekable();
    if offered.peek().is_some() {
        let fits = |unit: Value<'_>| unit.str_at(&["code"]) == code && unit.str_at(&["system"]) == system;
        return (!offered.any(fits)).then(wrong);
    }
    let url = format!("{BASE}questionnaire-unitValueSet");
    let canonical = extension(question, &url).next().and_then(|found| found.str_at(&["valueCanonical"]))?;
    let value_set = set.value_set_named(&canonical)?;
    match (system, code) {
        (Some(system), Some(code)) => (value_set.contains(&system, &code) == Membership::Out).then(wrong),
        _ => Some(wrong()),
    }
}

/// The target is of a type that the question names, or of any that there is.
fn reference(set: &ProfileSet, question: Value<'_>, answer: &Answer<'_>) -> Option<Found> {
    let reference = answer.value.str_at(&["reference"])?;
    let mut parts = reference.split("/_history/").next()?.rsplit('/');
    let (id, kind) = (parts.next()?, parts.next()?);
    let plain = !id.is_empty() && kind.starts_with(|letter: char| letter.is_ascii_uppercase());
    if !plain || reference.starts_with("urn:") {
        return None;
    }
    if !set.is_resource_type(kind) {
        return Some(invariant("The reference names a type of resource that there is not."));
    }
    let url = format!("{BASE}questionnaire-referenceResource");
    let mut wanted = extension(question, &url).filter_map(|found| found.str_at(&["valueCode"])).peekable();
    wanted.peek()?;
    (!wanted.any(|name| name == kind))
        .then(|| invariant("The reference leads to a type that the question does not ask for."))
}

fn attachment(question: Value<'_>, answer: &Answer<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let url = format!("{BASE}mimeType");
    let mut wanted = extension(question, &url).filter_map(|found| found.str_at(&["valueCode"])).peekable();
    let own = answer.value.str_at(&["contentType"]);
    if wanted.peek().is_some() && !wanted.any(|kind| Some(&kind) == own.as_ref()) {
        let sentence = "The content type is none of those that the question takes.";
        found.push((true, Finding::error(Rule::Questionnaire, IssueCode::Required, sentence)));
    }
    let most =
        extension(question, &format!("{BASE}maxSize")).next().and_then(|found| number(found.get("valueDecimal")?));
    let size = answer.value.get("size").and_then(number);
    let size = size.or_else(|| answer.value.str_at(&["data"]).map(|data| (data.len() / 4 * 3).into()));
    if most.zip(size).is_some_and(|(most, size)| size > most) {
        found.push(invariant("The attachment is larger than the question takes."));
    }
    found
}
