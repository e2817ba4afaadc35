//! What the first page shows: destinations, worst first, how messages ended at the door, the latest exchanges.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::Pages;
use super::flow::Rates;
use super::page::span;
use crate::exchange::ExchangeId;
use crate::store::overview::{self, DestinationFigures};
use crate::store::stories::{self, Filter, Line};

/// A destination whose oldest delivery is older than this needs somebody.
const LATE: TimeDelta = TimeDelta::minutes(5);
/// Exchanges on the first page.
const LATEST: i64 = 10;

/// One look at everything.
pub(super) struct Overview {
    pub(super) at: DateTime<Utc>,
    pub(super) destinations: Vec<Destination>,
    /// How messages of the last hour ended, and how many.
    pub(super) door: Vec<(String, i64)>,
    pub(super) latest: Vec<Line>,
}

/// How a destination does; the worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Condition {
    /// Nothing waits, or what waits is on its way.
    Good,
    /// An operator has paused it.
    Paused,
    /// It does well, and messages for it are in quarantine until somebody decides.
    Deciding,
    /// Something is late or uncertain, and goes on by itself.
    Uneasy,
    /// It does not get what it should, and not by itself.
    Stuck,
}

/// One destination.
pub(super) struct Destination {
    pub(super) figures: DestinationFigures,
    pub(super) rates: Rates,
    pub(super) condition: Condition,
    /// Something does not go on until somebody has looked or decided, whatever else is wrong.
    pub(super) needs: bool,
    pub(super) why: String,
    /// After how many in a row that were not taken this process spaces its calls; `None` while it does not.
    pub(super) untaken: Option<usize>,
    /// A destination that the configuration does not name any more.
    pub(super) unconfigured: bool,
}

impl Overview {
    /// Looks.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn look(pages: &Pages, db: &mut PgConnection) -> sqlx::Result<Self> {
        let at = pages.clock.now();
        let mut destinations: Vec<Destination> = overview::destinations(&mut *db)
            .await?
            .into_iter()
            .filter_map(|figures| {
                let unconfigured = !pages.destinations.contains(&figures.name);
                let idle = waiting(&figures) + figures.dead + figures.quarantined + figures.under_way == 0;
                (!(unconfigured && idle)).then(|| judged(figures, pages, unconfigured, at))
            })
            .collect();
        destinations.sort_by(|a, b| {
            let rank = |one: &Destination| (one.condition, one.figures.dead, waiting(&one.figures));
            rank(b).cmp(&rank(a)).then_with(|| a.figures.name.cmp(&b.figures.name))
        });
        let hour = ExchangeId::first_at(at - TimeDelta::hours(1)).uuid();
        let door = overview::door(&mut *db, hour).await?;
        let latest = stories::list(db, &Filter::default(), LATEST).await?;
        Ok(Self { at, destinations, door, latest })
    }

    /// How the worst destination does.
    pub(super) fn worst(&self) -> Condition {
        self.destinations.iter().map(|one| one.condition).max().unwrap_or(Condition::Good)
    }

    /// How many destinations are so.
    pub(super) fn count(&self, so: impl Fn(&Destination) -> bool) -> usize {
        self.destinations.iter().filter(|one| so(one)).count()
    }
}

fn judged(figures: DestinationFigures, pages: &Pages, unconfigured: bool, at: DateTime<Utc>) -> Destination {
    let rates = pages.flow.of(&figures.name);
    let (condition, why) = judge(&figures, unconfigured, at);
    let needs = condition == Condition::Stuck || figures.dead + figures.quarantined > 0;
    let untaken = pages.metrics.untaken(&figures.name);
    Destination { figures, rates, condition, needs, why, untaken, unconfigured }
}

/// Deliveries that will be sent, sooner or later.
pub(super) fn waiting(figures: &DestinationFigures) -> i64 {
    figures.to_send + figures.held + figures.unknown
}

/// What is wrong now comes first, then what somebody is asked for: neither hides the other.
fn judge(figures: &DestinationFigures, unconfigured: bool, at: DateTime<Utc>) -> (Condition, String) {
    let (now, what) = goes(figures, unconfigured, at);
    let Some(asked) = asked(figures) else {
        let idle = waiting(figures) + figures.under_way == 0;
        let well = if idle { "Nothing waits" } else { "Working through" };
        return (now, what.unwrap_or_else(|| well.to_owned()));
    };
    let condition = match now {
        Condition::Paused => Condition::Paused,
        _ if figures.dead > 0 => Condition::Stuck,
        now => now.max(Condition::Deciding),
    };
    (condition, what.map_or_else(|| asked.clone(), |what| format!("{what}; and {asked}")))
}

/// How what can be sent goes, and what is to be told of it.
fn goes(figures: &DestinationFigures, unconfigured: bool, at: DateTime<Utc>) -> (Condition, Option<String>) {
    let since = |then: DateTime<Utc>| Some(at - then).filter(|age| *age > LATE).map(span);
    let (condition, what) = if unconfigured {
        (Condition::Stuck, "The configuration does not name it any more; nothing is sent".to_owned())
    } else if let Some((paused, by, because)) = &figures.paused {
        (Condition::Paused, format!("Paused by {by} {} ago: {because}", span(at - *paused)))
    } else if let Some((note, first)) = &figures.failing {
        match since(*first) {
            Some(since) => (Condition::Stuck, format!("Trying for {since}: {note}")),
            None => (Condition::Uneasy, format!("Trying again: {note}")),
        }
    } else if figures.unknown > 0 {
        (Condition::Uneasy, format!("{} sent, and not known whether taken", figures.unknown))
    } else if let Some(since) = figures.oldest_free.and_then(since) {
        (Condition::Uneasy, format!("The oldest that could be sent has waited for {since}"))
    } else {
        return (Condition::Good, None);
    };
    (condition, Some(what))
}

/// What somebody is asked for, and how many wait for their turn beside it; `None` when nobody is.
fn asked(figures: &DestinationFigures) -> Option<String> {
    let mut asked = Vec::new();
    match figures.dead {
        0 => {}
        1 => asked.push("1 dead letter for somebody to retry or skip".to_owned()),
        dead => asked.push(format!("{dead} dead letters for somebody to retry or skip")),
    }
    if figures.quarantined > 0 {
        asked.push(format!("{} in quarantine for somebody to release or refuse", figures.quarantined));
    }
    let behind = match figures.held {
        0 => String::new(),
        1 => "; 1 waits behind an earlier one of the same patient".to_owned(),
        held => format!("; {held} wait behind earlier ones of the same patients"),
    };
    (!asked.is_empty()).then(|| asked.join(" and ") + &behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut DestinationFigures, DateTime<Utc>);

    fn told(change: Change) -> (Condition, String) {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut figures = DestinationFigures::default();
        change(&mut figures, at);
        judge(&figures, false, at)
    }

    #[test]
    fn what_needs_somebody_is_worse_than_what_goes_on_by_itself() {
        let cases: [(Change, Condition, &str); 9] = [
            (|_, _| {}, Condition::Good, "Nothing waits"),
            (
                |of, at| (of.quarantined, of.held, of.oldest) = (1, 2, Some(at)),
                Condition::Deciding,
                "1 in quarantine for somebody to release or refuse; 2 wait behind earlier ones of the same patients",
            ),
            (|of, at| (of.to_send, of.oldest_free) = (3, Some(at)), Condition::Good, "Working through"),
            (
                |of, at| (of.to_send, of.oldest_free) = (3, Some(at - TimeDelta::minutes(6))),
                Condition::Uneasy,
                "The oldest that could be sent has waited for 6 min",
            ),
            (
                |of, at| (of.to_send, of.failing) = (3, Some(("refused".to_owned(), at))),
                Condition::Uneasy,
                "Trying again: refused",
            ),
            (
                |of, at| (of.to_send, of.failing) = (3, Some(("refused".to_owned(), at - TimeDelta::hours(3)))),
                Condition::Stuck,
                "Trying for 3 h: refused",
            ),
            (
                |of, _| (of.dead, of.held) = (2, 4),
                Condition::Stuck,
                "2 dead letters for somebody to retry or skip; 4 wait behind earlier ones of the same patients",
            ),
            (|of, _| of.unknown = 1, Condition::Uneasy, "1 sent, and not known whether taken"),
            (
                |of, at| of.paused = Some((at - TimeDelta::hours(2), "Ada".to_owned(), "PAS upgrade".to_owned())),
                Condition::Paused,
                "Paused by Ada 2 h ago: PAS upgrade",
            ),
        ];
        for (change, condition, why) in cases {
            assert_eq!(told(change), (condition, why.to_owned()));
        }
        assert!(Condition::Stuck > Condition::Uneasy && Condition::Uneasy > Condition::Deciding);
        assert!(Condition::Deciding > Condition::Paused);
    }

    #[test]
    fn what_somebody_is_asked_for_hides_nothing_that_fails() {
        let cases: [(Change, Condition, &str); 5] = [
            (
                |of, at| {
                    (of.quarantined, of.held) = (76, 297);
                    of.failing = Some(("cannot connect".to_owned(), at - TimeDelta::minutes(8)));
                },
                Condition::Stuck,
                "Trying for 8 min: cannot connect; and 76 in quarantine for somebody to release or refuse; 297 wait \
                 behind earlier ones of the same patients",
            ),
            (
                |of, at| (of.quarantined, of.failing) = (1, Some(("cannot connect".to_owned(), at))),
                Condition::Uneasy,
                "Trying again: cannot connect; and 1 in quarantine for somebody to release or refuse",
            ),
            (
                |of, at| (of.dead, of.failing) = (1, Some(("cannot connect".to_owned(), at))),
                Condition::Stuck,
                "Trying again: cannot connect; and 1 dead letter for somebody to retry or skip",
            ),
            (
                |of, _| (of.dead, of.quarantined, of.held) = (2, 3, 1),
                Condition::Stuck,
                "2 dead letters for somebody to retry or skip and 3 in quarantine for somebody to release or refuse; \
                 1 waits behind an earlier one of the same patient",
            ),
            (
                |of, at| {
                    of.dead = 2;
                    of.paused = Some((at - TimeDelta::hours(2), "Ada".to_owned(), "PAS upgrade".to_owned()));
                },
                Condition::Paused,
                "Paused by Ada 2 h ago: PAS upgrade; and 2 dead letters for somebody to retry or skip",
            ),
        ];
        for (change, condition, why) in cases {
            assert_eq!(told(change), (condition, why.to_owned()));
        }
    }

    #[test]
    fn what_waits_behind_the_quarantine_makes_nothing_late() {
        let (condition, why) = told(|of, at| {
            (of.quarantined, of.held, of.oldest) = (1, 1, Some(at - TimeDelta::hours(9)));
            (of.to_send, of.oldest_free) = (1, Some(at));
        });
        assert_eq!((condition, why.contains("9 h")), (Condition::Deciding, false), "{why}");
    }

    #[test]
    fn a_destination_that_is_no_longer_configured_is_not_forgotten() {
        assert_eq!(judge(&DestinationFigures::default(), true, DateTime::UNIX_EPOCH).0, Condition::Stuck);
    }
}
