//! `[database]`: which Postgres, and how it is written to.

use schemars::JsonSchema;
use serde::Deserialize;

use super::secret::Secret;
use super::units::Period;

/// The `[database]` section.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Connection URL; empty: the environment's `DATABASE_URL`, else a server of our own.
    pub url: Secret,
    /// Connection URL of the role that migrates and purges; empty: the same as `url`.
    pub owner_url: Secret,
    /// Writer tasks that commit accepted exchanges, each with its own connection.
    #[schemars(range(min = 1), extend("x-secret" = true))]
    pub writers: usize,
    /// Most exchanges in one commit.
    #[schemars(range(min = 1), extend("x-secret" = true))]
    pub batch: usize,
    /// Connections for everything else.
    #[schemars(range(min = 1), extend("x-secret" = true))]
    pub connections: u32,
    /// How long bodies of accepted exchanges are kept.
    pub keep_accepted: Period,
    /// How long bodies of refused messages are kept.
    pub keep_refused: Period,
    /// How long message ids are remembered to recognise repeats.
    pub keep_message_ids: Period,
}
