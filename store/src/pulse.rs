//! Whether the database answers, looked at once a second however many ask.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::Store;

/// How long an answer counts.
const KEPT: Duration = Duration::from_secs(1);
/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The last look, and what came of it. Who asks meanwhile waits for the one that looks.
#[derive(Debug, Default)]
pub(crate) struct Pulse(Mutex<Option<(Instant, bool)>>);

impl Store {
    /// Whether the database answers, as of at most a second ago. Never takes long to say so, and never
    /// costs much: strangers may ask.
    pub async fn answers(&self) -> bool {
        let mut last = self.inner.pulse.0.lock().await;
        match *last {
            Some((at, answered)) if at.elapsed() < KEPT => answered,
            _ => {
                let answered = matches!(timeout(PATIENCE, self.ping()).await, Ok(Ok(())));
                *last = Some((Instant::now(), answered));
                answered
            }
        }
    }
}
