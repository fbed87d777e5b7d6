//! `import_credentials`: imports an upload that is too large to answer at once. The upload waits
//! sealed in its batch; the payload only names it.
//!
//! Running it twice is harmless: what is in the pool already counts as a duplicate.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Job, Queue, Spec};

/// The job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportCredentials {
    /// Whose.
    pub tenant_id: String,
    /// The batch that holds the upload.
    pub batch_id: String,
}

impl Job for ImportCredentials {
    const SPEC: Spec = Spec {
        name: "import_credentials",
        description: "Imports a large upload of credentials",
        queue: Queue::Heavy,
        priority: 8,
        max_attempts: 3,
        timeout: Duration::from_mins(30),
        backoff: Duration::from_secs(10),
        schedule: None,
    };
}
