//! `signalbox show ID`: the whole story of one exchange in words: who sent it, what was checked, which route took it,
//! each attempt, and what it waits for.

use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;

use super::{ConfigFolder, World, access};
use crate::delivery::standing::{id, standing, time};
use crate::exchange::Interaction;
use crate::exchange::ids::Id;
use crate::exchange::rows::ExchangeOutcome;
use crate::store::exchanges;
use crate::store::stories::{self, Before, Story, Told, ToldAct, ToldAttempt, ToldDelivery};

#[derive(Args)]
pub(super) struct Show {
    /// Id of the exchange (its Task) or of one of its deliveries (MSH-10 at the partner), 20 characters
    id: Id,
    #[command(flatten)]
    config: ConfigFolder,
}

impl Show {
    pub(super) async fn run(self, world: World) -> anyhow::Result<ExitCode> {
        let mut access = access::open(&self.config.config, &world).await?;
        let mut story = stories::tell(&mut access.db, self.id.uuid()).await?;
        if story.is_none()
            && let Some(exchange) = exchanges::of_delivery(&mut access.db, self.id.uuid()).await?
        {
            story = stories::tell(&mut access.db, exchange).await?;
        }
        access.close().await?;
        let Some(story) = story else {
            writeln!(std::io::stderr(), "signalbox: there is no exchange or delivery {}", self.id)?;
            return Ok(ExitCode::from(1));
        };
        write!(std::io::stdout(), "{}", tell(&story, world.clock.now()))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The story as text, as of `now`.
#[must_use]
pub fn tell(story: &Story, now: DateTime<Utc>) -> String {
    let mut text = String::new();
    let _ = exchange(&mut text, &story.exchange);
    for (delivery, attempts, before) in &story.deliveries {
        let _ = tell_delivery(&mut text, delivery, attempts, before.as_ref(), now);
    }
    for ToldAct { at, what, who, why, destination, .. } in &story.acts {
        let place = if destination.is_empty() { String::new() } else { format!(" at {destination}") };
        let _ = writeln!(text, "\n{}  {who} said {what}{place}: {why}", time(*at));
    }
    text
}

fn exchange(text: &mut String, told: &Told) -> std::fmt::Result {
    let what = told.resource_type.as_deref().unwrap_or("(no resource type)");
    writeln!(text, "Exchange {}: {} of {what}, {}", id(told.id), told.interaction, told.outcome.as_str())?;
    write!(text, "  received   {} by {} from {} ({})", time(told.received_at), told.endpoint, told.source, told.ods)?;
    match &told.end_user_ods {
        Some(ods) => writeln!(text, " on behalf of {ods}")?,
        None => writeln!(text)?,
    }
    let is_message = told.interaction == Interaction::Message.as_str();
    if is_message {
        writeln!(text, "  control id {}", told.correlation_id)?;
    } else {
        if let Some(request) = told.request_id {
            writeln!(text, "  request    {request}")?;
        }
        writeln!(text, "  correlated {}", told.correlation_id)?;
    }
    let kept = match told.body_retention.as_deref() {
        Some(class) => format!("kept as '{class}'"),
        None => "not kept".to_owned(),
    };
    writeln!(text, "  body       {} bytes, {kept}, SHA-256 {}", told.body_length, hex::encode(&told.body_hash))?;
    writeln!(text, "  handled by configuration {} and packs {}", short(&told.config_hash), short(&told.packs))?;
    checked(text, told)?;
    match told.outcome {
        ExchangeOutcome::Refused if is_message => {
            writeln!(text, "  answered   with a refusal ({} in HTTP's terms) and stored for nobody", told.status)
        }
        ExchangeOutcome::Refused => writeln!(text, "  answered   {} and stored for nobody", told.status),
        ExchangeOutcome::Validated => {
            writeln!(text, "  answered   {}; it was a question, nothing was to be sent", told.status)
        }
        ExchangeOutcome::Quarantined => {
            writeln!(text, "  routed     by {}, and held for an operator", told.routes.0.join(", "))
        }
        ExchangeOutcome::Accepted if told.routes.0.is_empty() => writeln!(text, "  routed     by no route"),
        ExchangeOutcome::Accepted => writeln!(text, "  routed     by {}", told.routes.0.join(", ")),
    }
}

fn checked(text: &mut String, told: &Told) -> std::fmt::Result {
    if told.issues.0.is_empty() {
        return writeln!(text, "  checked    no issues");
    }
    writeln!(text, "  checked    {} issue(s):", told.issues.0.len())?;
    for issue in &told.issues.0 {
        write!(text, "    {} {}: {}", issue.severity, issue.code, issue.message)?;
        if let Some(expression) = &issue.expression {
            write!(text, " at {expression}")?;
        }
        match (issue.line, issue.column) {
            (Some(line), Some(column)) => writeln!(text, " (line {line}, column {column})")?,
            _ => writeln!(text)?,
        }
    }
    Ok(())
}

fn tell_delivery(
    text: &mut String,
    delivery: &ToldDelivery,
    attempts: &[ToldAttempt],
    before: Option<&Before>,
    now: DateTime<Utc>,
) -> std::fmt::Result {
    writeln!(
        text,
        "\nDelivery {} to {} (route {}): {}",
        id(delivery.id),
        delivery.destination,
        delivery.route,
        standing(delivery, before, now, time)
    )?;
    for attempt in attempts {
        let took = (attempt.ended_at - attempt.started_at).num_milliseconds();
        write!(
            text,
            "  {}  attempt {} {} after {took} ms",
            time(attempt.started_at),
            attempt.number,
            attempt.outcome.as_str()
        )?;
        match (attempt.code.as_str(), attempt.note.as_str()) {
            (code, "") => writeln!(text, ": {code}")?,
            (code, note) if code == attempt.outcome.as_str() => writeln!(text, ": {note}")?,
            (code, note) => writeln!(text, ": {code}, {note}")?,
        }
    }
    Ok(())
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
