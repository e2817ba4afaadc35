//! What an operator may do: try a delivery again or leave it out, pause a destination or let it go on. Each act names
//! who and why, and is audited in the commit that does it.

use chrono::{DateTime, Duration, Utc};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::exchange::ids::Id;
use crate::exchange::rows::AuditRow;
use crate::exchange::state::DeliveryState;
use crate::exchange::{DeliveryId, ExchangeId};
use crate::store::acts::{self, Target};
use crate::store::{audit, ordering, pauses};

/// Who acts, when and why.
#[derive(Debug, Clone)]
pub struct Act {
    /// Operator's name.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// Now.
    pub now: DateTime<Utc>,
    /// Recorded with the act.
    pub config_hash: String,
    /// Recorded with the act.
    pub packs: String,
}

/// Characters of the longest reason.
pub const LONGEST_REASON: usize = 200;

/// What is wrong with a reason, if anything is.
///
/// # Errors
/// `NoReason`, `LongReason`
pub fn check_reason(reason: &str) -> Result<(), ActError> {
    match reason.trim().chars().count() {
        0 => Err(ActError::NoReason),
        length if length > LONGEST_REASON => Err(ActError::LongReason(length)),
        _ => Ok(()),
    }
}

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// No such delivery.
    #[error("there is no delivery {0}; `signalbox show` names the deliveries of an exchange")]
    NotFound(DeliveryId),
    /// The delivery's state does not allow it.
    #[error("delivery {id} is {state}: {why}", state = .state.as_str())]
    NotPossible {
        /// The delivery.
        id: DeliveryId,
        /// Where it stands.
        state: DeliveryState,
        /// What would be possible.
        why: &'static str,
    },
    /// No such exchange.
    #[error("there is no exchange {0}; `signalbox quarantine list` names those in quarantine")]
    NoExchange(ExchangeId),
    /// Nothing of the exchange is in quarantine.
    #[error("exchange {0} is not in quarantine; `signalbox show` tells where it stands")]
    NotQuarantined(ExchangeId),
    /// No such destination.
    #[error("there is no destination '{0}'")]
    NoDestination(String),
    /// The destination is as wanted already.
    #[error("destination '{name}' is {state} already")]
    Unchanged {
        /// The destination.
        name: String,
        /// `paused` or `running`.
        state: &'static str,
    },
    /// An act needs a reason.
    #[error("a reason is needed: it is kept in the register")]
    NoReason,
    /// The reason is longer than [`LONGEST_REASON`].
    #[error("a reason has {LONGEST_REASON} characters at most, and this one has {0}")]
    LongReason(usize),
    /// The database refused.
    #[error("the database did not answer: {0}")]
    Database(#[from] sqlx::Error),
}

/// How long a delivery that is retried may be tried before it is a dead letter again, and what waited behind it too.
pub(super) const SECOND_LIFE: Duration = Duration::hours(24);

/// What is decided about the whole exchange is not decided about one of its deliveries.
const HELD: &str = "its exchange is in quarantine: release or refuse that";

/// Tries a refused, dead, unknown, parked or backing-off delivery again now, under the same id and in its old place.
///
/// # Errors
/// When there is no such delivery, or it is not in a state to be retried.
pub async fn retry(db: &mut PgConnection, id: DeliveryId, act: &Act) -> Result<(), ActError> {
    perform(db, id, act, "retry", |target| match target.state {
        DeliveryState::Delivered => Err("it has been taken; send the resource again to deliver it once more"),
        DeliveryState::Leased => Err("it is being sent just now"),
        DeliveryState::Waiting => Err("it waits for an earlier delivery of the same patient; retry or skip that one"),
        DeliveryState::Quarantined => Err(HELD),
        DeliveryState::Skipped | DeliveryState::Cancelled | DeliveryState::Expired => Err("it was settled for good"),
        DeliveryState::Ready
        | DeliveryState::Unknown
        | DeliveryState::Parked
        | DeliveryState::Refused
        | DeliveryState::Dead => Ok(DeliveryState::Waiting),
    })
    .await
}

/// Leaves a delivery out for good and lets later messages of the same patient pass.
///
/// # Errors
/// When there is no such delivery, or it has ended or is being sent.
pub async fn skip(db: &mut PgConnection, id: DeliveryId, act: &Act) -> Result<(), ActError> {
    perform(db, id, act, "skip", |target| match target.state {
        DeliveryState::Delivered => Err("it has been taken already"),
        DeliveryState::Leased => Err("it is being sent just now; try again when the attempt has ended"),
        DeliveryState::Quarantined => Err(HELD),
        DeliveryState::Skipped | DeliveryState::Cancelled | DeliveryState::Expired => Err("it was settled already"),
        _ => Ok(DeliveryState::Skipped),
    })
    .await
}

/// Sends nothing more to a destination until it is resumed; what comes for it waits in its order.
///
/// # Errors
/// When there is no such destination, or it is paused already.
pub async fn pause(db: &mut PgConnection, destination: &str, act: &Act) -> Result<(), ActError> {
    switch(db, destination, act, true).await
}

/// Lets a paused destination go on.
///
/// # Errors
/// When there is no such destination, or it is not paused.
pub async fn resume(db: &mut PgConnection, destination: &str, act: &Act) -> Result<(), ActError> {
    switch(db, destination, act, false).await
}

async fn switch(db: &mut PgConnection, destination: &str, act: &Act, pause: bool) -> Result<(), ActError> {
    if destination.contains('\0') {
        return Err(ActError::NoDestination(destination.to_owned()));
    }
    check_reason(&act.reason)?;
    let mut tx = db.begin().await?;
    let changed = if pause {
        pauses::pause(&mut tx, destination, act.now, &act.actor, &act.reason).await?
    } else {
        pauses::resume(&mut tx, destination).await?
    };
    if !changed {
        if !pauses::exists(&mut tx, destination).await? {
            return Err(ActError::NoDestination(destination.to_owned()));
        }
        let state = if pause { "paused" } else { "running" };
        return Err(ActError::Unchanged { name: destination.to_owned(), state });
    }
    let mut row = AuditRow::new("operator", if pause { "pause" } else { "resume" }, act.now, act.now);
    row.destination = Some(destination.to_owned());
    row.actor = Some(act.actor.clone());
    row.reason = Some(act.reason.clone());
    audit::insert(&mut tx, Id::first_at(act.now).uuid(), &[row], &act.config_hash, &act.packs).await?;
    tx.commit().await?;
    acts::notify(db).await?;
    Ok(())
}

/// An operator's process delivers nothing: every gateway is told of what it made ready.
pub(super) const NOBODY: &str = "";

async fn perform(
    db: &mut PgConnection,
    id: DeliveryId,
    act: &Act,
    verb: &str,
    decide: impl Fn(&Target) -> Result<DeliveryState, &'static str>,
) -> Result<(), ActError> {
    check_reason(&act.reason)?;
    let mut tx = db.begin().await?;
    let target = acts::lock(&mut tx, id.uuid()).await?.ok_or(ActError::NotFound(id))?;
    let keys: Vec<(i32, Vec<u8>)> =
        target.keys.chunks_exact(32).map(|key| (target.destination, key.to_vec())).collect();
    let state = match decide(&target) {
        Ok(state) => state,
        Err(why) => {
            // Somebody may just have retried it: their promotion passed over what was locked here.
            tx.rollback().await?;
            ordering::promote(db, &keys, NOBODY).await?;
            return Err(ActError::NotPossible { id, state: target.state, why });
        }
    };
    let give_up_at = act.now + SECOND_LIFE;
    let (extended, mut freed) = if state == DeliveryState::Waiting {
        // A delivery without keys has nothing to wait for.
        let state = if keys.is_empty() { DeliveryState::Ready } else { state };
        acts::set(&mut tx, target.seq, state, act.now, Some(give_up_at)).await?;
        acts::take_place(&mut tx, &keys, target.seq).await?;
        (acts::extend(&mut tx, &[target.seq], give_up_at).await?, keys)
    } else {
        let extended = acts::extend(&mut tx, &[target.seq], give_up_at).await?;
        acts::set(&mut tx, target.seq, state, act.now, None).await?;
        (extended, ordering::release(&mut tx, &[target.seq]).await?)
    };
    freed.extend(ordering::keys_of(&mut tx, &extended).await?);
    audit::insert(&mut tx, id.uuid(), &[audit_row(&target, id.uuid(), verb, act)], &act.config_hash, &act.packs)
        .await?;
    tx.commit().await?;
    ordering::promote(db, &freed, NOBODY).await?;
    acts::notify(db).await?;
    Ok(())
}

fn audit_row(target: &Target, delivery: Uuid, verb: &str, act: &Act) -> AuditRow {
    let mut row = AuditRow::new("operator", verb, act.now, act.now);
    row.exchange = Some(target.exchange);
    row.delivery = Some(delivery);
    row.destination = Some(target.destination_name.clone());
    row.correlation_id = Some(target.correlation_id.clone());
    row.code = Some(format!("was {}", target.state.as_str()));
    row.actor = Some(act.actor.clone());
    row.reason = Some(act.reason.clone());
    row
}
