//! Releases allocations whose lease has ended.

use jobs::ExpireLeases;

use crate::{Context, Result};

pub(crate) async fn expire_leases(context: Context, _: ExpireLeases) -> Result<()> {
    let released = context.store.expire_all_leases().await?;
    if released > 0 {
        tracing::info!(released, "leases ended");
    }
    Ok(())
}
