//! What the server said to the questions of one message, and why it did not to others.

use std::collections::HashMap;

use signalbox_validator::{CodeAnswer, CodeQuestion, is_displayed};

use super::request::Request;

/// Answers to the questions of one message.
#[derive(Debug, Default)]
pub struct Answers {
    known: HashMap<Request, CodeAnswer>,
    why: Option<Why>,
}

/// Why a question was not answered; of two, the later one here is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The message had more than it may ask.
    TooMany,
    /// The time for its questions was over.
    Late,
    /// The server does not answer, or nothing sensible.
    Down,
}

impl Why {
    /// The reason as the rest of a sentence.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooMany => "one message may ask the terminology server no more (terminology.budget.questions)",
            Self::Late => "the time for the questions of one message was over (terminology.budget.time)",
            Self::Down => "the terminology server does not answer",
        }
    }
}

impl Answers {
    pub(super) fn add(&mut self, request: Request, answer: CodeAnswer) {
        self.known.insert(request, answer);
    }

    pub(super) fn lack(&mut self, why: Why) {
        self.why = self.why.max(Some(why));
    }

    pub(super) fn of(&self, request: &Request) -> Option<&CodeAnswer> {
        self.known.get(request)
    }

    /// Why not everything was answered.
    #[must_use]
    pub fn why(&self) -> Why {
        self.why.unwrap_or(Why::TooMany)
    }

    /// The answer to a question about a code that the document displays like this. A display of which nobody could tell
    /// is not judged.
    #[must_use]
    pub fn get(&self, question: &CodeQuestion, display: Option<&str>) -> Option<CodeAnswer> {
        let answer = self.known.get(&Request::Validate(question.clone()))?;
        let CodeAnswer::Right(preferred) = answer else { return Some(answer.clone()) };
        let Some(display) = display.filter(|display| !is_displayed(display, preferred)) else {
            return Some(answer.clone());
        };
        let all = match self.known.get(&Request::lookup(question)) {
            Some(CodeAnswer::Right(all)) if is_displayed(display, all) => vec![display.to_owned()],
            Some(CodeAnswer::Right(all)) => preferred.iter().chain(all).cloned().collect(),
            _ => Vec::new(),
        };
        Some(CodeAnswer::Right(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> CodeQuestion {
        let (system, code) = ("http://snomed.info/sct".to_owned(), "1".to_owned());
        CodeQuestion { system, version: None, code, value_set: Some("http://example.org/vs".to_owned()) }
    }

    fn right(displays: &[&str]) -> CodeAnswer {
        CodeAnswer::Right(displays.iter().map(|display| (*display).to_owned()).collect())
    }

    #[test]
    fn a_display_is_judged_by_all_displays_of_the_code_or_not_at_all() {
        let mut answers = Answers::default();
        let given = |answers: &Answers, display: Option<&str>| answers.get(&question(), display);
        assert_eq!(given(&answers, None), None);
        answers.add(Request::Validate(question()), right(&["Example"]));
        assert_eq!(given(&answers, None), Some(right(&["Example"])));
        assert_eq!(given(&answers, Some("EXAMPLE")), Some(right(&["Example"])));
        assert_eq!(given(&answers, Some("Example disorder")), Some(right(&[])), "nobody was asked");
        answers.add(Request::lookup(&question()), right(&["Example", "Example disorder"]));
        assert_eq!(given(&answers, Some("Example disorder")), Some(right(&["Example disorder"])));
        let Some(CodeAnswer::Right(expected)) = given(&answers, Some("Another")) else { panic!("it is right") };
        assert_eq!(expected[0], "Example", "what the server prefers is what is expected");
    }

    #[test]
    fn that_the_server_is_down_is_told_before_that_there_was_much_to_ask() {
        let mut answers = Answers::default();
        answers.lack(Why::TooMany);
        answers.lack(Why::Down);
        answers.lack(Why::Late);
        assert_eq!(answers.why(), Why::Down);
    }
}
