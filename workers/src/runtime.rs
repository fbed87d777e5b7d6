//! Takes jobs from the queues and does them, until it is told to stop.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use apalis::prelude::{Monitor, WorkerBuilder};
use apalis_core::task::Task;
use jobs::Queue;
use tokio_util::sync::CancellationToken;
use tower::limit::ConcurrencyLimitLayer;
use tower::service_fn;

use crate::backend::QueueBackend;
use crate::cron::Crontab;
use crate::error::{Result, WorkersError, chain};
use crate::gate::Gates;
use crate::shim::Shim;
use crate::{Context, Registry};

/// How long what runs may go on after the runtime was told to stop. Workers that are stopping send
/// no heartbeat, so this is shorter than it takes to be thought dead.
const GRACE: Duration = Duration::from_secs(25);
/// The pause before a worker's first restart; doubles for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause before a restart.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A worker that lived this long was well; its next restart is a first one.
const WELL: Duration = Duration::from_mins(1);

/// Does the product's jobs until `cancel`.
pub async fn run(context: Context, node_name: String, cancel: CancellationToken) -> Result<()> {
    run_with(context, Registry::standard(), node_name, cancel).await
}

/// Does the jobs of a registry until `cancel`: then it takes no more, lets what runs come to an end
/// for a while, and returns. What is still running after that is stopped, and another process, or
/// the next start, takes it again.
pub async fn run_with(
    context: Context,
    registry: Registry,
    node_name: String,
    cancel: CancellationToken,
) -> Result<()> {
    registry.check()?;
    let crontab = Crontab::new(&registry)?;
    let gates = Gates::new();
    let (store, config) = (context.store.clone(), context.config.clone());
    let shim = Arc::new(Shim { context, registry });
    // A worker ends with an error when the database does not answer it. It always starts again.
    let mut monitor = Monitor::new().should_restart(|worker, error| {
        tracing::warn!(worker = worker.name(), error = chain(error), "a worker stopped; it starts again");
        true
    });
    for (queue, gate) in gates.iter() {
        let pool = store.queue_pool();
        let (store, shim, gate, node_name) = (store.clone(), shim.clone(), gate.clone(), node_name.clone());
        let (heartbeat, restarts) = (config.heartbeat, Restarts::default());
        monitor = monitor.register(move |_| {
            let shim = shim.clone();
            // A name that was seen a moment ago is refused, so each start has its own.
            let name = format!("{node_name}/{queue}/{}", store.ambient().new_id());
            WorkerBuilder::new(name)
                .backend(QueueBackend::new(&pool, queue, heartbeat, gate.clone(), restarts.pause()))
                .layer(ConcurrencyLimitLayer::new(Queue::concurrency(queue)))
                .build(service_fn(move |task: Task<Vec<u8>>| {
                    let shim = shim.clone();
                    async move { shim.handle(task).await }
                }))
        });
    }
    let workers = monitor.context();
    let mut running = pin!(monitor.run());
    tracing::info!(node = node_name, "workers take jobs");
    tokio::select! {
        ended = &mut running => return ended.map_err(|error| WorkersError::Queue(Box::new(error))),
        () = gates.watch(&store, config.poll) => {}
        () = crontab.follow(&store) => {}
        () = cancel.cancelled() => {}
    }
    workers.shutdown().map_err(|error| WorkersError::Queue(Box::new(error)))?;
    if let Ok(ended) = tokio::time::timeout(GRACE, running).await {
        ended.map_err(|error| WorkersError::Queue(Box::new(error)))?;
    } else {
        tracing::warn!("jobs were still running; they are taken again later");
    }
    tracing::info!(node = node_name, "workers have stopped");
    Ok(())
}

/// How long a worker waits before it starts again.
#[derive(Debug, Default)]
struct Restarts(Mutex<Option<(Instant, Duration)>>);

impl Restarts {
    /// None before the first start.
    fn pause(&self) -> Duration {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = match *last {
            None => Duration::ZERO,
            Some((started, _)) if started.elapsed() >= WELL => FIRST_PAUSE,
            Some((_, before)) => (before * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE),
        };
        *last = Some((Instant::now(), pause));
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_wait_longer_each_time() {
        let restarts = Restarts::default();
        let pauses: Vec<_> = (0..8).map(|_| restarts.pause()).collect();
        assert_eq!(pauses[..4], [Duration::ZERO, FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4]);
        assert_eq!(pauses[7], LONGEST_PAUSE);
    }
}
