//! The queues, on whichever database there is. The one place that knows which.
//!
//! What comes out are bytes: a job that can't be read must not end the worker, so reading it is
//! the shim's business.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::persistence::TaskPersistLayer;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task;
use apalis_core::worker::context::WorkerContext;
use apalis_postgres::PostgresStorage;
use apalis_sqlite::{JsonCodec, SqliteStorage};
use jobs::{Envelope, Queue};
use serde_json::Value;
use store::queue::QueuePool;
use tokio::time::Sleep;

use crate::error::WorkersError;
use crate::gate::Gate;

/// A worker that is silent for so many heartbeats is dead. At ten seconds each, and ten more until
/// another worker notices, its jobs are taken again within a minute.
const MISSED_HEARTBEATS: usize = 4;

enum Storage {
    Sqlite(SqliteStorage<Envelope>),
    Postgres(PostgresStorage<Envelope>),
}

/// Runs one expression on either storage, with its error made ours.
macro_rules! either {
    ($storage:expr, |$on:ident| $run:expr) => {
        match $storage {
            Storage::Sqlite($on) => $run,
            Storage::Postgres($on) => $run,
        }
    };
}

/// One queue, behind its gate.
pub(crate) struct QueueBackend {
    storage: Storage,
    gate: Arc<Gate>,
    /// A worker that was restarted waits a while first.
    pause: Option<Pin<Box<Sleep>>>,
}

impl QueueBackend {
    pub(crate) fn new(pool: &QueuePool, queue: Queue, heartbeat: Duration, gate: Arc<Gate>, pause: Duration) -> Self {
        // One job at a time: heartbeats and acknowledgements rest while fetched jobs wait.
        macro_rules! storage {
            ($library:ident, $storage:ident, $pool:expr) => {
                $storage::new($pool).with_config(
                    $library::Config::default()
                        .queue(queue)
                        .batch_size(1)
                        .heartbeat_interval(heartbeat.max(Duration::from_secs(1)))
                        .missed_heartbeats(MISSED_HEARTBEATS),
                )
            };
        }
        let storage = match pool {
            QueuePool::Sqlite(pool) => Storage::Sqlite(storage!(apalis_sqlite, SqliteStorage, pool)),
            QueuePool::Postgres(pool) => Storage::Postgres(storage!(apalis_postgres, PostgresStorage, pool)),
        };
        gate.open();
        Self { storage, gate, pause: (!pause.is_zero()).then(|| Box::pin(tokio::time::sleep(pause))) }
    }
}

fn ours(error: impl std::error::Error + Send + Sync + 'static) -> WorkersError {
    WorkersError::Queue(Box::new(error))
}

impl Backend for QueueBackend {
    type Task = Task<Vec<u8>>;
    type Error = WorkersError;

    fn poll_ready(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), Self::Error>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        either!(&mut self.storage, |on| on.poll_ready(cx, worker).map_err(ours))
    }

    /// Looks only when the gate is open. The look itself is polled with the gate as its waker: so
    /// its own progress opens the gate again, and nothing else that wakes the worker does.
    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Self::Error>>> {
        if !self.gate.pass(cx.waker()) {
            return Poll::Pending;
        }
        let waker = Waker::from(self.gate.clone());
        let looking = &mut Context::from_waker(&waker);
        let look = either!(&mut self.storage, |on| on.poll_next(looking, worker).map_err(ours));
        let Poll::Ready(next) = look else {
            // The outcome of a job that ended during a look is written when the worker comes round
            // again, and the end of a look in vain wakes nobody. The gate is closed by now.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        };
        // Where one job was, there may be more.
        self.gate.open();
        Poll::Ready(next)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), Self::Error>> {
        either!(&mut self.storage, |on| on.poll_close(cx, worker).map_err(ours))
    }
}

impl BackendConfig for QueueBackend {
    type Args = Vec<u8>;
    type Id = ();
    type Kind = Ephemeral;
    type Config = ();
    type Layer = TaskPersistLayer<JsonCodec<Value>, Value>;

    fn config(&self) -> &Self::Config {
        &()
    }

    fn middleware(&mut self, worker: &mut WorkerContext) -> Self::Layer {
        either!(&mut self.storage, |on| on.middleware(worker))
    }
}
