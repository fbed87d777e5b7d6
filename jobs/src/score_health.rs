//! `score_health`: folds new results into each credential's evidence, refits the pool's prior and
//! brings scores up to date. Runs every five minutes, and soon after a burst of results or a
//! person's decision that raises a score.
//!
//! Running it twice is harmless: it keeps the number of the last result that it has folded.

use std::time::Duration;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Job, Queue, Spec};

/// Occasions within so many milliseconds are scored together, at their end: what comes in while the
/// first of them are being scored must not wait for the clock.
const WINDOW: i64 = 10_000;
/// A batch of results is written a little after it has asked.
const SLACK: i64 = 1_000;

/// The job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ScoreHealth {
    /// Asked for by an occasion rather than by the clock.
    #[serde(default)]
    pub soon: bool,
}

impl ScoreHealth {
    /// After a burst of results, or a decision.
    pub const SOON: Self = Self { soon: true };
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
        self.soon.then(|| format!("score_health:soon:{}", now.millis() / WINDOW))
    }

    fn pause(&self, now: Timestamp) -> Option<Duration> {
        let left = WINDOW - now.millis() % WINDOW + SLACK;
        self.soon.then(|| Duration::from_millis(left.unsigned_abs()))
    }
}
