//! Deleting what is older than its retention, in small steps from the old end.

use domain::Timestamp;

use crate::Store;
use crate::db::{args, sql};
use crate::error::Result;
use crate::once::KEPT;

/// Takes rows from the old end only: dates may be out of order by a few rows, and a row that stays
/// keeps all behind it, so that the numbers stay without gaps.
macro_rules! prune {
    ($table:literal, $at:literal) => {
        sql!(concat!(
            "WITH oldest AS (SELECT seq, ",
            $at,
            " AS at FROM ",
            $table,
            " ORDER BY seq LIMIT $2)
             DELETE FROM ",
            $table,
            " WHERE seq IN (SELECT seq FROM oldest)
                 AND seq < COALESCE((SELECT MIN(seq) FROM oldest WHERE at >= $1), 9223372036854775807)"
        ))
    };
}

impl Store {
    /// Forgets uploads from before then: their jobs were parked long ago. How many.
    pub async fn prune_uploads(&self, before: Timestamp) -> Result<u64> {
        let mut tx = self.begin().await?;
        let statement = sql!("UPDATE batches SET upload = NULL WHERE upload IS NOT NULL AND created_at < $1");
        let forgotten = tx.execute(statement, args![before]).await?;
        tx.commit().await?;
        Ok(forgotten)
    }

    /// Deletes up to `limit` journal rows and results from before the given moments. How many.
    pub async fn prune_logs(&self, journal: Timestamp, results: Timestamp, limit: usize) -> Result<u64> {
        let mut tx = self.begin().await?;
        let journal = tx.execute(prune!("journal", "at"), args![journal, limit]).await?;
        let results = tx.execute(prune!("results", "noted_at"), args![results, limit]).await?;
        tx.commit().await?;
        Ok(journal + results)
    }

    /// Forgets up to `limit` idempotency keys that are good for nothing any more. How many.
    pub async fn prune_keys(&self, limit: usize) -> Result<u64> {
        let mut tx = self.begin().await?;
        // By where they stand: by their two-column key PostgreSQL would walk over the table.
        let statement = if tx.is_postgres() {
            sql!(
                "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
                     SELECT ctid FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2))"
            )
        } else {
            sql!(
                "DELETE FROM idempotency_keys WHERE rowid IN (
                     SELECT rowid FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2)"
            )
        };
        let forgotten = tx.execute(statement, args![self.now().plus(-KEPT), limit]).await?;
        tx.commit().await?;
        Ok(forgotten)
    }
}
