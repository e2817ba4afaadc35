//! Table `exchanges`: what is known of every message. It is written by [`super::batch`].

use sqlx::PgConnection;
use uuid::Uuid;

pub(super) const EXISTS: &str = "select exists (select from exchanges where id = $1)";

pub(super) const OF_DELIVERY: &str = "select exchange from deliveries where id = $1";

/// Whether an exchange has been committed; asked when the answer to a commit was lost.
///
/// # Errors
/// When the database does not answer.
pub async fn exists(db: &mut PgConnection, exchange: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar(EXISTS).bind(exchange).fetch_one(db).await
}

/// The exchange of a delivery; `None` when there is no such delivery.
///
/// # Errors
/// When the database does not answer.
pub async fn of_delivery(db: &mut PgConnection, delivery: Uuid) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar(OF_DELIVERY).bind(delivery).fetch_optional(db).await
}
