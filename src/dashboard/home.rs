//! `/`: is anything stuck now, and why. The same parts are sent again whenever they change.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};

use super::access::Person;
use super::act::ask;
use super::overview::{Condition, Destination, Overview, waiting};
use super::page::{Place, moment, page, span};
use super::{Pages, chart, notice, page as pages_};
use crate::delivery::standing::id;
use crate::exchange::rows::ExchangeOutcome;
use crate::store::stories::Line;

/// What rates are of: each process counts its own.
const HERE: &str = "Counted by this gateway process since it started; others on the same database count their own";

/// The first page.
pub(super) async fn show(
    State(pages): State<Arc<Pages>>,
    Extension(person): Extension<Person>,
    RawQuery(query): RawQuery,
) -> Response {
    let look = async {
        let mut db = pages.pool.acquire().await?;
        Overview::look(&pages, &mut db).await
    };
    match look.await {
        Ok(overview) => {
            let content = html! {
                (notice::shown(query.as_deref()))
                div #live data-live="/live" { (parts(&overview, &person)) }
            };
            page("Now", Some(Place::Now), &person, &content)
        }
        Err(error) => {
            tracing::error!(%error, "the first page could not be made");
            pages_::unavailable()
        }
    }
}

/// Everything that changes.
pub(super) fn parts(overview: &Overview, person: &Person) -> Markup {
    html! {
        section.summary.(word(overview.worst()).0) data-part="summary" aria-labelledby="now" {
            h1 #now { (headline(overview)) }
            p.state { span #line role="status" { "As of" } " " (moment(overview.at)) " UTC" }
        }
        section aria-labelledby="destinations-title" {
            div.title {
                h2 #destinations-title { "Destinations" }
                p.small.legend {
                    span { span.key.came {} "in" }
                    span { span.key.went {} "out" }
                    span { "in the last quarter of an hour, through this gateway process" }
                }
            }
            @if overview.destinations.is_empty() {
                p { "No destination is configured: messages are recorded and sent nowhere." }
            }
            ul.destinations data-list="destinations" {
                @for one in &overview.destinations { (destination(one, overview, person)) }
            }
        }
        div.columns {
            (door(overview))
            section aria-labelledby="latest-title" {
                h2 #latest-title { "Latest exchanges" }
                div data-part="latest" { (table(&overview.latest)) }
            }
        }
    }
}

fn headline(overview: &Overview) -> String {
    let one = |count: usize| if count == 1 { "destination" } else { "destinations" };
    let needs = overview.count(|one| one.needs);
    let uneasy = overview.count(|one| !one.needs && one.condition == Condition::Uneasy);
    let paused = overview.count(|one| one.condition == Condition::Paused);
    match (needs, uneasy, paused) {
        (0, 0, 0) => "Everything flows".to_owned(),
        (0, 0, paused) => format!("{paused} {} paused", one(paused)),
        (0, uneasy, _) => format!("{uneasy} {} in trouble", one(uneasy)),
        (needs, uneasy, _) => {
            let more = if uneasy > 0 { format!(", {uneasy} in trouble") } else { String::new() };
            format!("{needs} {} need{} somebody{more}", one(needs), if needs == 1 { "s" } else { "" })
        }
    }
}

fn word(condition: Condition) -> (&'static str, &'static str) {
    match condition {
        Condition::Good => ("good", "Good"),
        Condition::Paused => ("paused", "Paused"),
        Condition::Deciding => ("deciding", "To decide"),
        Condition::Uneasy => ("uneasy", "In trouble"),
        Condition::Stuck => ("stuck", "Stuck"),
    }
}

fn destination(one: &Destination, overview: &Overview, person: &Person) -> Markup {
    let figures = &one.figures;
    let (class, word) = word(one.condition);
    let name = &figures.name;
    let oldest = figures.oldest.map(|oldest| span(overview.at - oldest));
    let label = format!(
        "{} accepted and {} delivered in the last minute by this gateway process; bars of half a minute over a quarter of an hour",
        one.rates.came, one.rates.went
    );
    let of_destination = |path: &str, state: &str| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("destination", name);
        if !state.is_empty() {
            query.append_pair("state", state);
        }
        format!("{path}?{}", query.finish())
    };
    html! {
        li.destination.(class) data-part=(format!("destination {name}")) {
            header {
                h3 { a href=(of_destination("/exchanges", "")) { (name) } }
                span.lamp-word { (word) }
            }
            p.why { (one.why) }
            dl.figures {
                div { dt { "Waiting" } dd { a href=(of_destination("/exchanges", "pending")) { (waiting(figures)) } } }
                div { dt { "Oldest" } dd { (oldest.as_deref().unwrap_or("–")) } }
                div title=(HERE) { dt { "In / min" } dd { (one.rates.came) } }
                div title=(HERE) { dt { "Out / min" } dd { (one.rates.went) } }
                div { dt { "Dead" } dd { a href="/dead-letters" aria-label=(format!("{} dead letters", figures.dead)) { (figures.dead) } } }
                @if figures.quarantined > 0 {
                    div { dt { "Held" } dd { a href="/quarantine" aria-label=(format!("{} in quarantine", figures.quarantined)) { (figures.quarantined) } } }
                }
            }
            (chart::flow(&one.rates.bars, &label))
            @if let Some(count) = one.untaken {
                p.failure { "Calls are spaced: " (count) " in a row were not taken" }
            }
            @if let Some((note, at, attempts)) = &figures.failure {
                p.failure { "Last error " (moment(*at)) ", attempt " (attempts) ": " (note) }
            }
            @if person.role.may_act() && !one.unconfigured { (switch(one)) }
        }
    }
}

/// Pause or resume, with a reason.
fn switch(one: &Destination) -> Markup {
    let name = &one.figures.name;
    let (verb, shown, class) =
        if one.figures.paused.is_some() { ("resume", "Resume", "primary") } else { ("pause", "Pause", "quiet") };
    let encoded: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    ask(&format!("/destinations/{encoded}/{verb}"), shown, name, class, &[])
}

fn door(overview: &Overview) -> Markup {
    let whole: i64 = overview.door.iter().map(|(_, count)| count).sum();
    html! {
        section data-part="door" aria-labelledby="door-title" {
            h2 #door-title { "At the door, last hour" }
            dl.door {
                @for outcome in ExchangeOutcome::ALL.map(ExchangeOutcome::as_str) {
                    @let count = overview.door.iter().find(|(known, _)| known == outcome).map_or(0, |(_, count)| *count);
                    div {
                        dt { a href=(format!("/exchanges?outcome={outcome}")) { (outcome) } }
                        dd { (count) (chart::share(count, whole, outcome)) }
                    }
                }
            }
        }
    }
}

/// Exchanges, one a row. The roles stay a table's where a small window shows each row as a block.
pub(super) fn table(lines: &[Line]) -> Markup {
    let columns = ["Exchange", "Received", "Source", "What", "Answer", "Deliveries"];
    html! {
        @if lines.is_empty() { p { "None." } } @else {
            div.scroll tabindex="0" role="region" aria-label="Exchanges" {
                table.exchanges role="table" {
                    thead role="rowgroup" { tr role="row" {
                        @for column in columns { th scope="col" role="columnheader" { (column) } }
                    } }
                    tbody role="rowgroup" { @for line in lines { (row(line)) } }
                }
            }
        }
    }
}

fn row(line: &Line) -> Markup {
    let outcome = line.outcome.as_str();
    html! {
        tr role="row" {
            th scope="row" role="rowheader" { a.id href=(format!("/exchanges/{}", id(line.id))) { (id(line.id)) } }
            td role="cell" { (moment(line.received_at)) }
            td role="cell" { (line.source) }
            td role="cell" { (line.interaction) " " (line.resource_type.as_deref().unwrap_or("")) }
            td.answer role="cell" { span.outcome.(outcome) { (outcome) } " " (line.status) }
            td role="cell" { ul.chips { @for one in line.deliveries.split(", ") { (chip(one)) } } }
        }
    }
}

/// A delivery in a word: where to, and how it stands.
fn chip(delivery: &str) -> Markup {
    let (destination, state) = delivery.rsplit_once(' ').unwrap_or((delivery, ""));
    html! {
        @if !state.is_empty() { li.state-word.(state) { (destination) " " span.how { (state) } } }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::dashboard::flow::Rates;
    use crate::store::overview::DestinationFigures;

    #[test]
    fn the_headline_counts_each_destination_once_and_hides_no_trouble() {
        let told = |all: &[(Condition, bool)]| {
            let destinations = all.iter().map(|&(condition, needs)| Destination {
                figures: DestinationFigures::default(),
                rates: Rates { came: 0, went: 0, bars: Vec::new() },
                condition,
                needs,
                why: String::new(),
                untaken: None,
                unconfigured: false,
            });
            let destinations = destinations.collect();
            headline(&Overview { at: DateTime::UNIX_EPOCH, destinations, door: Vec::new(), latest: Vec::new() })
        };
        let (good, paused, deciding) =
            ((Condition::Good, false), (Condition::Paused, false), (Condition::Deciding, true));
        assert_eq!(told(&[good]), "Everything flows");
        assert_eq!(told(&[good, paused]), "1 destination paused");
        assert_eq!(told(&[paused, (Condition::Uneasy, false)]), "1 destination in trouble");
        assert_eq!(told(&[deciding, good]), "1 destination needs somebody");
        assert_eq!(told(&[deciding, (Condition::Uneasy, false)]), "1 destination needs somebody, 1 in trouble");
        assert_eq!(told(&[(Condition::Paused, true), (Condition::Uneasy, true)]), "2 destinations need somebody");
    }
}
