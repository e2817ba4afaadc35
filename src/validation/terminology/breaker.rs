//! A circuit breaker: after several failures, one after another, nobody is sent there for a while; then one question tries
//! whether it is well again, and only when it is, all others follow.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::after;
use crate::config::terminology as settings;

pub(super) struct Breaker {
    settings: settings::Breaker,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// All are let through; so many have failed since one did not.
    Closed(u32),
    /// Nobody is, until then.
    Open(Instant),
    /// One is on its way to try.
    Trying,
}

/// One who was let through, and says how it went. Dropped without a word, it knows nothing of the server.
pub(super) struct Admitted<'b> {
    breaker: &'b Breaker,
    /// It is the one that tries.
    tries: bool,
    told: bool,
}

impl Breaker {
    pub(super) fn new(settings: settings::Breaker) -> Self {
        Self { settings, state: Mutex::new(State::Closed(0)) }
    }

    pub(super) fn pause(&self) -> Duration {
        self.settings.pause.0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets somebody through, or not.
    pub(super) fn admit(&self, now: Instant) -> Option<Admitted<'_>> {
        let mut state = self.state();
        let tries = match *state {
            State::Closed(_) => false,
            State::Open(until) if now >= until => {
                *state = State::Trying;
                true
            }
            State::Open(_) | State::Trying => return None,
        };
        Some(Admitted { breaker: self, tries, told: false })
    }
}

impl Admitted<'_> {
    /// It went well; whether everybody is let through again because of it.
    pub(super) fn well(mut self) -> bool {
        self.told = true;
        let mut state = self.breaker.state();
        // One that set out before it was opened changes nothing.
        if self.tries || matches!(*state, State::Closed(_)) {
            *state = State::Closed(0);
        }
        self.tries
    }

    /// It failed; whether nobody is let through any more because of it.
    pub(super) fn badly(mut self, now: Instant) -> bool {
        self.told = true;
        let mut state = self.breaker.state();
        let open = State::Open(after(now, self.breaker.settings.pause));
        match *state {
            State::Closed(failed) if failed + 1 < self.breaker.settings.failures => {
                *state = State::Closed(failed + 1);
                false
            }
            State::Closed(_) => {
                *state = open;
                true
            }
            State::Trying if self.tries => {
                *state = open;
                false
            }
            State::Open(_) | State::Trying => false,
        }
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if self.tries && !self.told {
            // The next one tries.
            *self.breaker.state() = State::Open(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::units::Period;

    fn breaker() -> Breaker {
        Breaker::new(settings::Breaker { failures: 3, pause: Period(Duration::from_secs(30)) })
    }

    fn fail(breaker: &Breaker, now: Instant) -> bool {
        breaker.admit(now).unwrap().badly(now)
    }

    #[test]
    fn it_opens_after_failures_one_after_another_and_closes_when_one_try_goes_well() {
        let (breaker, start) = (breaker(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(!fail(&breaker, start) && !fail(&breaker, start));
        assert!(!breaker.admit(start).unwrap().well(), "it was never open");
        assert!(!fail(&breaker, start) && !fail(&breaker, start) && fail(&breaker, start));
        assert!(breaker.admit(at(29)).is_none());
        let trying = breaker.admit(at(30)).unwrap();
        assert!(breaker.admit(at(30)).is_none(), "one tries, nobody else");
        assert!(!trying.badly(at(31)), "it was open and stays so");
        assert!(breaker.admit(at(60)).is_none());
        assert!(breaker.admit(at(61)).unwrap().well());
        assert!(!fail(&breaker, at(61)) && !fail(&breaker, at(61)), "and counts from the beginning");
    }

    #[test]
    fn one_that_gives_up_its_try_leaves_it_to_the_next() {
        let (breaker, start) = (breaker(), Instant::now());
        let early = breaker.admit(start).unwrap();
        assert_eq!([(); 3].map(|()| fail(&breaker, start)), [false, false, true]);
        assert!(!early.well() && breaker.admit(start).is_none(), "an answer from before proves nothing");
        let later = start + Duration::from_mins(1);
        drop(breaker.admit(later).unwrap());
        assert!(breaker.admit(later).is_some_and(Admitted::well));
    }
}
