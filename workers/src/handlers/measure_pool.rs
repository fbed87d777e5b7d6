//! Counts what was noted into the pool's figures, and samples its slots.

use jobs::MeasurePool;
use store::trend::SLICE;

use crate::{Context, Result};

pub(crate) async fn measure_pool(context: Context, _: MeasurePool) -> Result<()> {
    let measured = context.store.measure_pool(SLICE).await?;
    tracing::debug!(rows = measured.rows, is_complete = measured.is_complete, "the pool was measured");
    Ok(())
}
