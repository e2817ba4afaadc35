//! What became of an exchange, as the source that sent it may know.

use sqlx::PgPool;

use crate::exchange::state::ExchangeStatus;
use crate::exchange::{Arrival, ExchangeId, Sender};
use crate::rejection::Rejection;
use crate::store::tasks::Wanted;
use crate::store::{quarantine, reports, tasks};

pub(super) async fn status(
    pool: &PgPool,
    sender: &Sender,
    exchange: ExchangeId,
) -> Result<Option<ExchangeStatus>, Rejection> {
    let read = async {
        let mut db = pool.acquire().await?;
        reports::status(&mut db, exchange, &sender.source).await
    };
    read.await.map_err(|error| unanswered(&error))
}

pub(super) async fn tasks(pool: &PgPool, sender: &Sender, wanted: &Wanted) -> Result<Vec<ExchangeStatus>, Rejection> {
    let read = async {
        let mut db = pool.acquire().await?;
        tasks::search(&mut db, &sender.source, wanted).await
    };
    read.await.map_err(|error| unanswered(&error))
}

/// The exchange that holds the message id of this arrival, if it was accepted for the same request, with the names of
/// the destinations it went to then.
pub(super) async fn accepted_before(
    pool: &PgPool,
    arrival: &Arrival,
    hash: &[u8; 32],
) -> Result<Option<(ExchangeId, Vec<String>)>, Rejection> {
    let Some(request) = arrival.ids.request else { return Ok(None) };
    let read = async {
        let mut db = pool.acquire().await?;
        let holder = reports::holder(&mut db, &arrival.sender.source, &arrival.endpoint, request).await?;
        let same = holder.filter(|(_, held)| held == hash).and_then(|(exchange, _)| ExchangeId::from_uuid(exchange));
        let Some(exchange) = same else { return Ok(None) };
        let deliveries = reports::deliveries(&mut db, exchange).await?;
        Ok(Some((exchange, deliveries.into_iter().map(|delivery| delivery.destination).collect())))
    };
    read.await.map_err(|error| unanswered(&error))
}

/// Whether an operator has still to decide about an exchange.
pub(super) async fn is_quarantined(pool: &PgPool, exchange: ExchangeId) -> Result<bool, Rejection> {
    let read = async {
        let mut db = pool.acquire().await?;
        quarantine::is_held(&mut db, exchange.uuid()).await
    };
    read.await.map_err(|error| unanswered(&error))
}

fn unanswered(error: &sqlx::Error) -> Rejection {
    tracing::error!(%error, "the database did not answer");
    Rejection::Unavailable { retry_after: std::time::Duration::from_secs(5) }
}
