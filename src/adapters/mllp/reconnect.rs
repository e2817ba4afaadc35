//! When a partner that could not be reached is called again: after a wait that doubles with every failure, with some
//! chance in it, so that many deliveries do not knock at a closed door together.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::chance::Chance;

/// Longest exponent: the longest wait is reached long before.
const DOUBLINGS: u32 = 16;

pub(super) struct Reconnect {
    first: Duration,
    longest: Duration,
    chance: Chance,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    not_before: Option<Instant>,
    /// Why it could not be reached the last time.
    reason: String,
}

impl Reconnect {
    pub(super) fn new(first: Duration, longest: Duration, chance: Chance) -> Self {
        Self { first, longest, chance, state: Mutex::default() }
    }

    /// How long the partner is to be left alone still, and why it could not be reached; `None`: it may be called now.
    pub(super) fn wait(&self, now: Instant) -> Option<(Duration, String)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = state.not_before.and_then(|at| at.checked_duration_since(now)).filter(|wait| !wait.is_zero())?;
        Some((wait, state.reason.clone()))
    }

    /// It could not be reached for this reason; the wait until it is called again.
    pub(super) fn failed(&self, now: Instant, reason: &str) -> Duration {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self.first.saturating_mul(1 << state.failures.min(DOUBLINGS)).min(self.longest);
        let wait = wait.mul_f64(0.75 + 0.25 * self.chance.unit());
        state.failures = state.failures.saturating_add(1);
        state.not_before = Some(now + wait);
        reason.clone_into(&mut state.reason);
        wait
    }

    /// It was reached.
    pub(super) fn succeeded(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_a_success() {
        let seconds = Duration::from_secs;
        let reconnect = Reconnect::new(seconds(1), seconds(30), Chance::seeded(1));
        let now = Instant::now();
        assert_eq!(reconnect.wait(now), None);
        for longest in [1, 2, 4, 8, 16, 30, 30] {
            let wait = reconnect.failed(now, "refused");
            assert!(wait <= seconds(longest) && wait >= seconds(longest).mul_f64(0.75), "{wait:?} of {longest}");
            assert_eq!(reconnect.wait(now), Some((wait, "refused".to_owned())));
            assert_eq!(reconnect.wait(now + wait), None);
        }
        reconnect.succeeded();
        assert_eq!(reconnect.wait(now), None);
        assert!(reconnect.failed(now, "") <= seconds(1));
    }
}
