//! Answers of the server, kept for a time and no more than so many. What failed is not kept.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use signalbox_validator::CodeAnswer;
use tokio::time::Instant;

use super::after;
use super::request::Request;
use crate::config::terminology as settings;

pub(super) struct Cache {
    settings: settings::Cache,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    answers: HashMap<Request, (CodeAnswer, Instant)>,
    /// The keys of `answers`, the oldest first.
    order: VecDeque<Request>,
}

impl Cache {
    pub(super) fn new(settings: settings::Cache) -> Self {
        Self { settings, held: Mutex::default() }
    }

    pub(super) fn get(&self, request: &Request, now: Instant) -> Option<CodeAnswer> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.answers.get(request).filter(|(_, until)| now < *until).map(|(answer, _)| answer.clone())
    }

    pub(super) fn put(&self, request: Request, answer: CodeAnswer, now: Instant) {
        let keep = match answer {
            CodeAnswer::Right(_) => self.settings.keep_right,
            CodeAnswer::Wrong | CodeAnswer::CannotSay => self.settings.keep_wrong,
        };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Held { answers, order } = &mut *held;
        if answers.insert(request.clone(), (answer, after(now, keep))).is_none() {
            order.push_back(request);
        }
        while answers.len() > self.settings.answers {
            let Some(oldest) = order.pop_front() else { break };
            answers.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::units::Period;
    use signalbox_validator::CodeQuestion;
    use std::time::Duration;

    fn cache(answers: usize) -> Cache {
        let period = |seconds| Period(Duration::from_secs(seconds));
        Cache::new(settings::Cache { answers, keep_right: period(60), keep_wrong: period(10) })
    }

    fn of(code: usize) -> Request {
        let (system, code) = ("http://snomed.info/sct".to_owned(), code.to_string());
        Request::Validate(CodeQuestion { system, version: None, code, value_set: None })
    }

    #[test]
    fn answers_are_kept_for_their_time() {
        let (cache, start) = (cache(10), Instant::now());
        cache.put(of(1), CodeAnswer::Right(Vec::new()), start);
        cache.put(of(2), CodeAnswer::Wrong, start);
        cache.put(of(3), CodeAnswer::CannotSay, start);
        let known = |seconds| {
            let at = start + Duration::from_secs(seconds);
            [1, 2, 3].map(|code| cache.get(&of(code), at).is_some())
        };
        assert_eq!([known(9), known(10), known(60)], [[true; 3], [true, false, false], [false; 3]]);
    }

    #[test]
    fn beyond_its_size_the_oldest_is_forgotten_and_what_is_put_again_is_held_once() {
        let (cache, start) = (cache(100), Instant::now());
        for _ in 0..3 {
            (0..150).for_each(|code| cache.put(of(code), CodeAnswer::Wrong, start));
        }
        let held = cache.held.lock().unwrap();
        assert_eq!((held.answers.len(), held.order.len()), (100, 100));
        drop(held);
        assert!(cache.get(&of(49), start).is_none() && cache.get(&of(50), start).is_some());
        let none = Cache::new(settings::Cache { answers: 0, ..cache.settings });
        none.put(of(1), CodeAnswer::Wrong, start);
        assert!(none.get(&of(1), start).is_none());
    }
}
