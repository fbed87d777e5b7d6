//! Figures of the whole installation, read when somebody asks for them: what monitoring shows.

use jobs::Queue;
use strum::IntoEnumIterator;

use crate::Store;
use crate::db::{Backend, args, sql};
use crate::error::Result;

/// How the installation stands.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Credentials by status and by score, over all tenants.
    pub by_status: Vec<(String, i64)>,
    /// Credentials by score.
    pub by_score: Vec<(i64, i64)>,
    /// Slots of enabled credentials, and how many of them are taken.
    pub slots: (i64, i64),
    /// Each queue: jobs that wait, and for how long the oldest of those that are due has, in seconds.
    pub queues: Vec<(Queue, i64, f64)>,
    /// The database, in bytes.
    pub database_bytes: i64,
    /// The newest row of the journal.
    pub journal_rows: i64,
}

impl Store {
    /// Reads all of them.
    pub async fn figures(&self) -> Result<Figures> {
        let by_status = self
            .db()
            .all(
                sql!(
                    "SELECT CASE WHEN standing <> 'enabled' THEN standing WHEN current_accounts > 0 THEN 'in_use'
                         ELSE 'available' END AS status, COUNT(*) AS number
                     FROM credentials WHERE deleted_at IS NULL GROUP BY 1"
                ),
                args![],
            )
            .await?;
        let by_score = self
            .db()
            .all(
                sql!("SELECT health_score, COUNT(*) FROM credentials WHERE deleted_at IS NULL GROUP BY health_score"),
                args![],
            )
            .await?;
        let mut slots = (0, 0);
        for tenant in self.tenants().await? {
            let totals = self.totals(&tenant).await?;
            slots = (slots.0 + totals.slots, slots.1 + totals.used);
        }
        let mut queues = Vec::new();
        for queue in Queue::iter() {
            let (depth, oldest) = self.backlog(queue).await?;
            queues.push((queue, depth, oldest));
        }
        Ok(Figures {
            by_status,
            by_score,
            slots,
            queues,
            database_bytes: self.database_bytes().await?,
            journal_rows: self.newest_event().await?,
        })
    }

    /// Jobs of a queue that wait, and the seconds that the oldest of those that are due has waited.
    async fn backlog(&self, queue: Queue) -> Result<(i64, f64)> {
        let statement = match self.db() {
            Backend::Sqlite { .. } => sql!(
                "SELECT COUNT(*), MIN(run_at) FROM Jobs WHERE job_type = $1
                     AND (status = 'Pending' OR (status = 'Failed' AND attempts < max_attempts))"
            ),
            Backend::Postgres { .. } => sql!(
                "SELECT COUNT(*), CAST(EXTRACT(EPOCH FROM MIN(run_at)) AS BIGINT) FROM apalis.jobs WHERE job_type = $1
                     AND (status = 'Pending' OR (status = 'Failed' AND attempts < max_attempts))"
            ),
        };
        let (depth, oldest): (i64, Option<i64>) = self.db().one(statement, args![queue.as_ref()]).await?;
        let now = self.now().millis() as f64 / 1000.0;
        Ok((depth, oldest.map_or(0.0, |at| (now - at as f64).max(0.0))))
    }

    async fn database_bytes(&self) -> Result<i64> {
        let statement = match self.db() {
            Backend::Sqlite { .. } => sql!(
                "SELECT c.page_count * s.page_size FROM pragma_page_count() AS c CROSS JOIN pragma_page_size() AS s"
            ),
            Backend::Postgres { .. } => sql!("SELECT pg_database_size(current_database())"),
        };
        Ok(self.db().one::<(i64,)>(statement, args![]).await?.0)
    }
}
