//! Deleting what is older than its retention, in small steps from the old end.

use domain::Timestamp;
use domain::time::DAY;

use crate::Store;
use crate::db::{args, sql};
use crate::error::Result;

impl Store {
    /// Deletes up to `limit` journal rows and results from before the given moments. How many.
    pub async fn prune_logs(&self, journal: Timestamp, results: Timestamp, limit: usize) -> Result<u64> {
        let mut tx = self.begin().await?;
        let journal = tx
            .execute(
                sql!(
                    "DELETE FROM journal WHERE seq IN (
                         SELECT seq FROM (SELECT seq, at FROM journal ORDER BY seq LIMIT $2) AS oldest WHERE at < $1)"
                ),
                args![journal, limit],
            )
            .await?;
        let results = tx
            .execute(
                sql!(
                    "DELETE FROM results WHERE seq IN (
                         SELECT seq FROM (SELECT seq, at FROM results ORDER BY seq LIMIT $2) AS oldest WHERE at < $1)"
                ),
                args![results, limit],
            )
            .await?;
        tx.execute(
            sql!("DELETE FROM idempotency_keys WHERE created_at < $1"),
            args![self.now().plus(-DAY)],
        )
        .await?;
        tx.commit().await?;
        Ok(journal + results)
    }
}
