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
    /// Something is late or uncertain, and goes on by itself.
    Uneasy,
    /// Somebody is needed.
    Stuck,
}

/// One destination.
pub(super) struct Destination {
    pub(super) figures: DestinationFigures,
    pub(super) rates: Rates,
    pub(super) condition: Condition,
    pub(super) why: String,
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

    /// Whether any destination is as bad as this, or worse.
    pub(super) fn count(&self, condition: Condition) -> usize {
        self.destinations.iter().filter(|one| one.condition == condition).count()
    }
}

fn judged(figures: DestinationFigures, pages: &Pages, unconfigured: bool, at: DateTime<Utc>) -> Destination {
    let rates = pages.flow.of(&figures.name);
    let (condition, why) = judge(&figures, unconfigured, at);
    Destination { figures, rates, condition, why, unconfigured }
}

/// Deliveries that will be sent, sooner or later.
pub(super) fn waiting(figures: &DestinationFigures) -> i64 {
    figures.to_send + figures.held + figures.unknown
}

/// How many wait behind what somebody is needed for.
fn behind(figures: &DestinationFigures) -> String {
    if figures.held > 0 { format!("; {} wait behind", figures.held) } else { String::new() }
}

fn judge(figures: &DestinationFigures, unconfigured: bool, at: DateTime<Utc>) -> (Condition, String) {
    let age = figures.oldest.map(|oldest| at - oldest);
    let late = age.is_some_and(|age| age > LATE);
    let since = age.map(span).unwrap_or_default();
    let waits = waiting(figures);
    let failing = figures.failure.as_ref().filter(|_| waits > 0).map(|(note, ..)| note.as_str());
    if unconfigured {
        return (Condition::Stuck, "The configuration does not name it any more; nothing is sent".to_owned());
    }
    if let Some((paused, by, because)) = &figures.paused {
        return (Condition::Paused, format!("Paused by {by} {} ago: {because}", span(at - *paused)));
    }
    match (figures.dead, failing) {
        (1.., _) => {
            let letters = if figures.dead == 1 { "dead letter" } else { "dead letters" };
            (Condition::Stuck, format!("{} {letters} for somebody to retry or skip{}", figures.dead, behind(figures)))
        }
        _ if figures.quarantined > 0 => {
            let sentence = format!("{} in quarantine for somebody to release or refuse", figures.quarantined);
            (Condition::Stuck, sentence + &behind(figures))
        }
        (_, Some(note)) if late => (Condition::Stuck, format!("Trying for {since}: {note}")),
        (_, Some(note)) => (Condition::Uneasy, format!("Trying again: {note}")),
        _ if figures.unknown > 0 => {
            (Condition::Uneasy, format!("{} sent, and not known whether taken", figures.unknown))
        }
        _ if late => (Condition::Uneasy, format!("The oldest has waited for {since}")),
        _ if waits + figures.under_way > 0 => (Condition::Good, "Working through".to_owned()),
        _ => (Condition::Good, "Nothing waits".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> DestinationFigures {
        DestinationFigures {
            name: "ward".to_owned(),
            paused: None,
            to_send: 0,
            held: 0,
            unknown: 0,
            dead: 0,
            quarantined: 0,
            under_way: 0,
            oldest: None,
            failure: None,
        }
    }

    type Change = fn(&mut DestinationFigures, DateTime<Utc>);

    #[test]
    fn what_needs_somebody_is_worse_than_what_goes_on_by_itself() {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let told = |change: fn(&mut DestinationFigures, DateTime<Utc>)| {
            let mut figures = figures();
            change(&mut figures, at);
            judge(&figures, false, at)
        };
        let cases: [(Change, Condition, &str); 8] = [
            (|_, _| {}, Condition::Good, "Nothing waits"),
            (
                |of, at| (of.quarantined, of.held, of.oldest) = (1, 2, Some(at)),
                Condition::Stuck,
                "1 in quarantine for somebody to release or refuse; 2 wait behind",
            ),
            (|of, at| (of.to_send, of.oldest) = (3, Some(at)), Condition::Good, "Working through"),
            (
                |of, at| (of.to_send, of.oldest) = (3, Some(at - TimeDelta::minutes(6))),
                Condition::Uneasy,
                "The oldest has waited for 6 min",
            ),
            (
                |of, at| (of.to_send, of.oldest, of.failure) = (3, Some(at), Some(("refused".to_owned(), at, 1))),
                Condition::Uneasy,
                "Trying again: refused",
            ),
            (
                |of, at| {
                    (of.to_send, of.oldest) = (3, Some(at - TimeDelta::hours(3)));
                    of.failure = Some(("refused".to_owned(), at, 9));
                },
                Condition::Stuck,
                "Trying for 3 h: refused",
            ),
            (
                |of, _| (of.dead, of.held) = (2, 4),
                Condition::Stuck,
                "2 dead letters for somebody to retry or skip; 4 wait behind",
            ),
            (
                |of, at| {
                    of.dead = 2;
                    of.paused = Some((at - TimeDelta::hours(2), "Ada".to_owned(), "PAS upgrade".to_owned()));
                },
                Condition::Paused,
                "Paused by Ada 2 h ago: PAS upgrade",
            ),
        ];
        for (change, condition, why) in cases {
            assert_eq!(told(change), (condition, why.to_owned()));
        }
        assert!(Condition::Stuck > Condition::Uneasy && Condition::Uneasy > Condition::Paused);
    }

    #[test]
    fn a_destination_that_is_no_longer_configured_is_not_forgotten() {
        assert_eq!(judge(&figures(), true, DateTime::UNIX_EPOCH).0, Condition::Stuck);
    }
}
