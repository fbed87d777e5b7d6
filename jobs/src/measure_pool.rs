//! `measure_pool`: counts what the journal and the results have noted into figures of five minutes,
//! samples the slots, and so makes trends cheap to look at. Runs every minute.
//!
//! Running it twice, or twice at once, is harmless: it keeps the numbers of the last rows that it has
//! counted, and moves them in the transaction of the counts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Job, Queue, Spec};

/// The job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MeasurePool {}

impl Job for MeasurePool {
    const SPEC: Spec = Spec {
        name: "measure_pool",
        description: "Counts allocations and results, and samples the slots, for trends",
        queue: Queue::Quick,
        priority: 3,
        max_attempts: 3,
        timeout: Duration::from_mins(1),
        backoff: Duration::from_secs(5),
        schedule: Some("* * * * *"),
    };
}
