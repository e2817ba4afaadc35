//! What a check found, and what somebody who has the codes must still answer for.

use signalbox_validator::Questions;

use super::terminology::Answers;
use super::to_issue;
use crate::outcome::Issue;

/// A resource that was checked, as far as that is possible here.
#[derive(Debug, Default)]
pub struct Checked {
    pub(super) found: Vec<signalbox_validator::Issue>,
    pub(super) questions: Questions,
}

impl Checked {
    /// What is left open.
    #[must_use]
    pub fn questions(&self) -> &Questions {
        &self.questions
    }

    /// The issues, with what the answers say; and, where codes stayed without an answer, how many and why, in words.
    #[must_use]
    pub fn settle(self, answers: &Answers) -> (Vec<Issue>, Option<String>) {
        let Self { mut found, questions } = self;
        if questions.is_empty() {
            return (found.into_iter().map(to_issue).collect(), None);
        }
        let unanswered = questions.settle(&mut found, |question, display| answers.get(question, display));
        let mut issues: Vec<Issue> = found.into_iter().map(to_issue).collect();
        if unanswered.codes == 0 {
            return (issues, None);
        }
        let (number, why) = (unanswered.codes, answers.why().as_str());
        let were = if number == 1 { "code was" } else { "codes were" };
        let place = unanswered.first.as_deref().map(|first| format!(", the first at {first}")).unwrap_or_default();
        let message = format!("{number} {were} not checked{place}: {why}.");
        issues.push(Issue { expression: unanswered.first, ..Issue::information("incomplete", message) });
        (issues, Some(format!("{number} {were} not checked: {why}")))
    }
}
