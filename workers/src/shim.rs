//! What stands around every run of every job, inside the layer that records its outcome: whatever
//! happens in a handler, the queue's row learns of it.
//!
//! The row itself carries the count of attempts and the time of the next one, so both survive any
//! restart, and there is never a second row that could be lost or run twice. A run ends in one of
//! four ways:
//!
//! - It is done.
//! - It failed and has attempts left: the row's time moves into the future, then the failure is
//!   recorded. When the program dies in between, another worker takes the job a little later.
//! - It failed because the database was away: the same, and the run does not count.
//! - It is parked: its attempts are used up, or trying again would not help. A job that keeps
//!   killing its worker never gets so far as to fail; that is seen when it comes once too often.

use std::time::{Duration, Instant};

use apalis_core::error::{AbortError, BoxDynError};
use apalis_core::task::Task;
use domain::TenantId;
use jobs::Envelope;
use serde_json::Value;
use store::StoreError;
use tracing::Instrument;

use crate::error::{Result, Verdict, WorkersError, chain};
use crate::{Context, Registry};

/// Stands for the name of a job whose envelope can't be read. No job is called so.
const UNREADABLE: &str = "(unreadable)";
/// The pause after a job that nobody here can do; during an upgrade, others can.
const UNKNOWN_JOB: Duration = Duration::from_mins(1);
/// The longest pause after a run that failed because the database was away.
const FORGIVEN: Duration = Duration::from_mins(1);
/// How often an outcome that can't be written is tried again.
const PERSIST: Duration = Duration::from_secs(1);

/// Runs what comes from the queues.
#[derive(Debug)]
pub(crate) struct Shim {
    pub context: Context,
    pub registry: Registry,
}

/// One run of one job.
#[derive(Debug)]
struct Run {
    id: String,
    /// From 1.
    attempt: usize,
    max_attempts: usize,
}

impl Shim {
    /// One run. To be polled after the library has counted the attempt.
    pub(crate) async fn handle(&self, task: Task<Vec<u8>>) -> Result<(), BoxDynError> {
        let run = Run {
            id: task.task_id().map(ToString::to_string).unwrap_or_default(),
            attempt: task.attempt(),
            max_attempts: task.max_attempts().unwrap_or(1),
        };
        let read = serde_json::from_slice(&task.args);
        let unreadable = |_| Envelope { job: UNREADABLE.to_owned(), payload: Value::Null };
        let envelope = read.unwrap_or_else(unreadable);
        // Names and numbers only: what a job carries is nobody's business here.
        let span = tracing::info_span!("job", job = envelope.job, id = run.id, attempt = run.attempt);
        self.run(&run, envelope).instrument(span).await
    }

    async fn run(&self, run: &Run, envelope: Envelope) -> Result<(), BoxDynError> {
        let started = Instant::now();
        let outcome = self.attempt(run, &envelope).await;
        let duration_ms = started.elapsed().as_millis() as u64;
        let Err(error) = outcome else {
            tracing::debug!(duration_ms, "done");
            return Ok(());
        };
        let reason = error.to_string();
        let forgiven = error.verdict() == Verdict::Forgive;
        if forgiven || (error.verdict() == Verdict::Retry && run.attempt < run.max_attempts) {
            let pause = self.pause(run, &envelope, forgiven);
            tracing::warn!(duration_ms, error = chain(&error), forgiven, pause_ms = pause.as_millis() as u64, "failed");
            let store = &self.context.store;
            while let Err(error) = store.postpone_job(&run.id, run.attempt, pause, forgiven).await {
                if !again(error).await {
                    break;
                }
            }
            return Err(reason.into());
        }
        tracing::error!(duration_ms, error = chain(&error), "failed for good, and is parked");
        self.park(run, &envelope, &reason).await;
        Err(Box::new(AbortError::new(reason)))
    }

    async fn attempt(&self, run: &Run, envelope: &Envelope) -> Result<()> {
        if run.attempt > run.max_attempts {
            let why = "its last run did not come to an end: its worker died or lost the database";
            return Err(WorkersError::Hopeless(why.to_owned()));
        }
        if envelope.job == UNREADABLE {
            return Err(WorkersError::Hopeless("it can't be read".to_owned()));
        }
        let context = Context { run: Some(run.id.clone()), ..self.context.clone() };
        self.registry.perform(&context, envelope).await
    }

    /// The pause before the next run: what the job asks for and up to a quarter more, so that jobs
    /// that failed together don't come back together.
    fn pause(&self, run: &Run, envelope: &Envelope, forgiven: bool) -> Duration {
        let Some(entry) = self.registry.get(&envelope.job) else { return UNKNOWN_JOB };
        let asked = if forgiven { entry.spec.backoff.min(FORGIVEN) } else { jobs::backoff(&entry.spec, run.attempt) };
        let [chance] = self.context.store.ambient().random::<1>();
        asked + asked * u32::from(chance) / 1024
    }

    /// Says so in the job's row and in the journal of the tenant whose job it is.
    async fn park(&self, run: &Run, envelope: &Envelope, reason: &str) {
        let tenant = envelope.payload.get("tenant_id").and_then(Value::as_str);
        let tenant = tenant.map_or_else(TenantId::default, TenantId::from);
        let store = &self.context.store;
        while let Err(error) = store.park_job(&tenant, &envelope.job, &run.id, run.attempt, reason).await {
            if !again(error).await {
                break;
            }
        }
    }
}

/// Whether to write an outcome again: yes, however long the database is away. Without it, the job
/// would be taken again at once, or be forgotten. When the database stays away, the worker's own
/// heartbeat fails, and this run ends with it.
async fn again(error: StoreError) -> bool {
    tracing::warn!(error = chain(&error), "the outcome was not written");
    let away = matches!(error, StoreError::Unavailable(_));
    if away {
        tokio::time::sleep(PERSIST).await;
    }
    away
}
