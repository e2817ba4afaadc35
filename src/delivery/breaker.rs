//! The breaker of one destination: a partner that takes nothing from anybody is called by one delivery at a time, after
//! waits that grow, so that a silence costs a few deliveries and not everybody's. In memory, on this node. Pure.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::destination::{Acknowledgement, DeliveryError};

/// Deliveries in a row that were not taken, of as many different ones: one poisoned patient makes no outage.
const OPENS_AT: usize = 5;
/// Longest wait between two calls, unless the partner asks for more.
const LONGEST: Duration = Duration::from_mins(1);

/// What is known of a destination's last calls.
#[derive(Debug)]
pub struct Breaker {
    first: Duration,
    /// Which were not taken, until it opens.
    failed: Vec<Uuid>,
    /// Ends without an acknowledgement or a refusal since the last one that had one.
    in_a_row: usize,
    /// Calls that failed since it opened, those that were under way together as one.
    rounds: u32,
    under_way: usize,
    /// When the next call may be made.
    not_before: Option<DateTime<Utc>>,
    /// Until when the partner asked to be left alone.
    asked: Option<DateTime<Utc>>,
    /// When the last call ended.
    ended_at: Option<DateTime<Utc>>,
}

/// How many deliveries may be leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// As many as there are free places.
    All,
    /// One.
    One,
    /// None before then.
    NotBefore(DateTime<Utc>),
    /// None before what is under way has ended.
    AfterThis,
}

impl Breaker {
    /// A closed one; `first` is the first wait when it is open, at most a minute.
    #[must_use]
    pub fn new(first: Duration) -> Self {
        let (failed, first) = (Vec::new(), first.min(LONGEST));
        Self { first, failed, in_a_row: 0, rounds: 0, under_way: 0, not_before: None, asked: None, ended_at: None }
    }

    /// How many may be leased now.
    #[must_use]
    pub fn leave(&self, now: DateTime<Utc>) -> Leave {
        // A clock that went back holds nobody up.
        let is_back = self.ended_at.is_some_and(|ended| after(now, LONGEST).is_some_and(|soon| soon < ended));
        match self.not_before.max(self.asked).filter(|_| !is_back) {
            Some(then) if then > now => Leave::NotBefore(then),
            _ if !self.is_open() => Leave::All,
            _ if self.under_way > 0 => Leave::AfterThis,
            _ => Leave::One,
        }
    }

    /// So many were leased; each is [`Breaker::ended`] or [`Breaker::left`].
    pub fn leased(&mut self, count: usize) {
        self.under_way += count;
    }

    /// One that was leased did not come to a call.
    pub fn left(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// The end of a call; `asked` is how long the partner asked to be left alone, as far as it is believed.
    pub fn ended(
        &mut self,
        delivery: Uuid,
        result: &Result<Acknowledgement, DeliveryError>,
        asked: Option<Duration>,
        now: DateTime<Utc>,
    ) {
        self.left();
        self.ended_at = Some(now);
        match result {
            Ok(_) | Err(DeliveryError::Refused { .. }) => {
                (self.in_a_row, self.rounds, self.not_before) = (0, 0, None);
                self.failed.clear();
            }
            Err(DeliveryError::Transient { .. } | DeliveryError::Unknown { .. }) => {
                self.in_a_row += 1;
                if !self.is_open() && !self.failed.contains(&delivery) {
                    self.failed.push(delivery);
                }
                if self.is_open() && self.under_way == 0 {
                    self.not_before = after(now, self.wait());
                    self.rounds = self.rounds.saturating_add(1);
                }
            }
        }
        self.asked = self.asked.max(asked.and_then(|asked| after(now, asked)));
    }

    /// Lets the next call be made at once: somebody looked after the partner.
    pub fn forget_waits(&mut self) {
        (self.rounds, self.not_before, self.asked) = (0, None, None);
    }

    /// Ends in a row that were not taken, while calls are spaced for them.
    #[must_use]
    pub fn open(&self) -> Option<usize> {
        self.is_open().then_some(self.in_a_row)
    }

    fn is_open(&self) -> bool {
        self.failed.len() >= OPENS_AT
    }

    fn wait(&self) -> Duration {
        self.first.saturating_mul(1 << self.rounds.min(30)).min(LONGEST)
    }
}

fn after(now: DateTime<Utc>, wait: Duration) -> Option<DateTime<Utc>> {
    now.checked_add_signed(chrono::Duration::from_std(wait).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type End = Result<Acknowledgement, DeliveryError>;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn end(is_taken: bool) -> End {
        if is_taken { Ok(Acknowledgement::default()) } else { Err(DeliveryError::unknown("no answer")) }
    }

    fn silence() -> End {
        end(false)
    }

    fn new() -> Breaker {
        Breaker::new(Duration::from_secs(5))
    }

    /// One call from its lease to its end.
    fn call(breaker: &mut Breaker, delivery: u128, end: &End, now: DateTime<Utc>) {
        breaker.leased(1);
        breaker.ended(Uuid::from_u128(delivery), end, None, now);
    }

    fn opened() -> Breaker {
        let mut breaker = new();
        for delivery in 0..5 {
            assert_eq!((breaker.leave(at(0)), breaker.open()), (Leave::All, None));
            call(&mut breaker, delivery, &silence(), at(0));
        }
        breaker
    }

    #[test]
    fn five_in_a_row_space_the_calls_and_the_waits_grow_to_a_minute() {
        let mut breaker = opened();
        assert_eq!(breaker.open(), Some(5));
        let mut now = 0;
        for wait in [5, 10, 20, 40, 60, 60] {
            assert_eq!(breaker.leave(at(now)), Leave::NotBefore(at(now + wait)));
            now += wait;
            assert_eq!(breaker.leave(at(now)), Leave::One);
            breaker.leased(1);
            assert_eq!(breaker.leave(at(now)), Leave::AfterThis, "one at a time");
            breaker.ended(Uuid::from_u128(9), &silence(), None, at(now));
        }
    }

    #[test]
    fn a_clock_that_went_back_holds_nobody_up() {
        let mut breaker = opened();
        breaker.asked = Some(at(3_600));
        assert_eq!(breaker.leave(at(-30)), Leave::NotBefore(at(3_600)), "clocks are corrected by seconds all day");
        assert_eq!(breaker.leave(at(-7_200)), Leave::One);
    }

    #[test]
    fn whatever_the_partner_takes_or_refuses_ends_it() {
        for end in [end(true), Err(DeliveryError::refused("AR"))] {
            let mut breaker = opened();
            call(&mut breaker, 9, &end, at(5));
            assert_eq!((breaker.leave(at(5)), breaker.open()), (Leave::All, None));
            for delivery in 0..4 {
                call(&mut breaker, delivery, &silence(), at(6));
            }
            assert_eq!(breaker.leave(at(6)), Leave::All, "it counts from the beginning");
        }
    }

    #[test]
    fn one_delivery_that_fails_again_and_again_spaces_nobody_elses_calls() {
        let mut breaker = new();
        for _ in 0..100 {
            call(&mut breaker, 1, &silence(), at(0));
        }
        assert_eq!((breaker.leave(at(0)), breaker.open()), (Leave::All, None));
    }

    #[test]
    fn calls_that_were_under_way_together_lengthen_the_wait_once() {
        let mut breaker = new();
        breaker.leased(8);
        for delivery in 0..8 {
            breaker.ended(Uuid::from_u128(delivery), &silence(), None, at(0));
            let leave = if delivery < 4 { Leave::All } else { Leave::AfterThis };
            assert!(delivery == 7 || breaker.leave(at(0)) == leave, "{delivery}: {:?}", breaker.leave(at(0)));
        }
        assert_eq!((breaker.leave(at(0)), breaker.open()), (Leave::NotBefore(at(5)), Some(8)));
    }

    #[test]
    fn a_partner_that_asks_to_be_left_alone_is_by_every_delivery() {
        let mut breaker = new();
        let busy = Err(DeliveryError::transient("answered 429"));
        breaker.leased(2);
        breaker.ended(Uuid::from_u128(1), &busy, Some(Duration::from_mins(5)), at(0));
        assert_eq!((breaker.leave(at(299)), breaker.open()), (Leave::NotBefore(at(300)), None));
        breaker.ended(Uuid::from_u128(2), &end(true), None, at(1));
        assert_eq!(breaker.leave(at(299)), Leave::NotBefore(at(300)), "what was under way then says nothing of it");
        assert_eq!(breaker.leave(at(300)), Leave::All);
    }

    #[test]
    fn a_lease_that_came_to_no_call_leaves_its_place_to_the_next() {
        let mut breaker = opened();
        breaker.leased(1);
        breaker.left();
        assert_eq!((breaker.leave(at(5)), breaker.open()), (Leave::One, Some(5)));
    }

    #[test]
    fn after_a_pause_the_next_call_is_made_at_once() {
        let mut breaker = opened();
        assert_ne!(breaker.leave(at(0)), Leave::One);
        breaker.forget_waits();
        assert_eq!(breaker.leave(at(0)), Leave::One, "one, for the partner has taken nothing yet");
    }

    proptest! {
        #[test]
        fn an_open_one_lets_one_go_within_a_minute_and_a_closed_one_everybody(
            calls in prop::collection::vec((0..8_u128, any::<bool>(), 1..4_usize), 0..60),
        ) {
            let (mut breaker, mut now) = (new(), at(0));
            for (delivery, is_taken, free) in calls {
                if let Leave::NotBefore(then) = breaker.leave(now) {
                    prop_assert!(then - now <= chrono::Duration::minutes(1));
                    now = then;
                }
                let leave = breaker.leave(now);
                prop_assert_eq!(leave, if breaker.open().is_some() { Leave::One } else { Leave::All });
                let count = if leave == Leave::One { 1 } else { free };
                breaker.leased(count);
                for _ in 0..count {
                    breaker.ended(Uuid::from_u128(delivery), &end(is_taken), None, now);
                }
                prop_assert!(!is_taken || breaker.open().is_none());
            }
        }
    }
}
