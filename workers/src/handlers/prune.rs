//! Deletes what is older than its retention, in small steps from the old end.

use std::time::Duration;

use domain::Timestamp;
use domain::time::DAY;
use jobs::Prune;

use super::STEP;
use crate::{Context, Result};

/// The pause between two steps, in which others write.
const BREATH: Duration = Duration::from_millis(5);

pub(crate) async fn prune(context: Context, _: Prune) -> Result<()> {
    let store = &context.store;
    let retention = store.longest_retention().await?;
    let journal = days_ago(store.now(), retention.journal_days);
    let results = days_ago(store.now(), retention.results_days);
    let (mut logs, mut keys, mut figures, mut jobs) = (0, 0, 0, 0);
    loop {
        let some = store.prune_logs(journal, results, STEP).await?;
        if some == 0 {
            break;
        }
        logs += some;
        tokio::time::sleep(BREATH).await;
    }
    loop {
        let some = store.prune_keys(STEP).await?;
        if some == 0 {
            break;
        }
        keys += some;
        tokio::time::sleep(BREATH).await;
    }
    for tenant in store.tenants().await? {
        loop {
            let some = store.prune_figures(&tenant, results, STEP).await?;
            if some == 0 {
                break;
            }
            figures += some;
            tokio::time::sleep(BREATH).await;
        }
    }
    let finished = days_ago(store.now(), retention.jobs_days);
    loop {
        let some = store.prune_jobs(finished, STEP).await?;
        if some == 0 {
            break;
        }
        jobs += some;
        tokio::time::sleep(BREATH).await;
    }
    let uploads = store.prune_uploads(finished).await?;
    let sessions = store.prune_sessions(store.now().plus(-DAY)).await?;
    tracing::info!(logs, keys, figures, jobs, uploads, sessions, "old rows are gone");
    Ok(())
}

fn days_ago(now: Timestamp, days: u32) -> Timestamp {
    now.plus(-DAY * i64::from(days))
}
