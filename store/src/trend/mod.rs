//! Figures of the pool over time, in buckets of [`domain::trend::BUCKET`]. Who looks at a trend reads
//! these few rows, never the logs that they were counted from.

mod count;

use domain::runway::{Sample, WINDOW};
use domain::trend::Layout;
use domain::{TenantId, Timestamp};
use sqlx::FromRow;

pub use count::{Measured, SLICE};

use crate::Store;
use crate::db::{args, sql};
use crate::error::Result;

/// The row of `job_state` that says when the figures were up to date.
const MEASURED_AT: &str = "measured_at";

/// What happened in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Figures {
    /// When it begins, in milliseconds since the epoch.
    pub at: i64,
    /// New allocations.
    pub allocated: i64,
    /// Allocations that ended, whatever ended them.
    pub released: i64,
    /// Successes that were noted.
    pub successes: i64,
    /// Failures that were noted; what is nobody's fault is none.
    pub failures: i64,
    /// Slots of enabled credentials, as last seen in it.
    pub slots: Option<i64>,
    /// How many of them were taken.
    pub used: Option<i64>,
}

impl Store {
    /// The figures of a layout's steps, the oldest first, behind those of the period before, which
    /// begin at [`Layout::before`]. Stretches in which nothing was kept are left out.
    pub async fn trend(&self, tenant: &TenantId, layout: &Layout) -> Result<Vec<Figures>> {
        let end = layout.from.plus(layout.points * layout.step);
        self.db()
            .all(
                sql!(
                    "SELECT g.at, g.allocated, g.released, g.successes, g.failures, s.slots, s.used
                     FROM (SELECT CASE WHEN f.at >= $3 THEN f.at - f.at % $5 ELSE $2 END AS at,
                               CAST(SUM(f.allocated) AS BIGINT) AS allocated, CAST(SUM(f.released) AS BIGINT) AS released,
                               CAST(SUM(f.successes) AS BIGINT) AS successes, CAST(SUM(f.failures) AS BIGINT) AS failures,
                               MAX(CASE WHEN f.used IS NOT NULL THEN f.at END) AS sampled
                           FROM pool_figures f WHERE f.tenant_id = $1 AND f.at >= $2 AND f.at < $4 GROUP BY 1) AS g
                     LEFT JOIN pool_figures s ON s.tenant_id = $1 AND s.at = g.sampled
                     ORDER BY g.at"
                ),
                args![tenant, layout.before, layout.from, end, layout.step],
            )
            .await
    }

    /// The samples of the last days that [`domain::runway`] looks at, and the slots there were at the
    /// last of them.
    pub async fn samples(&self, tenant: &TenantId, now: Timestamp) -> Result<(Vec<Sample>, Option<i64>)> {
        let rows: Vec<(i64, i64, i64)> = self
            .db()
            .all(
                sql!(
                    "SELECT at, slots, used FROM pool_figures
                     WHERE tenant_id = $1 AND at >= $2 AND at <= $3 AND slots IS NOT NULL AND used IS NOT NULL ORDER BY at"
                ),
                args![tenant, now.plus(-WINDOW), now],
            )
            .await?;
        let slots = rows.last().map(|(_, slots, _)| *slots);
        let sample = |(at, _, used)| Sample { at: Timestamp::from_millis(at), used };
        Ok((rows.into_iter().map(sample).collect(), slots))
    }

    /// When all that had been noted was last counted.
    pub async fn measured_at(&self) -> Result<Option<Timestamp>> {
        self.moment(MEASURED_AT).await
    }

    /// Deletes up to `limit` of a tenant's buckets from before then, the oldest first. How many.
    pub async fn prune_figures(&self, tenant: &TenantId, before: Timestamp, limit: usize) -> Result<u64> {
        let mut tx = self.begin().await?;
        let statement = sql!(
            "DELETE FROM pool_figures WHERE tenant_id = $1 AND at < $2 AND at < COALESCE(
                 (SELECT at FROM pool_figures WHERE tenant_id = $1 ORDER BY at LIMIT 1 OFFSET $3), 9223372036854775807)"
        );
        let deleted = tx.execute(statement, args![tenant, before, limit]).await?;
        tx.commit().await?;
        Ok(deleted)
    }
}
