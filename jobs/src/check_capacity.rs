//! `check_capacity`: compares used slots and bans with the thresholds and says so once for each
//! change of level. Runs every minute.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Job, Queue, Spec};

/// The job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CheckCapacity {}

impl Job for CheckCapacity {
    const SPEC: Spec = Spec {
        name: "check_capacity",
        description: "Warns when the pool fills up or too much of it is banned",
        queue: Queue::Quick,
        priority: 7,
        max_attempts: 3,
        timeout: Duration::from_mins(1),
        backoff: Duration::from_secs(5),
        schedule: Some("* * * * *"),
    };
}
