//! Who does the work: the handlers of background jobs, the runtime that feeds them, and the clock
//! that starts what is scheduled.
//!
//! What may not enter: SQL (that is `store`'s), rules (those are `domain`'s), and what a job is
//! (that is `jobs`'). A handler loads, lets `domain` decide, and saves.
//!
//! | module | does |
//! | --- | --- |
//! | [`handlers`] | the work itself, one file for each job |
//! | [`registry`] | which handler does which job |
//! | [`runtime`] | takes jobs from the queues until it is told to stop |
//! | [`shim`] | stands around every run: attempts, timeout, panics, the pause before the next one |
//! | [`backend`], [`gate`] | the queues, looked at only when something is due |
//! | [`cron`] | enqueues what is scheduled, once for each tick however many processes there are |
//!
//! A new job is one file in `jobs`, one in [`handlers`] and one line in [`registry`].

mod backend;
mod cron;
mod error;
mod gate;
mod handlers;
mod registry;
mod runtime;
mod shim;

use std::time::Duration;

pub use error::{Result, WorkersError};
pub use registry::Registry;
pub use runtime::{run, run_with};

/// What every handler is given.
#[derive(Clone, Debug)]
pub struct Context {
    /// The database.
    pub store: store::Store,
    /// What was configured.
    pub config: WorkerConfig,
    /// The run that this is; none outside of a queue.
    pub run: Option<String>,
}

impl Context {
    /// Who does this, for the journal: the job, in this run of it.
    pub(crate) fn origin<J: jobs::Job>(&self) -> store::Origin {
        let job = format!("job:{}", J::SPEC.name);
        store::Origin { request_id: self.run.as_deref().map(Into::into), ..store::Origin::internal(job) }
    }
}

/// What of the work can be configured.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// How credentials are scored.
    pub health: domain::health::HealthConfig,
    /// Published sample ids, which imports refuse.
    pub samples: Vec<i64>,
    /// How often a worker says that it lives; one that is silent for four of these is dead, and its
    /// jobs are taken again. Whole seconds, at least one.
    pub heartbeat: Duration,
    /// How often a process looks for jobs that another process enqueued; at least half a second.
    pub poll: Duration,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            health: domain::health::HealthConfig::default(),
            samples: domain::import::SAMPLE_API_IDS.to_vec(),
            heartbeat: Duration::from_secs(10),
            poll: Duration::from_secs(1),
        }
    }
}
