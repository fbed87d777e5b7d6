//! The one error of this crate, and what follows from it for a job.

use std::time::Duration;

use store::StoreError;

/// What can go wrong with a job, or with the runtime.
#[derive(Debug, thiserror::Error)]
pub enum WorkersError {
    /// The store failed, or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Trying again would not help.
    #[error("{0}")]
    Hopeless(String),
    /// It went wrong; the next run may go better.
    #[error("{0}")]
    Failed(String),
    /// A run took longer than its job may.
    #[error("not done after {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// A run panicked.
    #[error("panicked: {0}")]
    Panicked(String),
    /// A job without a handler: a newer version enqueued it, or a registry is incomplete.
    #[error("no handler for the job {0}")]
    NoHandler(String),
    /// A job's schedule can't be followed.
    #[error("the schedule of {job}: {why}")]
    Schedule {
        /// Which job.
        job: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The queue's library failed.
    #[error("the queue: {0}")]
    Queue(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The usual result of this crate.
pub type Result<T, E = WorkersError> = std::result::Result<T, E>;

/// What becomes of a job whose run failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Try again, until its attempts are used up.
    Retry,
    /// Try again, and don't count this run: the database was away.
    Forgive,
    /// Never again.
    Park,
}

impl WorkersError {
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Store(StoreError::Unavailable(_)) => Verdict::Forgive,
            Self::Hopeless(_)
            | Self::Store(
                StoreError::Invalid(_)
                | StoreError::NotFound(_)
                | StoreError::AlreadyExists(_)
                | StoreError::Conflict(_),
            ) => Verdict::Park,
            _ => Verdict::Retry,
        }
    }
}

/// An error and what caused it, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
