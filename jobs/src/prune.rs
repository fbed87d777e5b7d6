//! `prune`: deletes what is older than its retention, in small steps: journal, raw results,
//! figures of trends, finished jobs, uploads whose job was parked, dead workers' rows, idempotency keys. Runs nightly.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Job, Queue, Spec};

/// The job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Prune {}

impl Job for Prune {
    const SPEC: Spec = Spec {
        name: "prune",
        description: "Deletes history, results and finished jobs that are older than their retention",
        queue: Queue::Heavy,
        priority: 1,
        max_attempts: 3,
        timeout: Duration::from_hours(1),
        backoff: Duration::from_mins(1),
        schedule: Some("17 3 * * *"),
    };
}
