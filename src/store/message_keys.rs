//! Table `message_keys`: recognises a message that is sent again.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::exchange::ExchangeId;

/// The claim of an exchange on a message id.
#[derive(Clone, Copy)]
pub struct Claim<'r> {
    /// Source's name.
    pub source: &'r str,
    /// Which door.
    pub endpoint: &'r str,
    /// The sender's id of the message.
    pub message_id: Uuid,
    /// SHA-256 of the request.
    pub body_hash: &'r [u8; 32],
    /// The exchange that claims it.
    pub exchange: ExchangeId,
    /// Now.
    pub seen_at: DateTime<Utc>,
}

/// Who holds a message id.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Holder {
    /// Source's name.
    pub source: String,
    /// Which door.
    pub endpoint: String,
    /// The sender's id.
    pub message_id: String,
    /// SHA-256 of the request that holds it.
    pub body_hash: Vec<u8>,
    /// The exchange that holds it.
    pub exchange: Uuid,
}

// Sorted by key in memory before it gets here, or two writers deadlock.
pub(super) const CLAIM: &str = "
insert into message_keys (source, endpoint, message_id, body_hash, exchange, seen_at)
select * from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::uuid[], $6::timestamptz[])
    on conflict do nothing";

pub(super) const HOLDERS: &str = "
select m.source, m.endpoint, m.message_id, m.body_hash, m.exchange
  from unnest($1::text[], $2::text[], $3::text[]) as t (source, endpoint, message_id)
  join message_keys m using (source, endpoint, message_id)";

pub(super) const FORGET: &str = "delete from message_keys where seen_at < $1";

/// Claims the message ids of one batch, sorted and without repeats, and says who holds those that were taken already.
///
/// # Errors
/// When the database refuses.
pub async fn claim(db: &mut PgConnection, claims: &[Claim<'_>]) -> sqlx::Result<Vec<Holder>> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let sources: Vec<_> = claims.iter().map(|claim| claim.source).collect();
    let endpoints: Vec<_> = claims.iter().map(|claim| claim.endpoint).collect();
    let ids: Vec<_> = claims.iter().map(|claim| claim.message_id.to_string()).collect();
    let claimed = sqlx::query(CLAIM)
        .bind(&sources)
        .bind(&endpoints)
        .bind(&ids)
        .bind(claims.iter().map(|claim| &claim.body_hash[..]).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.exchange.uuid()).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.seen_at).collect::<Vec<_>>())
        .execute(&mut *db)
        .await?
        .rows_affected();
    if usize::try_from(claimed).is_ok_and(|claimed| claimed == claims.len()) {
        return Ok(Vec::new());
    }
    let holders: Vec<Holder> = sqlx::query_as(HOLDERS).bind(&sources).bind(&endpoints).bind(&ids).fetch_all(db).await?;
    let ours = |holder: &Holder| claims.iter().any(|claim| claim.exchange.uuid() == holder.exchange);
    Ok(holders.into_iter().filter(|holder| !ours(holder)).collect())
}

/// Forgets message ids seen before `before`. Needs the owner role.
///
/// # Errors
/// When the database refuses.
pub async fn forget(owner: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<u64> {
    Ok(sqlx::query(FORGET).bind(before).execute(owner).await?.rows_affected())
}
