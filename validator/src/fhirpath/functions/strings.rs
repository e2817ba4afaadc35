//! [String manipulation](http://hl7.org/fhirpath/N1/#string-manipulation). Positions count characters.

use regex::Regex;

use super::{Call, Function, boolean, text, whole};
use crate::fhirpath::error::EvaluationError;
use crate::fhirpath::evaluate::Outcome;
use crate::fhirpath::item::{Inner, Item};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("length", |call| unary(call, |own| whole(own.chars().count()))),
    Function::new("upper", |call| unary(call, |own| text(own.to_uppercase()))),
    Function::new("lower", |call| unary(call, |own| text(own.to_lowercase()))),
    Function::new("trim", |call| unary(call, |own| text(own.trim()))),
    Function::new("toChars", |call| {
        unary(call, |own| Ok(own.chars().map(|letter| letter.to_string()).map(item).collect()))
    }),
    Function::new("startsWith", |call| with_text(call, |own, other| boolean(own.starts_with(other)))),
    Function::new("endsWith", |call| with_text(call, |own, other| boolean(own.ends_with(other)))),
    Function::new("contains", |call| with_text(call, |own, other| boolean(own.contains(other)))),
    Function::new("indexOf", |call| with_text(call, |own, other| Ok(position(own, own.find(other))))),
    Function::new("lastIndexOf", |call| with_text(call, |own, other| Ok(position(own, own.rfind(other))))),
    Function::new("split", |call| {
        with_text(call, |own, other| Ok(own.split(other).map(str::to_owned).map(item).collect()))
    }),
    Function::new("matches", |call| matched(call, false)),
    Function::new("matchesFull", |call| matched(call, true)),
    Function::new("replace", replace),
    Function::new("replaceMatches", replace_matches),
    Function::new("substring", substring),
    Function::new("join", join),
];

fn item<'d>(text: String) -> Item<'d> {
    Inner::String(text.into()).into()
}

fn unary<'d>(call: &Call<'_, '_, 'd>, make: impl Fn(&str) -> Outcome<'d>) -> Outcome<'d> {
    call.takes(0, 0)?;
    call.text()?.map_or_else(|| Ok(Vec::new()), |own| make(&own))
}

/// Nothing when the text or the argument is nothing.
fn with_text<'d>(call: &Call<'_, '_, 'd>, make: impl Fn(&str, &str) -> Outcome<'d>) -> Outcome<'d> {
    call.takes(1, 1)?;
    let (own, other) = (call.text()?, call.text_argument(0)?);
    own.zip(other).map_or_else(|| Ok(Vec::new()), |(own, other)| make(&own, &other))
}

fn position<'d>(own: &str, found: Option<usize>) -> Vec<Item<'d>> {
    let index = found.and_then(|at| i64::try_from(own[..at].chars().count()).ok()).unwrap_or(-1);
    vec![Inner::Integer(index).into()]
}

fn pattern(call: &Call<'_, '_, '_>, text: &str) -> Result<Regex, EvaluationError> {
    let made = call.evaluator.set().patterns().get(text);
    made.map_or_else(|| call.fail("this is no regular expression that can be used here"), Ok)
}

fn matched<'d>(call: &Call<'_, '_, 'd>, whole: bool) -> Outcome<'d> {
    call.takes(1, 2)?;
    let Some((own, wanted)) = call.text()?.zip(call.text_argument(0)?) else { return Ok(Vec::new()) };
    let wanted = if whole { format!("^(?:{wanted})$") } else { wanted };
    boolean(pattern(call, &wanted)?.is_match(&own))
}

fn replace<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(2, 2)?;
    let (own, from, to) = (call.text()?, call.text_argument(0)?, call.text_argument(1)?);
    let (Some(own), Some(from), Some(to)) = (own, from, to) else { return Ok(Vec::new()) };
    call.is_long(&to.repeat(2.min(to.len())))?;
    let replaced = own.replace(&from, &to);
    call.is_long(&replaced)?;
    text(replaced)
}

fn replace_matches<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(2, 3)?;
    let (own, from, to) = (call.text()?, call.text_argument(0)?, call.text_argument(1)?);
    let (Some(own), Some(from), Some(to)) = (own, from, to) else { return Ok(Vec::new()) };
    if from.is_empty() {
        return text(own);
    }
    // `$1` stands before a letter in patterns elsewhere; here the name of a group would go on.
    let to = groups(&to);
    let replaced = pattern(call, &from)?.replace_all(&own, to.as_str()).into_owned();
    call.is_long(&replaced)?;
    text(replaced)
}

/// `$1` as `${1}`, and `${name}` as it is.
fn groups(replacement: &str) -> String {
    let mut out = String::new();
    let mut letters = replacement.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '$' || !letters.peek().is_some_and(char::is_ascii_digit) {
            out.push(letter);
            continue;
        }
        out.push_str("${");
        while let Some(digit) = letters.next_if(char::is_ascii_digit) {
            out.push(digit);
        }
        out.push('}');
    }
    out
}

fn substring<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 2)?;
    let Some((own, start)) = call.text()?.zip(call.integer_argument(0)?) else { return Ok(Vec::new()) };
    let length = call.integer_argument(1)?;
    let Some(start) = usize::try_from(start).ok().filter(|start| *start < own.chars().count()) else {
        return Ok(Vec::new());
    };
    let most = length.map_or(usize::MAX, |length| usize::try_from(length).unwrap_or(0));
    text(own.chars().skip(start).take(most).collect::<String>())
}

fn join<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(0, 1)?;
    let between = call.text_argument(0)?.unwrap_or_default();
    let texts: Option<Vec<_>> = call.input.iter().map(Item::as_text).collect();
    match texts {
        Some(texts) if texts.is_empty() => Ok(Vec::new()),
        Some(texts) => text(texts.join(&*between)),
        None => call.fail("'join' takes texts"),
    }
}
