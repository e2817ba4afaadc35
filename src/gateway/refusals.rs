//! Refusals before a source is known (no credential, too large, too many): counted per address and reason, written to
//! the register as one row a minute, so that a flood of strangers is seen and cannot fill the database.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgPool};
use uuid::Uuid;

use crate::exchange::rows::AuditRow;
use crate::rejection::Rejection;
use crate::store::audit;

#[derive(Default)]
pub(super) struct Refusals(Mutex<HashMap<(IpAddr, u16), i32>>);

/// Addresses counted apart in one minute; the rest share a row without an address.
const MOST_ADDRESSES: usize = 1_000;

const OTHERS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

impl Refusals {
    pub(super) fn count(&self, address: IpAddr, rejection: &Rejection) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (address, rejection.rendering().status);
        let key = if counts.len() < MOST_ADDRESSES || counts.contains_key(&key) { key } else { (OTHERS, key.1) };
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) async fn record(
        &self,
        pool: &PgPool,
        now: DateTime<Utc>,
        config_hash: &str,
        packs: &str,
    ) -> sqlx::Result<()> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if counts.is_empty() {
            return Ok(());
        }
        let rows: Vec<AuditRow> = counts.iter().map(|(key, count)| row(*key, *count, now)).collect();
        let written = async {
            let mut db = pool.acquire().await?;
            let mut tx = db.begin().await?;
            audit::insert(
                &mut tx,
                Uuid::from_u128(u128::from(now.timestamp_micros().unsigned_abs())),
                &rows,
                config_hash,
                packs,
            )
            .await?;
            tx.commit().await
        };
        let result = written.await;
        if result.is_err() {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, count) in counts {
                *kept.entry(key).or_default() += count;
            }
        }
        result
    }
}

fn row((address, status): (IpAddr, u16), count: i32, now: DateTime<Utc>) -> AuditRow {
    let mut row = AuditRow::new("refusals", "refused", now, now);
    row.status = Some(status);
    row.address = (address != OTHERS).then(|| address.to_string());
    row.count = Some(count);
    row
}
