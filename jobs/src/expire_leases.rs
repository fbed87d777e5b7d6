//! `expire_leases`: lets go of allocations whose lease has ended. Runs every minute; allocation
//! itself never waits for it, since an ended lease counts as released.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Job, Queue, Spec};

/// The job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ExpireLeases {}

impl Job for ExpireLeases {
    const SPEC: Spec = Spec {
        name: "expire_leases",
        description: "Releases allocations whose lease has ended",
        queue: Queue::Quick,
        priority: 9,
        max_attempts: 3,
        timeout: Duration::from_mins(1),
        backoff: Duration::from_secs(5),
        schedule: Some("* * * * *"),
    };
}
