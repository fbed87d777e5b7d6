//! How long work goes through everything: in steps, with time for others between them.

use std::time::{Duration, Instant};

/// The longest pause: a step that took longer has itself waited, for a lock or the disk.
const LONGEST: Duration = Duration::from_millis(100);

/// Pauses as long as the step before took, at most `LONGEST`, so that work behind the traffic takes about half of a
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_rests_as_long_as_the_step_took_but_not_as_long_as_it_waited() {
        let (mut pace, step) = (Pace::start(), Duration::from_millis(30));
        tokio::time::sleep(step).await;
        let rested = Instant::now();
        pace.rest().await;
        assert!(rested.elapsed() >= step);
        pace.step -= Duration::from_hours(1);
        tokio::time::timeout(Duration::from_mins(1), pace.rest()).await.unwrap();
    }
}
