//! What an operator decides about an exchange in quarantine: released, it goes to its destinations in its old place;
//! refused, each of its deliveries is cancelled and the next of its patients may pass. Who and why is audited in the
//! commit that does it, for each delivery.

use sqlx::{Connection, PgConnection};

use super::operator::{Act, ActError, NOBODY, SECOND_LIFE, check_reason};
use crate::exchange::ExchangeId;
use crate::exchange::rows::AuditRow;
use crate::store::{acts, audit, exchanges, ordering, quarantine};

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is delivered.
    Release,
    /// It is not.
    Refuse,
}

impl Decision {
    /// As stored and shown; also the word of the command and of the page's address.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Refuse => "refuse",
        }
    }

    /// The decision with this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Release, Self::Refuse].into_iter().find(|decision| decision.as_str() == word)
    }
}

/// What the sender of a refused exchange reads: the operator's own words may be about a patient.
const REFUSED: &str = "refused in quarantine by an operator";

/// Decides about an exchange in quarantine; how many deliveries it had.
///
/// # Errors
/// When there is no such exchange, or it is not in quarantine.
pub async fn decide(
    db: &mut PgConnection,
    exchange: ExchangeId,
    decision: Decision,
    act: &Act,
) -> Result<usize, ActError> {
    check_reason(&act.reason)?;
    let mut tx = db.begin().await?;
    let held = quarantine::lock(&mut tx, exchange.uuid()).await?;
    if held.is_empty() {
        // Somebody may just have released it: their promotion passed over what was locked here.
        tx.rollback().await?;
        let keys = quarantine::keys(db, exchange.uuid()).await?;
        ordering::promote(db, &keys, NOBODY).await?;
        let known = exchanges::exists(db, exchange.uuid()).await?;
        return Err(if known { ActError::NotQuarantined(exchange) } else { ActError::NoExchange(exchange) });
    }
    let seqs: Vec<i64> = held.iter().map(|delivery| delivery.seq).collect();
    let give_up_at = act.now + SECOND_LIFE;
    let extended = acts::extend(&mut tx, &seqs, give_up_at).await?;
    let mut keys = match decision {
        Decision::Release => {
            quarantine::release(&mut tx, &seqs, act.now, give_up_at).await?;
            ordering::keys_of(&mut tx, &seqs).await?
        }
        Decision::Refuse => {
            quarantine::refuse(&mut tx, &seqs, act.now, REFUSED).await?;
            ordering::release(&mut tx, &seqs).await?
        }
    };
    keys.extend(ordering::keys_of(&mut tx, &extended).await?);
    let row = |delivery: &quarantine::Locked| {
        let mut row = AuditRow::new("operator", decision.as_str(), act.now, act.now);
        row.exchange = Some(exchange.uuid());
        row.delivery = Some(delivery.id);
        row.destination = Some(delivery.destination.clone());
        row.correlation_id = Some(delivery.correlation_id.clone());
        row.code = Some("was quarantined".to_owned());
        row.actor = Some(act.actor.clone());
        row.reason = Some(act.reason.clone());
        row
    };
    let rows: Vec<AuditRow> = held.iter().map(row).collect();
    audit::insert(&mut tx, held[0].id, &rows, &act.config_hash, &act.packs).await?;
    tx.commit().await?;
    ordering::promote(db, &keys, NOBODY).await?;
    acts::notify(db).await?;
    Ok(held.len())
}
