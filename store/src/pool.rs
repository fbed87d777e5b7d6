//! The pool as a whole: totals, distributions, and the level of its capacity.

use domain::capacity::{Level, Totals};
use domain::event::Action;
use domain::{TenantId, Timestamp};
use serde_json::json;

use crate::Store;
use crate::db::{args, sql};
use crate::error::{Result, StoreError};
use crate::journal::{Entry, Origin};
use crate::logs::OUT_OF_ORDER;

/// Results, of all tenants, that one count looks at: further back would take longer than anybody
/// waits.
pub const RESULTS_COUNTED: i64 = 1_000_000;

impl Store {
    /// The tenant's totals.
    pub async fn totals(&self, tenant: &TenantId) -> Result<Totals> {
        let (credentials, banned, slots, used): (i64, i64, i64, i64) = self
            .db()
            .one(
                sql!(
                    "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN standing = 'banned' THEN 1 ELSE 0 END), 0) AS BIGINT),
                         CAST(COALESCE(SUM(CASE WHEN standing = 'enabled' THEN max_accounts ELSE 0 END), 0) AS BIGINT),
                         CAST(COALESCE(SUM(CASE WHEN standing <> 'enabled' THEN 0
                             WHEN current_accounts < max_accounts THEN current_accounts ELSE max_accounts END), 0) AS BIGINT)
                     FROM credentials WHERE tenant_id = $1 AND deleted_at IS NULL"
                ),
                args![tenant],
            )
            .await?;
        Ok(Totals { credentials, banned, slots, used })
    }

    /// How many credentials show each status.
    pub async fn status_counts(&self, tenant: &TenantId) -> Result<Vec<(String, i64)>> {
        self.db()
            .all(
                sql!(
                    "SELECT CASE WHEN standing <> 'enabled' THEN standing WHEN current_accounts > 0 THEN 'in_use'
                         ELSE 'available' END AS status, COUNT(*) AS number
                     FROM credentials WHERE tenant_id = $1 AND deleted_at IS NULL GROUP BY 1"
                ),
                args![tenant],
            )
            .await
    }

    /// What was reported since `from`, by success and fault; and whether that is not all, because
    /// there were more than [`RESULTS_COUNTED`].
    pub async fn result_counts(&self, tenant: &TenantId, from: Timestamp) -> Result<(Vec<(bool, String, i64)>, bool)> {
        let (newest,): (i64,) = self.db().one(sql!("SELECT results FROM heads WHERE id = 1"), args![]).await?;
        // What happened since then was noted since then.
        let row = sql!("SELECT seq, noted_at FROM results WHERE seq >= $1 AND seq <= $2 ORDER BY seq LIMIT 1");
        let first = self.last_before(row, from, newest).await? - OUT_OF_ORDER;
        let oldest = newest - RESULTS_COUNTED;
        let counts = self
            .db()
            .all(
                sql!(
                    "SELECT success, fault, COUNT(*) FROM results
                     WHERE seq > $1 AND tenant_id = $2 AND at >= $3 GROUP BY success, fault"
                ),
                args![first.max(oldest), tenant, from],
            )
            .await?;
        Ok((counts, first < oldest))
    }

    /// Keeps the level of a tenant's pool; when it changed, says so once.
    pub async fn set_capacity_level(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        level: Level,
        totals: &Totals,
    ) -> Result<bool> {
        let before: Option<(String,)> =
            self.db().optional(sql!("SELECT capacity_level FROM tenants WHERE id = $1"), args![tenant]).await?;
        let Some((before,)) = before else { return Err(StoreError::NotFound("tenant")) };
        if before == level.to_string() {
            return Ok(false);
        }
        let mut tx = self.begin().await?;
        // Only an update: a row locked for more would hold up new accounts, whose foreign key looks
        // at it, while they hold up the journal.
        let changed = tx
            .execute(
                sql!("UPDATE tenants SET capacity_level = $1 WHERE id = $2 AND capacity_level = $3"),
                args![level.to_string(), tenant, &before],
            )
            .await?;
        if changed == 0 {
            return Ok(false);
        }
        let action = match level {
            Level::Normal => Action::CapacityRestored,
            Level::Warning => Action::CapacityWarning,
            Level::Critical => Action::CapacityCritical,
        };
        let data = json!({
            "before": before, "after": level, "used_percent": totals.used_percent(),
            "banned_percent": totals.banned_percent(), "totals": totals,
        });
        tx.record(tenant, origin, self.now(), &[Entry::new(action).data(data)]).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Every tenant.
    pub async fn tenants(&self) -> Result<Vec<TenantId>> {
        let rows: Vec<(String,)> = self.db().all(sql!("SELECT id FROM tenants ORDER BY id"), args![]).await?;
        Ok(rows.into_iter().map(|(id,)| TenantId::from(id)).collect())
    }
}
