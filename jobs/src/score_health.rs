//! `score_health`: folds new results into each credential's evidence, refits the pool's prior and
//! brings scores up to date. Runs every five minutes, and soon after a burst of results.
//!
//! Running it twice is harmless: it keeps the number of the last result that it has folded.

use std::time::Duration;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Job, Queue, Spec};

/// Bursts within so many milliseconds are scored together, at their end: what comes in while the
/// first of them are being scored must not wait for the clock.
const BURST_WINDOW: i64 = 10_000;
/// A batch of results is written a little after it has asked.
const BURST_SLACK: i64 = 1_000;

/// The job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ScoreHealth {
    /// Asked for by a burst of results rather than by the clock.
    #[serde(default)]
    pub after_burst: bool,
}

impl Job for ScoreHealth {
    const SPEC: Spec = Spec {
        name: "score_health",
        description: "Scores every credential from its results, and refits the pool's prior",
        queue: Queue::Heavy,
        priority: 5,
        max_attempts: 3,
        timeout: Duration::from_mins(5),
        backoff: Duration::from_secs(10),
        schedule: Some("*/5 * * * *"),
    };

    fn key(&self, now: Timestamp) -> Option<String> {
        self.after_burst.then(|| format!("score_health:burst:{}", now.millis() / BURST_WINDOW))
    }

    fn pause(&self, now: Timestamp) -> Option<Duration> {
        let left = BURST_WINDOW - now.millis() % BURST_WINDOW + BURST_SLACK;
        self.after_burst.then(|| Duration::from_millis(left.unsigned_abs()))
    }
}
