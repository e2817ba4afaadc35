//! What follows from an attempt: the state a delivery gets, when it goes next, and whether later messages of the same
//! patient may pass. Pure.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::destination::{Acknowledgement, DeliveryError};
use crate::config::delivery::Retry;
use crate::config::destination::{OnReject, OnUnknown};
use crate::exchange::rows::AttemptOutcome;
use crate::exchange::state::DeliveryState;

/// Longest delay that a partner may ask for, unless `retry.max` is longer: one that asks for a year has made a mistake.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// The rules of one destination.
#[derive(Debug, Clone)]
pub struct Policy {
    /// When to try again, and until when.
    pub retry: Retry,
    /// What a refusal does to later messages.
    pub on_reject: OnReject,
    /// What an unknown outcome leads to.
    pub on_unknown: OnUnknown,
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// How the attempt ended.
    pub outcome: AttemptOutcome,
    /// The state the delivery gets.
    pub state: DeliveryState,
    /// When it goes next; `None`: when an operator says so, or never.
    pub due: Option<DateTime<Utc>>,
    /// Whether its keys are let go, so that later messages may pass.
    pub settled: bool,
    /// The partner's code.
    pub code: String,
    /// What it said.
    pub note: String,
}

/// When an attempt ended and what is known of the delivery.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Now.
    pub now: DateTime<Utc>,
    /// Number of the attempt, from 1.
    pub attempt: i32,
    /// When the delivery becomes a dead letter.
    pub give_up_at: DateTime<Utc>,
    /// A random number from 0 to 1, so that retries of many deliveries do not come together.
    pub jitter: f64,
}

impl Policy {
    /// No failure puts the next try off for longer.
    #[must_use]
    pub fn longest_wait(&self) -> TimeDelta {
        TimeDelta::from_std(self.bounded(Duration::MAX)).unwrap_or(TimeDelta::MAX)
    }

    /// Decides what follows from the end of an attempt.
    #[must_use]
    pub fn decide(&self, result: &Result<Acknowledgement, DeliveryError>, moment: Moment) -> Decision {
        let pass = self.on_reject == OnReject::Skip;
        let decision = |outcome, state, due, settled, code: &str, note: &str| Decision {
            outcome,
            state,
            due,
            settled,
            code: code.to_owned(),
            note: note.to_owned(),
        };
        match result {
            Ok(taken) => {
                decision(AttemptOutcome::Acknowledged, DeliveryState::Delivered, None, true, &taken.code, &taken.note)
            }
            Err(DeliveryError::Refused { reason }) => {
                decision(AttemptOutcome::Refused, DeliveryState::Refused, None, pass, "refused", reason)
            }
            Err(DeliveryError::Transient { reason, retry_after }) => match self.next(moment, *retry_after) {
                Some(due) => {
                    decision(AttemptOutcome::Transient, DeliveryState::Ready, Some(due), false, "transient", reason)
                }
                None => decision(AttemptOutcome::Transient, DeliveryState::Dead, None, pass, "transient", reason),
            },
            Err(DeliveryError::Unknown { reason }) => {
                let held = self.on_unknown == OnUnknown::Hold;
                match self.next(moment, None).filter(|_| !held) {
                    None if !held => {
                        decision(AttemptOutcome::Unknown, DeliveryState::Dead, None, pass, "unknown", reason)
                    }
                    due => decision(AttemptOutcome::Unknown, DeliveryState::Unknown, due, false, "unknown", reason),
                }
            }
        }
    }

    /// When to try again; `None` when the policy's time is over. The last try is made at that very time.
    fn next(&self, moment: Moment, retry_after: Option<Duration>) -> Option<DateTime<Utc>> {
        if moment.now >= moment.give_up_at {
            return None;
        }
        let asked = retry_after.map(|wait| self.bounded(wait)).unwrap_or_default();
        let wait = self.backoff(moment.attempt, moment.jitter).max(asked);
        let wait = chrono::Duration::from_std(wait).unwrap_or(chrono::Duration::MAX);
        Some(moment.now.checked_add_signed(wait).map_or(moment.give_up_at, |due| due.min(moment.give_up_at)))
    }

    /// A partner's own delay, as far as it is believed.
    #[must_use]
    pub fn bounded(&self, asked: Duration) -> Duration {
        asked.min(self.retry.max.0.max(LONGEST_ASKED))
    }

    /// Doubles from `first` to `max`; the jitter takes away up to a quarter.
    fn backoff(&self, attempt: i32, jitter: f64) -> Duration {
        let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(30);
        let wait = self.retry.first.0.saturating_mul(1 << doublings).min(self.retry.max.0);
        wait.mul_f64(0.75 + 0.25 * jitter.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::units::Period;
    use proptest::prelude::*;

    fn policy(on_reject: OnReject, on_unknown: OnUnknown) -> Policy {
        let period = |seconds| Period(Duration::from_secs(seconds));
        let retry = Retry { first: period(5), max: period(900), give_up_after: period(86_400) };
        Policy { retry, on_reject, on_unknown }
    }

    fn moment(attempt: i32) -> Moment {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Moment { now, attempt, give_up_at: now + chrono::Duration::hours(24), jitter: 1.0 }
    }

    fn seconds(decision: &Decision, moment: Moment) -> i64 {
        (decision.due.unwrap() - moment.now).num_seconds()
    }

    #[test]
    fn a_refusal_holds_the_patient_unless_the_destination_skips() {
        let refused = Err(DeliveryError::refused("AR"));
        let held = policy(OnReject::HoldPatient, OnUnknown::Resend).decide(&refused, moment(1));
        assert_eq!((held.state, held.settled, held.due), (DeliveryState::Refused, false, None));
        let passed = policy(OnReject::Skip, OnUnknown::Resend).decide(&refused, moment(1));
        assert_eq!((passed.state, passed.settled), (DeliveryState::Refused, true));
    }

    #[test]
    fn waits_double_up_to_the_longest_and_honour_the_partner() {
        let policy = policy(OnReject::HoldPatient, OnUnknown::Resend);
        let waits: Vec<_> = [1, 2, 3, 8, 9, 40, i32::MAX]
            .map(|attempt| {
                seconds(&policy.decide(&Err(DeliveryError::transient("busy")), moment(attempt)), moment(attempt))
            })
            .into();
        assert_eq!(waits, [5, 10, 20, 640, 900, 900, 900]);
        let asked = DeliveryError::Transient { reason: String::new(), retry_after: Some(Duration::from_hours(1)) };
        assert_eq!(seconds(&policy.decide(&Err(asked), moment(1)), moment(1)), 3_600);
    }

    #[test]
    fn a_partner_may_ask_for_an_hour_or_for_the_longest_wait_and_no_more() {
        let mut policy = policy(OnReject::HoldPatient, OnUnknown::Resend);
        let forever = DeliveryError::Transient { reason: String::new(), retry_after: Some(Duration::MAX) };
        let wait = |policy: &Policy| seconds(&policy.decide(&Err(forever.clone()), moment(1)), moment(1));
        assert_eq!(wait(&policy), 3_600);
        policy.retry.max = Period(Duration::from_hours(2));
        assert_eq!(wait(&policy), 7_200);
    }

    #[test]
    fn the_last_try_is_at_the_end_of_the_policy_and_then_it_is_dead() {
        let policy = policy(OnReject::HoldPatient, OnUnknown::Resend);
        let mut late = moment(9);
        late.now = late.give_up_at - chrono::Duration::seconds(1);
        let failed = Err(DeliveryError::transient("down"));
        assert_eq!(policy.decide(&failed, late).due, Some(late.give_up_at));
        late.now = late.give_up_at;
        let dead = policy.decide(&failed, late);
        assert_eq!((dead.state, dead.due, dead.settled), (DeliveryState::Dead, None, false));
    }

    #[test]
    fn an_unknown_outcome_is_resent_or_held_and_stays_a_state_of_its_own() {
        let unknown = Err(DeliveryError::unknown("no answer"));
        let resend = policy(OnReject::HoldPatient, OnUnknown::Resend).decide(&unknown, moment(1));
        assert_eq!((resend.state, resend.settled), (DeliveryState::Unknown, false));
        assert!(resend.due.is_some());
        let hold = policy(OnReject::Skip, OnUnknown::Hold).decide(&unknown, moment(1));
        assert_eq!((hold.state, hold.due, hold.settled), (DeliveryState::Unknown, None, false));
    }

    proptest! {
        #[test]
        fn a_retry_is_never_in_the_past_nor_past_the_end(attempt in 1..1000_i32, jitter in 0.0..1.0_f64, left in 1..100_000_i64) {
            let mut at = moment(attempt);
            at.jitter = jitter;
            at.give_up_at = at.now + chrono::Duration::seconds(left);
            let due = policy(OnReject::Skip, OnUnknown::Resend).decide(&Err(DeliveryError::transient("")), at).due.unwrap();
            prop_assert!(due > at.now && due <= at.give_up_at);
        }
    }
}
