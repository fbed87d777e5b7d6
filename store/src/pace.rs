//! How long work goes through everything: in steps, with time for others between them.

use std::time::{Duration, Instant};

/// The longest pause: a step that took longer has itself waited, for a lock or the disk.
const LONGEST: Duration = Duration::from_millis(100);

/// Pauses as long as the step before took, so that work behind the traffic takes about half of a
/// processor, or of the writer's time. gh-ost calls this a nice ratio of 1.
#[derive(Debug)]
pub struct Pace {
    step: Instant,
}

impl Pace {
    /// Before the first step.
    pub fn start() -> Self {
        Self { step: Instant::now() }
    }

    /// After a step, before the next.
    pub async fn rest(&mut self) {
        tokio::time::sleep(self.step.elapsed().min(LONGEST)).await;
        self.step = Instant::now();
    }
}
