//! What is to be done later: one file per background job, with its payload and the constants that
//! say how it is run. A job's file is its documentation; its handler lives in `workers`.
//!
//! A payload is ids and parameters, never a secret, and every handler can run twice without harm.

mod check_capacity;
mod expire_leases;
mod import_credentials;
mod measure_pool;
mod prune;
mod score_health;

use std::time::Duration;

use domain::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use check_capacity::CheckCapacity;
pub use expire_leases::ExpireLeases;
pub use import_credentials::ImportCredentials;
pub use measure_pool::MeasurePool;
pub use prune::Prune;
pub use score_health::ScoreHealth;

/// A few queues by class: each poll is a write on SQLite, so there are few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::AsRefStr, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Queue {
    /// Short work on the database.
    Quick,
    /// Long work on the database or the processor.
    Heavy,
    /// Work that waits for the network.
    Network,
    /// Messages to people and other systems.
    Deliver,
}

impl Queue {
    /// Jobs of this queue that one process runs at once.
    pub const fn concurrency(self) -> usize {
        match self {
            // Two, so that a long import does not hold up scores.
            Self::Quick | Self::Heavy => 2,
            Self::Network | Self::Deliver => 4,
        }
    }
}

/// How a job is run.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Its name: in the queue, in schedules, in metrics.
    pub name: &'static str,
    /// What it does, for people.
    pub description: &'static str,
    /// Where it waits.
    pub queue: Queue,
    /// Higher goes first within a queue.
    pub priority: usize,
    /// Runs before it is parked, the first included.
    pub max_attempts: usize,
    /// A run that takes longer is stopped and counts as failed.
    pub timeout: Duration,
    /// The pause before the second run; doubles for each further one, up to an hour.
    pub backoff: Duration,
    /// When it runs by itself: five fields of cron, in UTC.
    pub schedule: Option<&'static str>,
}

/// A job: a payload that knows how it is run.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// How it is run.
    const SPEC: Spec;

    /// At most one job with this key is enqueued, when it has one. A schedule's tick has a key of
    /// its own.
    fn key(&self, _now: Timestamp) -> Option<String> {
        None
    }

    /// It is not run before this pause is over.
    fn pause(&self, _now: Timestamp) -> Option<Duration> {
        None
    }
}

/// What travels through a queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// [`Spec::name`].
    pub job: String,
    /// The job itself, as JSON.
    pub payload: serde_json::Value,
}

impl Envelope {
    /// Wraps a job.
    pub fn wrap<J: Job>(job: &J) -> Result<Self, serde_json::Error> {
        Ok(Self { job: J::SPEC.name.to_owned(), payload: serde_json::to_value(job)? })
    }
}

/// Every job there is.
pub const REGISTRY: &[Spec] = &[
    ScoreHealth::SPEC,
    ExpireLeases::SPEC,
    CheckCapacity::SPEC,
    MeasurePool::SPEC,
    Prune::SPEC,
    ImportCredentials::SPEC,
];

/// The job of that name.
pub fn spec(name: &str) -> Option<&'static Spec> {
    REGISTRY.iter().find(|spec| spec.name == name)
}

/// The pause before run `attempt + 1`, after run `attempt` failed.
pub fn backoff(spec: &Spec, attempt: usize) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    spec.backoff.saturating_mul(1 << doublings).min(Duration::from_hours(1))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let names: HashSet<_> = REGISTRY.iter().map(|spec| spec.name).collect();
        assert_eq!(names.len(), REGISTRY.len());
    }

    #[test]
    fn pauses_double_and_stop_at_an_hour() {
        let spec = &ScoreHealth::SPEC;
        assert_eq!(backoff(spec, 1), spec.backoff);
        assert_eq!(backoff(spec, 3), spec.backoff * 4);
        assert_eq!(backoff(spec, 1000), Duration::from_hours(1));
    }
}
