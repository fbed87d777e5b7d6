//! Releases allocations whose lease has ended.

use jobs::ExpireLeases;

use super::STEP;
use crate::{Context, Result};

pub(crate) async fn expire_leases(context: Context, _: ExpireLeases) -> Result<()> {
    let mut released = 0;
    loop {
        let some = context.store.expire_leases(STEP).await?;
        released += some;
        if some < STEP {
            break;
        }
        // Requests go first.
        tokio::task::yield_now().await;
    }
    if released > 0 {
        tracing::info!(released, "leases ended");
    }
    Ok(())
}
