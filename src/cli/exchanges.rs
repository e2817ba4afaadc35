//! `signalbox exchanges`: what passed the gateway, newest first, by patient, request, source, state or time.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;

use super::{ConfigFolder, World, access};
use crate::config::units::Period;
use crate::exchange::ids::Id;
use crate::exchange::rows::ExchangeOutcome;
use crate::exchange::state::DeliveryState;
use crate::formats::fhir_json::patients;
use crate::store::stories::{self, Filter, Line};

#[derive(Args)]
pub(super) struct Exchanges {
    #[command(flatten)]
    config: ConfigFolder,
    /// Patient's number, or another identifier as SYSTEM|VALUE
    #[arg(long)]
    patient: Option<String>,
    /// Source's name
    #[arg(long)]
    source: Option<String>,
    /// Destination's name
    #[arg(long)]
    destination: Option<String>,
    /// Resource type, or an HL7 v2 message's, such as ADT^A31
    #[arg(long = "type", value_name = "TYPE")]
    resource_type: Option<String>,
    /// How it ended at the door: accepted, quarantined, refused or validated
    #[arg(long, value_parser = outcome)]
    outcome: Option<ExchangeOutcome>,
    /// State of a delivery: pending (it will be sent), waiting, ready, leased, parked, unknown, delivered, refused, dead, …
    #[arg(long, value_parser = states)]
    state: Option<&'static [DeliveryState]>,
    /// The sender's X-Request-ID
    #[arg(long)]
    request_id: Option<uuid::Uuid>,
    /// X-Correlation-ID, or the control id (MSH-10) of an HL7 v2 message
    #[arg(long)]
    correlation_id: Option<String>,
    /// Not older than this, such as 30m, 24h or 7d
    #[arg(long, value_name = "PERIOD")]
    since: Option<Period>,
    /// Most lines
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
}

fn outcome(text: &str) -> Result<ExchangeOutcome, String> {
    let all = ExchangeOutcome::ALL;
    let known = all.map(ExchangeOutcome::as_str).join(", ");
    all.into_iter().find(|outcome| outcome.as_str() == text).ok_or_else(|| format!("expected one of {known}"))
}

fn states(text: &str) -> Result<&'static [DeliveryState], String> {
    let known = DeliveryState::ALL.map(DeliveryState::as_str).join(", ");
    DeliveryState::meant_by(text).ok_or_else(|| format!("expected one of {known}, or pending"))
}

impl Exchanges {
    pub(super) async fn run(self, world: World) -> anyhow::Result<ExitCode> {
        let mut access = access::open(&self.config.config, &world).await?;
        let key = self.patient.as_deref().map(|patient| {
            let (system, value) = patient.split_once('|').unwrap_or((&access.config.identity.patient_system, patient));
            access.search_key.key(&patients::identifier_key(system, value))
        });
        let since = self.since.and_then(|period| chrono::Duration::from_std(period.0).ok());
        let filter = Filter {
            source: self.source,
            resource_type: self.resource_type,
            outcome: self.outcome,
            states: self.state.unwrap_or_default().to_vec(),
            key,
            request_id: self.request_id,
            correlation_id: self.correlation_id,
            since: since.and_then(|period| world.clock.now().checked_sub_signed(period)),
            destination: self.destination,
            before: None,
        };
        let lines = stories::list(&mut access.db, &filter, self.limit).await?;
        let mut out = std::io::stdout().lock();
        if lines.is_empty() {
            writeln!(out, "No exchange matches.")?;
        }
        for line in &lines {
            writeln!(out, "{}", text(line))?;
        }
        drop(out);
        access.close().await?;
        Ok(if lines.is_empty() { ExitCode::from(1) } else { ExitCode::SUCCESS })
    }
}

fn text(line: &Line) -> String {
    let id = Id::from_uuid(line.id).map_or_else(|| line.id.to_string(), |id| id.to_string());
    let time = line.received_at.format("%Y-%m-%d %H:%M:%S%.3fZ");
    let what = line.resource_type.as_deref().unwrap_or("-");
    let Line { source, interaction, outcome, status, deliveries, .. } = line;
    let outcome = outcome.as_str();
    format!("{id}  {time}  {source:<12} {interaction:<8} {what:<14} {outcome} {status}  {deliveries}")
        .trim_end()
        .to_owned()
}
