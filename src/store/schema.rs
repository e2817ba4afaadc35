//! Migrations and roles: the schema is brought up to date at start, under an advisory lock, by the owner role; the app
//! role may insert into and read the register and never change it.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, PgConnection};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Why the schema is not as this binary needs it.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The database has been migrated by a later version.
    #[error(
        "the database has migration {0}, which this version of signalbox does not know: it was migrated by a newer \
         version; run that version, or restore a backup made before it"
    )]
    Newer(i64),
    /// A migration failed or was altered after it ran.
    #[error("migrating the database failed: {0}")]
    Migrate(MigrateError),
    /// The database did not answer.
    #[error("the database did not answer: {0}")]
    Database(#[from] sqlx::Error),
}

/// Brings the schema up to date. Concurrent starts wait for each other on the migrator's advisory lock.
///
/// # Errors
/// When the database is newer than this binary, or a migration fails.
pub async fn migrate(owner: &mut PgConnection) -> Result<(), SchemaError> {
    MIGRATIONS.run(owner).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => SchemaError::Newer(version),
        other => SchemaError::Migrate(other),
    })
}

/// Version of the last migration this program knows.
pub(super) fn newest() -> Option<i64> {
    MIGRATIONS.iter().map(|migration| migration.version).max()
}

/// Gives the app role what it needs: all of the backlog, insert and read on the register.
///
/// # Errors
/// When the database refuses a grant.
pub async fn grant(owner: &mut PgConnection, app_role: &str) -> Result<(), SchemaError> {
    let role = format!("\"{}\"", app_role.replace('"', "\"\""));
    // Grants may be repeated, so they need no transaction.
    for (rights, tables) in [
        ("select, insert", "exchanges, exchange_keys, attempts, audit, bodies, search_keys"),
        // So that readiness can tell whether the schema is still the one this program knows.
        ("select", "_sqlx_migrations"),
        ("select, insert, update, delete", "deliveries, delivery_keys, message_keys, destinations"),
        ("select, insert, update, delete", "operators, sessions, used_tokens"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(format!("grant {rights} on {tables} to {role}"))).execute(&mut *owner).await?;
    }
    sqlx::raw_sql(AssertSqlSafe(format!("grant usage on all sequences in schema public to {role}")))
        .execute(&mut *owner)
        .await?;
    Ok(())
}
