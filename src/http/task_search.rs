//! [search](https://hl7.org/fhir/R4/http.html#search) of Tasks, `GET [base]/Task?…`: a source's own exchanges, newest
//! first, page by page.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use chrono::{DateTime, Days, Months, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::visit::Visit;
use super::{Desk, answer, conditions, query, task_resource};
use crate::exchange::ExchangeId;
use crate::exchange::state::ExchangeStatus;
use crate::outcome::Issue;
use crate::rejection::Rejection;
use crate::store::tasks::Wanted;

/// Tasks of one page, unless `_count` says otherwise; and the most.
const PAGE: u16 = 20;
const LARGEST_PAGE: u16 = 100;
/// How far back a search goes that says nothing of time.
const USUAL_DAYS: i64 = 7;
/// The parameter of our own links that says where a page begins.
const AFTER: &str = "_after";

/// Answers with a Bundle of type searchset.
pub(super) async fn search(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Arc<Visit>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let place = desk.place(&uri);
    let wanted = match read(&visit, &uri, &headers) {
        Ok(wanted) => wanted,
        Err(rejection) => return desk.turn_away(&visit, &place, rejection).await,
    };
    match visit.within(desk.gateway.tasks(&visit.sender, wanted.clone())).await {
        Ok(found) => answer::resource(StatusCode::OK, &bundle(&desk.base_url, &uri, &wanted, found)),
        Err(rejection) => answer::rejected(&rejection),
    }
}

fn read(visit: &Visit, uri: &Uri, headers: &HeaderMap) -> Result<Wanted, Rejection> {
    visit.named.check()?;
    conditions::read(headers, None)?;
    let parameters: Vec<(String, String)> =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let (shape, filters): (Vec<_>, Vec<_>) =
        parameters.into_iter().partition(|(name, _)| matches!(name.as_str(), "_format" | "_pretty"));
    query::check_shape(&shape, headers)?;
    let mut wanted = Wanted { count: PAGE, from: visit.received_at - TimeDelta::days(USUAL_DAYS), ..Wanted::default() };
    let mut times = Vec::new();
    for (name, value) in &filters {
        match name.as_str() {
            "_id" => wanted.id = Some(task(value)?.uuid()),
            "identifier" => identifier(&mut wanted, value)?,
            "status" => wanted.statuses = value.split(',').map(status).collect::<Result<_, _>>()?,
            "authored-on" => times.push(period(value)?),
            "_count" => wanted.count = count(value)?,
            "_sort" if value == "-authored-on" => {}
            AFTER => wanted.before = Some(task(value)?.uuid()),
            _ => return Err(unknown()),
        }
    }
    if let Some(from) = times.iter().filter_map(|(from, _)| *from).max() {
        wanted.from = from;
    } else if wanted.id.is_some() || !times.is_empty() {
        wanted.from = DateTime::UNIX_EPOCH;
    }
    wanted.to = times.iter().filter_map(|(_, to)| *to).min();
    Ok(wanted)
}

fn invalid<T>(sentence: &str) -> Result<T, Rejection> {
    Err(Rejection::InvalidValue(sentence.to_owned()))
}

fn unknown() -> Rejection {
    let sentence = "a search of Tasks knows _id, identifier, status, authored-on, _sort=-authored-on, _count, _format and \
                    _pretty only";
    Rejection::Unreadable(vec![Issue::error("not-supported", sentence)])
}

fn task(value: &str) -> Result<ExchangeId, Rejection> {
    let id = value.strip_prefix("Task/").unwrap_or(value);
    id.parse().map_err(|_| Rejection::InvalidValue("this is no id of a Task".to_owned()))
}

/// `system|value`: the exchange as `urn:uuid:…`, the sender's request id, or its correlation id.
fn identifier(wanted: &mut Wanted, value: &str) -> Result<(), Rejection> {
    let value = value.rsplit_once('|').map_or(value, |(_, value)| value);
    let bare = value.strip_prefix("urn:uuid:").unwrap_or(value);
    if bare.is_empty() {
        return invalid("identifier must hold a value");
    }
    wanted.identifier = Some(bare.to_owned());
    wanted.identifier_uuid = Uuid::try_parse(bare).ok();
    Ok(())
}

fn status(value: &str) -> Result<String, Rejection> {
    if task_resource::STATUSES.contains(&value) {
        return Ok(value.to_owned());
    }
    invalid("status must be of in-progress, completed, cancelled and failed")
}

fn count(value: &str) -> Result<u16, Rejection> {
    match value.parse::<u16>() {
        Ok(count) if count > 0 => Ok(count.min(LARGEST_PAGE)),
        _ => invalid("_count must be a number, 1 or more"),
    }
}

type Period = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// A [date](https://hl7.org/fhir/R4/search.html#date) with its prefix: from when, and before when.
fn period(value: &str) -> Result<Period, Rejection> {
    let (prefix, date) = match value.get(..2) {
        Some(prefix @ ("eq" | "ge" | "gt" | "le" | "lt" | "sa" | "eb")) => (prefix, &value[2..]),
        _ => ("eq", value),
    };
    let Some((begins, ends)) = span(date) else {
        return invalid("authored-on must be a date or time such as 2026-07-01 or ge2026-07-01T09:30:00Z");
    };
    Ok(match prefix {
        "ge" => (Some(begins), None),
        "gt" | "sa" => (Some(ends), None),
        "le" => (None, Some(ends)),
        "lt" | "eb" => (None, Some(begins)),
        _ => (Some(begins), Some(ends)),
    })
}

/// The time a year, month, day, minute, second or instant covers.
fn span(date: &str) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let midnight = |day: NaiveDate| day.and_hms_opt(0, 0, 0).map(|time| time.and_utc());
    let parsed = |text: String| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
    match date.len() {
        4 => parsed(format!("{date}-01-01")).and_then(|day| Some((midnight(day)?, midnight(day + Months::new(12))?))),
        7 => parsed(format!("{date}-01")).and_then(|day| Some((midnight(day)?, midnight(day + Months::new(1))?))),
        10 => parsed(date.to_owned()).and_then(|day| Some((midnight(day)?, midnight(day + Days::new(1))?))),
        _ => {
            let begins = DateTime::parse_from_rfc3339(date).ok()?.to_utc();
            let length = if date.contains('.') { TimeDelta::milliseconds(1) } else { TimeDelta::seconds(1) };
            Some((begins, begins + length))
        }
    }
}

/// One more than a page is asked for: it tells whether there is a next one.
fn bundle(base_url: &str, uri: &Uri, wanted: &Wanted, mut found: Vec<ExchangeStatus>) -> Value {
    let page = usize::from(wanted.count);
    let more = found.len() > page;
    found.truncate(page);
    let query = uri.query().unwrap_or_default();
    let address = |query: &str| format!("{base_url}/Task{}{query}", if query.is_empty() { "" } else { "?" });
    let mut links = vec![json!({ "relation": "self", "url": address(query) })];
    if let Some(last) = found.last().filter(|_| more) {
        let rest = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != AFTER);
        let mut next = form_urlencoded::Serializer::new(String::new());
        next.extend_pairs(rest).append_pair(AFTER, &last.id.to_string());
        links.push(json!({ "relation": "next", "url": address(&next.finish()) }));
    }
    let entry = |exchange: &ExchangeStatus| {
        json!({
            "fullUrl": format!("{base_url}/Task/{}", exchange.id),
            "resource": task_resource::render(exchange).resource,
            "search": { "mode": "match" },
        })
    };
    let mut bundle = json!({ "resourceType": "Bundle", "type": "searchset", "link": links });
    if !found.is_empty() {
        bundle["entry"] = found.iter().map(entry).collect();
    }
    bundle
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: &str) -> (String, String) {
        let (from, to) = period(value).unwrap();
        let text = |time: Option<DateTime<Utc>>| time.map_or(String::new(), |time| time.format("%FT%T").to_string());
        (text(from), text(to))
    }

    #[test]
    fn a_date_covers_its_whole_time() {
        let cases = [
            ("2026", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
            ("2026-02", "2026-02-01T00:00:00", "2026-03-01T00:00:00"),
            ("eq2026-02-28", "2026-02-28T00:00:00", "2026-03-01T00:00:00"),
            ("ge2026-07-01", "2026-07-01T00:00:00", ""),
            ("gt2026-07-01", "2026-07-02T00:00:00", ""),
            ("lt2026-07-01", "", "2026-07-01T00:00:00"),
            ("le2026-07-01", "", "2026-07-02T00:00:00"),
            ("2026-07-01T10:30:00+01:00", "2026-07-01T09:30:00", "2026-07-01T09:30:01"),
        ];
        for (value, from, to) in cases {
            assert_eq!(told(value), (from.to_owned(), to.to_owned()), "{value}");
        }
        for wrong in ["", "soon", "2026-13", "2026-02-30", "ne2026", "ap2026", "2026-07-01T10", "🙂🙂"] {
            assert!(period(wrong).is_err(), "{wrong}");
        }
    }
}
