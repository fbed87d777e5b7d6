//! When a queue is looked at.
//!
//! Each look of the queue's library is a write, and left alone it looks whenever anything in the
//! process stirs. So every queue has a gate before it. One watcher for the whole process reads
//! (which costs next to nothing) which queues have something due: when a job was enqueued in this
//! process, and every so often for the jobs of other processes. It opens only those gates.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use futures::future::join_all;
use futures::task::AtomicWaker;
use jobs::Queue;
use store::Store;
use strum::IntoEnumIterator;
use tokio::time::Instant;

use crate::error::chain;

/// Looks are at least this far apart, so that a burst of jobs is seen at once.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
/// Every gate is opened this often, due or not: whatever keeps a due job from being seen, it is
/// taken in the end.
const LOOK_ANYWAY: Duration = Duration::from_secs(15);
/// Looks for the jobs of other processes are at least this far apart.
const SHORTEST_POLL: Duration = Duration::from_millis(500);

/// Stands before one queue. Waking it opens it.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    open: AtomicBool,
    waiting: AtomicWaker,
}

impl Gate {
    pub(crate) fn open(&self) {
        self.open.store(true, Ordering::Release);
        self.waiting.wake();
    }

    /// Goes through the gate, which closes behind one; or leaves a bell to ring when it opens.
    pub(crate) fn pass(&self, bell: &Waker) -> bool {
        self.waiting.register(bell);
        self.open.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Gate {
    fn wake(self: Arc<Self>) {
        self.open();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.open();
    }
}

/// A gate for each queue.
#[derive(Clone, Debug)]
pub(crate) struct Gates(Arc<HashMap<Queue, Arc<Gate>>>);

impl Gates {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Queue::iter().map(|queue| (queue, Arc::default())).collect()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Queue, &Arc<Gate>)> {
        self.0.iter().map(|(queue, gate)| (*queue, gate))
    }

    /// Opens the gates of queues that have something due. Never ends; a database that is away only
    /// delays it.
    pub(crate) async fn watch(&self, store: &Store, poll: Duration) {
        let bell = store.wake();
        let mut looked_anyway = Instant::now();
        let mut troubled = false;
        loop {
            // Listening begins before the look, so that no ring is missed.
            let mut ring = pin!(bell.wait());
            let already = futures::poll!(ring.as_mut()).is_ready();
            let anyway = looked_anyway.elapsed() >= LOOK_ANYWAY;
            if anyway {
                looked_anyway = Instant::now();
            }
            let looks = join_all(self.iter().map(|(queue, gate)| look(store, queue, gate, anyway))).await;
            match looks.into_iter().find_map(Result::err) {
                Some(error) if !troubled => {
                    tracing::warn!(error = chain(&error), "can't look for jobs; will keep trying");
                    troubled = true;
                }
                Some(_) => {}
                None => troubled = false,
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
            if !already {
                tokio::select! {
                    () = ring => {}
                    () = tokio::time::sleep(poll.clamp(SHORTEST_POLL, LOOK_ANYWAY)) => {}
                }
            }
        }
    }
}

async fn look(store: &Store, queue: Queue, gate: &Gate, anyway: bool) -> store::Result<()> {
    let due = store.due_jobs(queue).await;
    if anyway || matches!(due, Ok(true)) {
        gate.open();
    }
    due.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_lets_one_look_through_for_each_opening() {
        let gate = Arc::new(Gate::default());
        let bell = Waker::noop();
        assert!(!gate.pass(bell));
        gate.open();
        Waker::from(gate.clone()).wake_by_ref();
        assert!(gate.pass(bell));
        assert!(!gate.pass(bell));
    }
}
