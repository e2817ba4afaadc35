//! A source's rate, by the generic cell rate algorithm: one moment, before which the source has used up its burst.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::units::Rate;

/// Counts requests.
pub struct Meter {
    /// Time that one request costs.
    cost: Duration,
    /// Time that may be owed: the burst.
    credit: Duration,
    /// When nothing is owed any more.
    even: Mutex<Option<Instant>>,
}

impl Meter {
    /// So many in a period, and `burst` at once.
    #[must_use]
    pub fn new(rate: Rate, burst: u32) -> Self {
        let cost = rate.period / rate.count;
        Self { cost, credit: cost * burst, even: Mutex::default() }
    }

    /// Takes one request.
    ///
    /// # Errors
    /// How long the source is to wait.
    pub fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut even = self.even.lock().unwrap_or_else(PoisonError::into_inner);
        let next = even.filter(|even| *even > now).unwrap_or(now) + self.cost;
        let owed = next - now;
        if let Some(wait) = owed.checked_sub(self.credit).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        *even = Some(next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_is_let_through_and_then_the_rate_counts() {
        let meter = Meter::new("10/s".parse().unwrap(), 3);
        let start = Instant::now();
        let at = |ms| meter.admit(start + Duration::from_millis(ms));
        assert!(at(0).is_ok() && at(0).is_ok() && at(0).is_ok());
        assert_eq!(at(0), Err(Duration::from_millis(100)), "told when to come again");
        assert_eq!(at(50), Err(Duration::from_millis(50)));
        assert!(at(100).is_ok() && at(100).is_err());
        assert!(at(10_000).is_ok() && at(10_000).is_ok() && at(10_000).is_ok() && at(10_000).is_err());
    }

    proptest! {
        #[test]
        fn no_source_gets_more_than_its_rate_and_burst(
            count in 1_u32..100, burst in 1_u32..20, gaps in prop::collection::vec(0_u64..50, 1..200)
        ) {
            let meter = Meter::new(Rate { count, period: Duration::from_secs(1) }, burst);
            let start = Instant::now();
            let (mut now, mut admitted) = (start, 0_u32);
            for gap in gaps {
                now += Duration::from_millis(gap);
                admitted += u32::from(meter.admit(now).is_ok());
            }
            let earned = (now - start).as_secs_f64() * f64::from(count);
            prop_assert!(f64::from(admitted) <= earned + f64::from(burst) + 0.001, "{admitted} of {earned} + {burst}");
        }
    }
}
