//! Compares each tenant's pool with the thresholds; the store says so once for each change.

use domain::capacity::level;
use jobs::CheckCapacity;

use crate::{Context, Result};

pub(crate) async fn check_capacity(context: Context, _: CheckCapacity) -> Result<()> {
    for tenant in context.store.tenants().await? {
        let totals = context.store.totals(&tenant).await?;
        let thresholds = context.store.effective_settings(&tenant).await?.capacity;
        let level = level(&totals, &thresholds);
        if context.store.set_capacity_level(&tenant, &context.origin::<CheckCapacity>(), level, &totals).await? {
            tracing::info!(%tenant, %level, used_percent = totals.used_percent(), "the pool's level changed");
        }
    }
    Ok(())
}
