//! Settings of a tenant. For now the strategy; thresholds and retention have their places in the
//! same table.

use std::str::FromStr;

use domain::event::Action;
use domain::{Strategy, TenantId};
use serde_json::json;

use crate::Store;
use crate::db::{args, sql};
use crate::error::Result;
use crate::journal::{Entry, Origin};

impl Store {
    /// The tenant's strategy.
    pub async fn strategy(&self, tenant: &TenantId) -> Result<Strategy> {
        let row: Option<(String,)> = self
            .db()
            .optional(sql!("SELECT value FROM settings WHERE tenant_id = $1 AND key = 'strategy'"), args![tenant])
            .await?;
        Ok(row.and_then(|(text,)| Strategy::from_str(&text).ok()).unwrap_or_default())
    }

    /// Chooses the tenant's strategy, for the next allocation on every process.
    pub async fn set_strategy(&self, tenant: &TenantId, origin: &Origin, strategy: Strategy) -> Result<()> {
        let before = self.strategy(tenant).await?;
        let mut tx = self.begin().await?;
        tx.execute(
            sql!(
                "INSERT INTO settings (tenant_id, key, value, updated_at, updated_by) VALUES ($1, 'strategy', $2, $3, $4)
                 ON CONFLICT (tenant_id, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at,
                     updated_by = excluded.updated_by"
            ),
            args![tenant, strategy.to_string(), self.now(), &origin.actor],
        )
        .await?;
        tx.bump_revision().await?;
        let data = json!({ "before": before, "after": strategy });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::StrategyChanged).data(data)]).await?;
        tx.commit().await
    }
}
