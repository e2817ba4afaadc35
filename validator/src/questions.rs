//! Codes of which nobody here can tell whether they are right, put as questions to somebody who has them: a
//! [terminology service](https://hl7.org/fhir/R4/terminology-service.html#validation). A validation lists them with
//! their places; whoever asked brings the answers, and they become issues there without another walk.

use rustc_hash::FxHashSet;

use crate::definition::Strength;
use crate::issue::{Issue, Severity};
use crate::json::{Document, Value};
use crate::location::Location;
use crate::node::ValueSetId;
use crate::options::Options;
use crate::profile_set::ProfileSet;
use crate::rules::{Finding, binding, code_system};
use crate::walk::{MOST_ISSUES, Walk, too_many};

/// Whether a code is in a value set or, where there is none, in its system. It holds nothing else of the document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CodeQuestion {
    /// Canonical of the code system.
    pub system: String,
    /// Its version, where the document names one.
    pub version: Option<String>,
    /// The code.
    pub code: String,
    /// Canonical of the value set, without version.
    pub value_set: Option<String>,
}

/// What somebody who has the codes says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeAnswer {
    /// The code is right, and may be displayed like this; none: not known.
    Right(Vec<String>),
    /// The code is wrong.
    Wrong,
    /// They do not have the system or the value set either.
    CannotSay,
}

/// The questions that a validation leaves open.
#[derive(Debug, Default)]
pub struct Questions {
    pub(crate) open: Vec<Open>,
    /// Further ones, which are not listed.
    pub(crate) left_out: usize,
    /// Value sets of which it has been said that their codes are not checked.
    pub(crate) remarked: Vec<ValueSetId>,
    pub(crate) wrong_display: Option<Severity>,
}

/// Codes that nobody has answered for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unanswered {
    /// How many.
    pub codes: usize,
    /// Where the first of them stands.
    pub first: Option<String>,
}

/// A place that an issue is about.
#[derive(Debug)]
pub(crate) struct Spot {
    pub(crate) expression: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) profile: Option<String>,
}

/// One value; one of its codes must be right.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) codes: Vec<Asked>,
    /// It has further codes that cannot be asked about.
    pub(crate) beyond: bool,
    /// The value set and how it is bound; `None`: the code must be one of its system.
    pub(crate) bound: Option<(ValueSetId, Strength)>,
    pub(crate) at: Spot,
    /// What is found when all are wrong.
    pub(crate) wrong: Finding,
    /// What is said when nobody knows.
    pub(crate) not_checked: Option<Finding>,
}

#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) question: CodeQuestion,
    /// The coding in its document.
    pub(crate) coding: u32,
    pub(crate) display: Option<(String, Spot)>,
}

impl ProfileSet {
    /// As [`ProfileSet::validate_with`], and lists what could not be answered here about codes of these systems: see
    /// [`Questions::settle`].
    #[must_use]
    pub fn validate_asking(
        &self,
        document: &Document<'_>,
        options: &Options,
        systems: &[String],
    ) -> (Vec<Issue>, Questions) {
        Walk::asking(self, document, options, systems)
    }
}

impl Spot {
    pub(crate) fn of(value: Value<'_>, location: &Location<'_>, profile: Option<&str>) -> Self {
        let position = value.position();
        Self {
            expression: location.to_string(),
            line: position.line,
            column: position.column,
            profile: profile.map(str::to_owned),
        }
    }

    pub(crate) fn issue(self, finding: Finding) -> Issue {
        let Finding { rule, severity, code, message } = finding;
        let Self { expression, line, column, profile } = self;
        Issue { severity, code, rule, message, expression, line, column, profile }
    }
}

impl Open {
    pub(crate) fn is_required(&self) -> bool {
        self.bound.is_some_and(|(_, strength)| strength == Strength::Required)
    }
}

impl Questions {
    /// Whether nothing is left open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Each question with the display that the document gives the code: those that decide whether the document is valid
    /// come first. A question may come several times.
    pub fn iter(&self) -> impl Iterator<Item = (&CodeQuestion, Option<&str>)> {
        let required = self.open.iter().filter(|open| open.is_required());
        let others = self.open.iter().filter(|open| !open.is_required());
        let codes = required.chain(others).flat_map(|open| &open.codes);
        codes.map(|asked| (&asked.question, asked.display.as_ref().map(|(text, _)| text.as_str())))
    }

    /// Turns answers into issues at the places of the questions, in the order of the text. Without an answer a question
    /// stays open, as it does where nobody is asked.
    pub fn settle(
        self,
        issues: &mut Vec<Issue>,
        answer: impl Fn(&CodeQuestion, Option<&str>) -> Option<CodeAnswer>,
    ) -> Unanswered {
        let Self { open, left_out, mut remarked, wrong_display } = self;
        let mut unanswered = Unanswered::default();
        let mut displayed = FxHashSet::default();
        let (most, mut found) = (MOST_ISSUES.saturating_sub(issues.len()), Vec::new());
        for Open { codes, beyond, bound, at, wrong, not_checked } in open {
            let (mut right, mut open) = (false, beyond);
            for Asked { question, coding, display } in codes {
                match answer(&question, display.as_ref().map(|(text, _)| text.as_str())) {
                    Some(CodeAnswer::Right(displays)) => {
                        right = true;
                        let Some((text, at)) = display.filter(|_| displayed.insert(coding)) else { continue };
                        let severity = wrong_display.unwrap_or(Severity::Warning);
                        let displays: Vec<Box<str>> = displays.into_iter().map(Into::into).collect();
                        let finding = code_system::of_display(&text, &displays, &question.code, severity);
                        found.extend(finding.map(|finding| at.issue(finding)));
                    }
                    Some(CodeAnswer::Wrong) => {}
                    Some(CodeAnswer::CannotSay) => open = true,
                    None => {
                        open = true;
                        unanswered.codes += 1;
                        unanswered.first.get_or_insert_with(|| at.expression.clone());
                    }
                }
            }
            if right {
                continue;
            }
            if !open {
                found.push(at.issue(wrong));
            } else if let (Some((value_set, _)), Some(finding)) = (bound, not_checked)
                && !remarked.contains(&value_set)
            {
                remarked.push(value_set);
                found.push(at.issue(finding));
            }
        }
        unanswered.codes += left_out;
        if issues.len() > MOST_ISSUES {
            // That has been said.
            found.clear();
        } else if let Some(last) = found.get_mut(most) {
            let Issue { expression, line, column, .. } = last.clone();
            *last = Spot { expression, line, column, profile: None }.issue(too_many());
            found.truncate(most + 1);
        }
        issues.extend(found);
        issues.sort_by_key(|issue| (issue.line, issue.column));
        unanswered
    }
}

/// Whether a display is one of these: capital and small letters do not matter.
#[must_use]
pub fn is_displayed(display: &str, displays: &[String]) -> bool {
    displays.iter().any(|known| code_system::same_display(known, display))
}

/// What is found of a bound value whose codes are wrong, and said of one whose codes nobody knows.
pub(crate) fn of_binding(
    strength: Strength,
    value_set: &crate::value_set::ValueSet,
    what: &str,
) -> (Finding, Option<Finding>) {
    let not_checked = (strength == Strength::Required).then(|| binding::remark(value_set));
    (binding::bad(strength, value_set, what), not_checked)
}
