//! Jobs on their way: enqueued in the transaction of the change that asks for them.

use std::sync::Arc;
use std::time::Duration;

use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::TaskId;
use domain::Timestamp;
use jobs::{Envelope, Job, Queue, Spec};
use tokio::sync::Notify;

use crate::db::{Backend, Tx, args, sql};
use crate::error::{Result, StoreError};
use crate::{Ambient, Store};

/// Rings when something was enqueued in this process, so that its workers need not wait for their
/// next look.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Waits for the next ring.
    pub async fn wait(&self) {
        self.0.notified().await;
    }

    fn ring(&self) {
        self.0.notify_waiters();
    }
}

/// The database that the queue's own library works on.
#[derive(Clone, Debug)]
pub enum QueuePool {
    /// The connection that writes.
    Sqlite(sqlx::SqlitePool),
    /// All connections.
    Postgres(sqlx::PgPool),
}

/// When and how often.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// At most one job with this key is ever enqueued while its row is kept.
    pub key: Option<String>,
    /// Not before this pause is over.
    pub after: Option<Duration>,
}

/// The two libraries' errors are twins, and neither shows the driver's error among its causes.
macro_rules! queue_error {
    ($error:expr, $library:ident) => {
        match $error {
            $library::Error::Database(error) => StoreError::from(error),
            other => StoreError::Damaged(format!("a job was not enqueued: {other}")),
        }
    };
}

impl Tx {
    /// Enqueues a job as part of this transaction; its id.
    pub async fn enqueue<J: Job>(&mut self, job: &J, store: &Store) -> Result<String> {
        let now = store.now();
        let options = Options { key: job.key(now), after: job.pause(now) };
        let envelope = Envelope::wrap(job).map_err(|e| StoreError::Damaged(format!("a payload: {e}")))?;
        self.push(&J::SPEC, &envelope, &options, store.ambient()).await
    }

    /// Enqueues an envelope.
    pub async fn push(
        &mut self,
        spec: &Spec,
        envelope: &Envelope,
        options: &Options,
        ambient: &Ambient,
    ) -> Result<String> {
        let id = ambient.new_id();
        let payload = serde_json::to_vec(envelope).map_err(|e| StoreError::Damaged(format!("a payload: {e}")))?;
        let task_id = id.parse::<TaskId>().map_err(|e| StoreError::Damaged(format!("a job id: {e}")))?;
        let run_at = ambient.now().plus(options.after.map_or(0, |d| d.as_millis() as i64));
        let mut task = TaskBuilder::new(payload)
            .task_id(task_id)
            .priority(spec.priority)
            .max_attempts(spec.max_attempts)
            .run_at_timestamp((run_at.millis() / 1000).unsigned_abs());
        if let Some(key) = &options.key {
            if self.is_enqueued(spec.queue, key).await? {
                return Ok(id);
            }
            task = task.idempotency_key(key);
        }
        self.push_task(spec.queue, task.build()).await?;
        Ok(id)
    }

    /// PostgreSQL's insert fails on a key that is there already, and with it the transaction; so
    /// the key is looked up first, and the insert stands in a savepoint for those who raced.
    async fn push_task(&mut self, queue: Queue, task: apalis_core::task::Task<Vec<u8>>) -> Result<()> {
        use sqlx::Acquire;
        match self {
            Self::Sqlite(tx) => {
                let connection: &mut sqlx::SqliteConnection = &mut *tx;
                let pushed = apalis_sqlite::queries::push_tasks(connection, queue.as_ref(), &[task]).await;
                pushed.map_err(|error| queue_error!(error, apalis_sqlite))
            }
            Self::Postgres(tx) => {
                let mut savepoint = tx.begin().await?;
                let connection: &mut sqlx::PgConnection = &mut savepoint;
                let pushed = apalis_postgres::queries::push_tasks(connection, queue.as_ref(), vec![task]).await;
                match pushed {
                    Ok(()) => Ok(savepoint.commit().await?),
                    Err(apalis_postgres::Error::Database(sqlx::Error::Database(error)))
                        if error.is_unique_violation() =>
                    {
                        Ok(savepoint.rollback().await?)
                    }
                    Err(error) => Err(queue_error!(error, apalis_postgres)),
                }
            }
        }
    }

    async fn is_enqueued(&mut self, queue: Queue, key: &str) -> Result<bool> {
        let statement = if self.is_postgres() {
            sql!("SELECT id FROM apalis.jobs WHERE job_type = $1 AND idempotency_key = $2")
        } else {
            sql!("SELECT id FROM Jobs WHERE job_type = $1 AND idempotency_key = $2")
        };
        Ok(self.optional::<(String,)>(statement, args![queue.as_ref(), key]).await?.is_some())
    }
}

impl Store {
    /// Enqueues a job by itself, unless one with `key` is there; wakes this process's workers.
    pub async fn enqueue(&self, spec: &Spec, envelope: &Envelope, options: &Options) -> Result<String> {
        let mut tx = self.begin().await?;
        let id = tx.push(spec, envelope, options, self.ambient()).await?;
        tx.commit().await?;
        self.wake_workers();
        Ok(id)
    }

    /// Tells this process's workers to look now.
    pub fn wake_workers(&self) {
        self.inner.wake.ring();
    }

    /// The bell of this process.
    pub fn wake(&self) -> Wake {
        self.inner.wake.clone()
    }

    /// For the queue's own library.
    pub fn queue_pool(&self) -> QueuePool {
        match self.db() {
            Backend::Sqlite { write, .. } => QueuePool::Sqlite(write.clone()),
            Backend::Postgres { write, .. } => QueuePool::Postgres(write.clone()),
        }
    }

    /// Whether a queue has something that is due, read without writing: a job that waits for its
    /// first run, or one that failed and may be tried again.
    pub async fn due_jobs(&self, queue: Queue) -> Result<bool> {
        let statement = match self.db() {
            // Two statements in one, so that each finds its partial index.
            Backend::Sqlite { .. } => sql!(
                "SELECT 1 FROM Jobs WHERE job_type = $1 AND status = 'Pending' AND lock_by IS NULL AND run_at <= $2
                 UNION ALL
                 SELECT 1 FROM Jobs WHERE job_type = $1 AND status = 'Failed' AND attempts < max_attempts AND run_at <= $2
                 LIMIT 1"
            ),
            Backend::Postgres { .. } => sql!(
                "SELECT 1::bigint FROM apalis.jobs WHERE job_type = $1
                     AND (status = 'Pending' OR (status = 'Failed' AND attempts < max_attempts))
                     AND run_at <= to_timestamp($2) LIMIT 1"
            ),
        };
        let now = self.now().millis() / 1000;
        Ok(self.db().optional::<(i64,)>(statement, args![queue.as_ref(), now]).await?.is_some())
    }

    /// Puts a job off whose run `attempt` is about to end in failure, so that it is not tried again
    /// at once. With `forgiven`, that run does not count. Nothing happens when the job is in other
    /// hands by now.
    pub async fn postpone_job(&self, id: &str, attempt: usize, pause: Duration, forgiven: bool) -> Result<()> {
        let run_at = self.now().plus(pause.as_millis() as i64 + 999).millis() / 1000;
        let mut tx = self.begin().await?;
        let statement = if tx.is_postgres() {
            sql!(
                "UPDATE apalis.jobs SET run_at = to_timestamp($1), max_attempts = max_attempts + $2
                 WHERE id = $3 AND status IN ('Queued', 'Running') AND attempts = $4"
            )
        } else {
            sql!(
                "UPDATE Jobs SET run_at = $1, max_attempts = max_attempts + $2
                 WHERE id = $3 AND status IN ('Queued', 'Running') AND attempts = $4"
            )
        };
        tx.execute(statement, args![run_at, i64::from(forgiven), id, attempt.saturating_sub(1)]).await?;
        tx.commit().await
    }

    /// Parks a job at its run `attempt`: it is not run again, and the reason stands in its row and
    /// in the journal. Nothing happens when it is parked already, or in other hands by now.
    pub async fn park_job(
        &self,
        tenant: &domain::TenantId,
        job: &str,
        id: &str,
        attempt: usize,
        reason: &str,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        // Let go of by its worker, so that nothing that the worker has yet to say of it counts.
        let statement = if tx.is_postgres() {
            sql!(
                "UPDATE apalis.jobs SET status = 'Killed', attempts = $1, last_result = CAST($2 AS JSONB),
                     done_at = to_timestamp($3), lock_by = NULL, lock_at = NULL
                 WHERE id = $4 AND status IN ('Queued', 'Running') AND attempts = $1 - 1"
            )
        } else {
            sql!(
                "UPDATE Jobs SET status = 'Killed', attempts = $1, last_result = $2, done_at = $3, lock_by = NULL,
                     lock_at = NULL
                 WHERE id = $4 AND status IN ('Queued', 'Running') AND attempts = $1 - 1"
            )
        };
        let result = serde_json::json!({ "Err": reason }).to_string();
        let now = self.now();
        if tx.execute(statement, args![attempt, result, now.millis() / 1000, id]).await? == 0 {
            return tx.rollback().await;
        }
        let data = serde_json::json!({ "job": job, "job_id": id, "attempts": attempt, "reason": reason });
        let entry = crate::journal::Entry::new(domain::event::Action::JobParked).data(data);
        tx.record(tenant, &crate::Origin::internal(format!("job:{job}")), now, &[entry]).await?;
        tx.commit().await
    }

    /// Deletes up to `limit` finished jobs from before `before`, and workers' rows that nothing
    /// refers to. How many jobs there were.
    pub async fn prune_jobs(&self, before: Timestamp, limit: usize) -> Result<u64> {
        let seconds = before.millis() / 1000;
        let mut tx = self.begin().await?;
        let (jobs, workers) = if tx.is_postgres() {
            (
                sql!(
                    "DELETE FROM apalis.jobs WHERE id IN (
                         SELECT id FROM apalis.jobs WHERE (status IN ('Done', 'Killed') OR (status = 'Failed' AND attempts >= max_attempts))
                             AND run_at < to_timestamp($1) LIMIT $2)"
                ),
                sql!(
                    "DELETE FROM apalis.workers w WHERE w.last_seen < to_timestamp($1)
                         AND NOT EXISTS (SELECT 1 FROM apalis.jobs j WHERE j.lock_by = w.id)"
                ),
            )
        } else {
            (
                sql!(
                    "DELETE FROM Jobs WHERE id IN (
                         SELECT id FROM Jobs WHERE (status IN ('Done', 'Killed') OR (status = 'Failed' AND attempts >= max_attempts))
                             AND run_at < $1 LIMIT $2)"
                ),
                sql!(
                    "DELETE FROM Workers WHERE last_seen < $1 AND NOT EXISTS (SELECT 1 FROM Jobs WHERE lock_by = Workers.id)"
                ),
            )
        };
        let deleted = tx.execute(jobs, args![seconds, limit]).await?;
        if deleted < limit as u64 {
            tx.execute(workers, args![seconds]).await?;
        }
        tx.commit().await?;
        Ok(deleted)
    }
}
