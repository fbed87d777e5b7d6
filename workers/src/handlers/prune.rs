//! Deletes what is older than its retention, in small steps from the old end.

use domain::Timestamp;
use domain::time::DAY;
use jobs::Prune;
use store::Pace;

use super::STEP;
use crate::{Context, Result};

pub(crate) async fn prune(context: Context, _: Prune) -> Result<()> {
    let store = &context.store;
    let retention = store.longest_retention().await?;
    let journal = days_ago(store.now(), retention.journal_days);
    let results = days_ago(store.now(), retention.results_days);
    let finished = days_ago(store.now(), retention.jobs_days);
    let logs = in_steps(|| store.prune_logs(journal, results, STEP)).await?;
    let keys = in_steps(|| store.prune_keys(STEP)).await?;
    let mut figures = 0;
    for tenant in store.tenants().await? {
        figures += in_steps(|| store.prune_figures(&tenant, results, STEP)).await?;
    }
    let jobs = in_steps(|| store.prune_jobs(finished, STEP)).await?;
    let uploads = store.prune_uploads(finished).await?;
    let sessions = store.prune_sessions(store.now().plus(-DAY)).await?;
    tracing::info!(logs, keys, figures, jobs, uploads, sessions, "old rows are gone");
    Ok(())
}

/// Until a step finds nothing more. How many rows in all.
async fn in_steps<F: Future<Output = store::Result<u64>>>(step: impl Fn() -> F) -> Result<u64> {
    let (mut all, mut pace) = (0, Pace::start());
    loop {
        let some = step().await?;
        if some == 0 {
            return Ok(all);
        }
        all += some;
        pace.rest().await;
    }
}

fn days_ago(now: Timestamp, days: u32) -> Timestamp {
    now.plus(-DAY * i64::from(days))
}
