//! How much comes and goes for each destination: the counters of this process, looked at every few seconds and kept for
//! a quarter of an hour.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::telemetry::Metrics;

/// How often the counters are looked at.
pub(super) const EVERY: Duration = Duration::from_secs(5);
/// Looks that are kept: a quarter of an hour.
const KEPT: usize = 180;
/// Looks in a minute.
const MINUTE: usize = 12;
/// Bars of a chart, and looks in each.
pub(super) const BARS: usize = 30;
const LOOKS: usize = KEPT / BARS;

/// Totals at one look.
type Look = (u64, u64);

/// The looks of every destination, oldest first.
#[derive(Default)]
pub(super) struct Flow(Mutex<HashMap<String, VecDeque<Look>>>);

/// What came and went for one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rates {
    /// Accepted for it in the last minute.
    pub(super) came: u64,
    /// Delivered to it in the last minute.
    pub(super) went: u64,
    /// Accepted and delivered, in half minutes, oldest first.
    pub(super) bars: Vec<(u64, u64)>,
}

impl Flow {
    /// Looks at the counters of these destinations.
    pub(super) fn look(&self, metrics: &Metrics, destinations: &[String]) {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for name in destinations {
            let kept = looks.entry(name.clone()).or_default();
            if kept.len() > KEPT {
                kept.pop_front();
            }
            kept.push_back((metrics.came(name), metrics.went(name)));
        }
    }

    /// What came and went for a destination.
    pub(super) fn of(&self, name: &str) -> Rates {
        let looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept: Vec<Look> = looks.get(name).map(|kept| kept.iter().copied().collect()).unwrap_or_default();
        rates(&kept)
    }
}

fn rates(kept: &[Look]) -> Rates {
    // Before the first look nothing was counted.
    let at = |back: usize| kept.len().checked_sub(1 + back).and_then(|at| kept.get(at)).or(kept.first()).copied();
    let between = |older: usize, newer: usize| match (at(older), at(newer)) {
        (Some(older), Some(newer)) => (newer.0.saturating_sub(older.0), newer.1.saturating_sub(older.1)),
        _ => (0, 0),
    };
    let (came, went) = between(MINUTE, 0);
    let bars = (0..BARS).rev().map(|bar| between((bar + 1) * LOOKS, bar * LOOKS)).collect();
    Rates { came, went, bars }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_what_was_added_in_the_time() {
        assert_eq!(rates(&[]), Rates { came: 0, went: 0, bars: vec![(0, 0); BARS] });
        let looks: Vec<Look> = (0..=20).map(|look| (look * 2, look)).collect();
        let told = rates(&looks);
        assert_eq!((told.came, told.went), (24, 12));
        assert_eq!(told.bars.len(), BARS);
        assert_eq!(told.bars[BARS - 1], (12, 6));
        assert_eq!(told.bars.iter().map(|bar| bar.0).sum::<u64>(), 40, "the bars hold everything, once");
    }

    #[test]
    fn what_is_older_than_a_quarter_of_an_hour_is_let_go() {
        let (flow, metrics) = (Flow::default(), Metrics::default());
        for _ in 0..KEPT * 2 {
            flow.look(&metrics, &["pas".to_owned()]);
        }
        assert_eq!(flow.0.lock().unwrap()["pas"].len(), KEPT + 1);
    }
}
