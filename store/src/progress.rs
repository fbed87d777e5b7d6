//! How far a job has come: rows of `job_state` by name.

use domain::Timestamp;

use crate::Store;
use crate::db::{Tx, args, sql};
use crate::error::Result;

impl Store {
    /// The number of the last row of a log that a job has read; 0 before the first.
    pub(crate) async fn cursor(&self, name: &str) -> Result<i64> {
        Ok(self.job_state(name).await?.unwrap_or(0))
    }

    /// When a job was last through.
    pub(crate) async fn moment(&self, name: &str) -> Result<Option<Timestamp>> {
        Ok(self.job_state(name).await?.map(Timestamp::from_millis))
    }

    async fn job_state(&self, name: &str) -> Result<Option<i64>> {
        let row: Option<(String,)> =
            self.db().optional(sql!("SELECT value FROM job_state WHERE name = $1"), args![name]).await?;
        Ok(row.and_then(|(text,)| text.parse().ok()))
    }
}

impl Tx {
    /// Moves a cursor from `from` to `to`, unless another run has moved it: then what this one has
    /// read counts already, and it must not go on.
    pub(crate) async fn move_cursor(&mut self, name: &str, from: i64, to: i64) -> Result<bool> {
        self.execute(
            sql!("INSERT INTO job_state (name, value) VALUES ($1, '0') ON CONFLICT (name) DO NOTHING"),
            args![name],
        )
        .await?;
        let moved = self
            .execute(
                sql!("UPDATE job_state SET value = $1 WHERE name = $2 AND value = $3"),
                args![to.to_string(), name, from.to_string()],
            )
            .await?;
        Ok(moved == 1)
    }

    /// Notes when a job was through.
    pub(crate) async fn note_moment(&mut self, name: &str, now: Timestamp) -> Result<()> {
        self.execute(
            sql!(
                "INSERT INTO job_state (name, value) VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value"
            ),
            args![name, now.millis().to_string()],
        )
        .await?;
        Ok(())
    }
}
