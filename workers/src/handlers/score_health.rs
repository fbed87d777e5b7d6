//! Scores every credential from its results, and refits the pool's prior.

use jobs::ScoreHealth;

use crate::{Context, Result};

pub(crate) async fn score_health(context: Context, _: ScoreHealth) -> Result<()> {
    let scored = context.store.score_health(&context.config.health).await?;
    tracing::debug!(results = scored.results, changed = scored.changed, "scores are up to date");
    Ok(())
}
