//! What each found, and how much of it agrees.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use signalbox_validator::Issue;

use super::inputs::Input;

/// One finding of either validator.
#[derive(Clone)]
pub(crate) struct Found {
    is_error: bool,
    code: String,
    expression: String,
    text: String,
}

impl Found {
    pub(crate) fn of(issue: &Issue) -> Self {
        Self {
            is_error: issue.severity.is_error(),
            code: issue.code.as_str().to_owned(),
            expression: plain(&issue.expression),
            text: issue.message.clone(),
        }
    }

    pub(crate) fn fatal(text: String) -> Self {
        Self { is_error: true, code: "invalid".to_owned(), expression: String::new(), text }
    }

    fn of_outcome(issue: &Json) -> Self {
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        Self {
            is_error: matches!(issue["severity"].as_str(), Some("error" | "fatal")),
            code: text(&issue["code"]),
            expression: plain(&text(&issue["expression"][0])),
            text: format!("{} {}", text(&issue["details"]["text"]), text(&issue["diagnostics"])),
        }
    }

    pub(crate) fn is_error(&self) -> bool {
        self.is_error
    }

    /// A problem with the text, whose place is a line and no element.
    fn is_of_text(&self) -> bool {
        self.expression.is_empty() || self.code == "exception"
    }
}

/// Errors that only we tell, by the rule that the reference does not hold to.
const STRICTER: [(&str, &str); 3] = [
    ("this one has only an id (ele-1)", "ele-1: an element has more than an id"),
    ("An empty array is not allowed", "FHIR JSON: an array is not empty, that of a primitive neither"),
    (
        "This names a resource that is no Questionnaire",
        "QuestionnaireResponse.questionnaire: by its URL it is of another type",
    ),
];

/// Whether an outcome of the reference has an error.
pub(crate) fn has_error(outcome: &Json) -> bool {
    outcome["issue"].as_array().into_iter().flatten().any(|issue| Found::of_outcome(issue).is_error)
}

/// How one kind of inputs fared.
#[derive(Default)]
struct Class {
    valid: usize,
    invalid: usize,
    false_alarms: usize,
    missed: usize,
}

/// Agreement so far.
#[derive(Default)]
pub(crate) struct Tally {
    classes: BTreeMap<String, Class>,
    /// Errors of the reference, and those of them that are in the same place here.
    errors: usize,
    same_place: usize,
    same_code: usize,
    gave_up: usize,
    /// False alarms that are none, by the rule.
    stricter: BTreeMap<&'static str, usize>,
    /// The first sentence that only one of them says -> how often, and an input.
    disagreements: BTreeMap<String, (usize, String)>,
    misplaced: BTreeMap<String, (usize, String)>,
    /// In the same place, under another code.
    coded: BTreeMap<String, (usize, String)>,
}

impl Tally {
    pub(crate) fn add(&mut self, input: &Input, ours: &[Found], outcome: &Json) {
        let theirs: Vec<Found> = outcome["issue"].as_array().into_iter().flatten().map(Found::of_outcome).collect();
        if theirs.iter().any(|found| found.is_error && found.code == "exception" && found.expression.is_empty()) {
            self.gave_up += 1;
            return;
        }
        let ours: Vec<&Found> = ours.iter().filter(|found| found.is_error).collect();
        let errors: Vec<&Found> = theirs.iter().filter(|found| found.is_error).collect();
        let class = self.classes.entry(input.class.clone()).or_default();
        match (errors.first(), ours.first()) {
            (None, None) => class.valid += 1,
            (None, Some(_)) if let Some(rule) = stricter(&ours) => {
                class.valid += 1;
                *self.stricter.entry(rule).or_default() += 1;
            }
            (None, Some(found)) => {
                class.valid += 1;
                class.false_alarms += 1;
                let text = format!("FALSE ALARM [{}] {}: {}", input.class, found.code, shortened(&found.text));
                note(&mut self.disagreements, text, input, found);
            }
            (Some(found), None) => {
                class.invalid += 1;
                class.missed += 1;
                let text = format!("missed [{}] {}: {}", input.class, found.code, shortened(&found.text));
                note(&mut self.disagreements, text, input, found);
            }
            (Some(_), Some(_)) => class.invalid += 1,
        }
        for error in errors.iter().filter(|error| !error.is_of_text()) {
            self.errors += 1;
            let same = |found: &&Found| found.expression == error.expression;
            let mut there = ours.iter().copied().filter(same).peekable();
            if there.peek().is_none() {
                let text = format!("{}: {}", error.code, shortened(&error.text));
                let here = ours.iter().map(|found| format!("{} {}", found.code, found.expression)).collect::<Vec<_>>();
                let entry = self.misplaced.entry(text).or_insert((0, String::new()));
                entry.0 += 1;
                entry.1 = format!("{} {} | {}", input.name, error.expression, here.join("; "));
                continue;
            }
            self.same_place += 1;
            let codes: Vec<&str> = there.map(|found| found.code.as_str()).collect();
            if codes.contains(&error.code.as_str()) {
                self.same_code += 1;
            } else {
                let text = format!("{}, here {}: {}", error.code, codes.join(" "), shortened(&error.text));
                note(&mut self.coded, text, input, error);
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of inputs")]
    pub(crate) fn print(&self, each: bool) {
        let percent = |part: usize, whole: usize| if whole == 0 { 100.0 } else { 100.0 * part as f64 / whole as f64 };
        let mut all = Class::default();
        for (name, class) in &self.classes {
            println!(
                "{name:20} valid {:5} (false alarms {:3})  invalid {:5} (missed {:3})",
                class.valid, class.false_alarms, class.invalid, class.missed
            );
            all.valid += class.valid;
            all.invalid += class.invalid;
            all.false_alarms += class.false_alarms;
            all.missed += class.missed;
        }
        let balanced = f64::midpoint(
            percent(all.valid - all.false_alarms, all.valid),
            percent(all.invalid - all.missed, all.invalid),
        );
        println!(
            "{} inputs: balanced {balanced:.2} %, false alarms {:.2} % ({} of {}), missed {} of {}; the reference gave up \
             on {}",
            all.valid + all.invalid,
            percent(all.false_alarms, all.valid),
            all.false_alarms,
            all.valid,
            all.missed,
            all.invalid,
            self.gave_up
        );
        for (rule, count) in &self.stricter {
            println!("not counted, the reference is less strict than the specification: {count} x {rule}");
        }
        println!(
            "errors of the reference {}: in the same place {:.1} %, with the same code {:.1} %",
            self.errors,
            percent(self.same_place, self.errors),
            percent(self.same_code, self.errors)
        );
        listed("where they disagree", &self.disagreements, if each { 500 } else { 150 });
        listed("errors of the reference with another code here", &self.coded, if each { 500 } else { 60 });
        listed("errors of the reference in other places here", &self.misplaced, if each { 500 } else { 60 });
    }
}

fn listed(title: &str, list: &BTreeMap<String, (usize, String)>, most: usize) {
    let mut sorted: Vec<_> = list.iter().collect();
    sorted.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    println!("-- {title}: {} kinds", sorted.len());
    for (text, (count, input)) in sorted.into_iter().take(most) {
        println!("{count:5} {text}\n        {input}");
    }
}

fn note(list: &mut BTreeMap<String, (usize, String)>, text: String, input: &Input, found: &Found) {
    let entry = list.entry(text).or_insert((0, String::new()));
    entry.0 += 1;
    entry.1 = format!("{} {}", input.name, found.expression);
}

/// The rule that the reference does not hold to, where all our errors come of one.
fn stricter(ours: &[&Found]) -> Option<&'static str> {
    let rule = |found: &&Found| STRICTER.iter().find(|(text, _)| found.text.contains(text)).map(|(_, rule)| *rule);
    let first = rule(ours.first()?)?;
    ours.iter().all(|found| rule(found).is_some()).then_some(first)
}

/// A place with every choice of types written as `value[x]`: the reference writes it so where it reads JSON, and as
/// `value.ofType(Quantity)` elsewhere.
fn plain(expression: &str) -> String {
    let mut parts = expression.split(".ofType(");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str("[x]");
        plain.push_str(part.split_once(')').map_or(part, |(_, rest)| rest));
    }
    plain
}

/// A sentence without what is particular: quoted parts and numbers.
fn shortened(text: &str) -> String {
    let mut short = String::new();
    let mut is_quoted = false;
    for character in text.chars() {
        if character == '\'' {
            is_quoted = !is_quoted;
            short.push('\'');
        } else if !is_quoted && !character.is_ascii_digit() {
            short.push(character);
        }
    }
    short.chars().take(150).collect()
}
