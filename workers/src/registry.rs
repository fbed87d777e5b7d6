//! Which handler does which job.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use jobs::{Envelope, Job, Spec};
use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::error::{Result, WorkersError};
use crate::{Context, handlers};

type Handler = Arc<dyn Fn(Context, Value) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// A job and who does it.
#[derive(Clone)]
pub(crate) struct Entry {
    pub spec: Spec,
    handler: Handler,
    /// Whether the job can be started without parameters, as the clock does.
    pub needs_nothing: bool,
}

/// Every job that this process can do, by name.
#[derive(Clone, Default)]
pub struct Registry {
    entries: BTreeMap<&'static str, Entry>,
}

impl Registry {
    /// The product's jobs.
    pub fn standard() -> Self {
        Self::default()
            .with(handlers::score_health)
            .with(handlers::expire_leases)
            .with(handlers::check_capacity)
            .with(handlers::measure_pool)
            .with(handlers::prune)
            .with(handlers::import_credentials)
    }

    /// Adds a job and its handler, in place of an earlier one of that name.
    #[must_use]
    pub fn with<J, H, F>(mut self, handler: H) -> Self
    where
        J: Job,
        H: Fn(Context, J) -> F + Send + Sync + 'static,
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let read = |payload| serde_json::from_value::<J>(payload);
        let needs_nothing = read(Value::Object(serde_json::Map::new())).is_ok();
        let handler = move |context, payload| match read(payload) {
            Ok(job) => handler(context, job).boxed(),
            Err(error) => {
                let why = WorkersError::Hopeless(format!("its parameters can't be read: {error}"));
                futures::future::err(why).boxed()
            }
        };
        self.entries.insert(J::SPEC.name, Entry { spec: J::SPEC, handler: Arc::new(handler), needs_nothing });
        self
    }

    pub(crate) fn get(&self, job: &str) -> Option<&Entry> {
        self.entries.get(job)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Every job of the product must have its handler.
    pub(crate) fn check(&self) -> Result<()> {
        match jobs::REGISTRY.iter().find(|spec| self.get(spec.name).is_none()) {
            Some(spec) => Err(WorkersError::NoHandler(spec.name.to_owned())),
            None => Ok(()),
        }
    }

    /// Runs one job here and now, as the runtime would, but without a queue: a run that takes too
    /// long or panics is an error.
    pub async fn perform(&self, context: &Context, envelope: &Envelope) -> Result<()> {
        let entry = self.get(&envelope.job).ok_or_else(|| WorkersError::NoHandler(envelope.job.clone()))?;
        entry.perform(context, envelope.payload.clone()).await
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}

impl Entry {
    /// One run, on a task of its own: the queues' own task must never wait for a handler's
    /// computation, or heartbeats stop. When this future is dropped, the run is stopped.
    pub(crate) async fn perform(&self, context: &Context, payload: Value) -> Result<()> {
        let (handler, context) = (self.handler.clone(), context.clone());
        let run = async move {
            let guarded = AssertUnwindSafe(async move { handler(context, payload).await });
            guarded.catch_unwind().await.unwrap_or_else(|panic| Err(WorkersError::Panicked(text_of(&*panic))))
        };
        let task = AbortOnDropHandle::new(tokio::spawn(run.in_current_span()));
        match tokio::time::timeout(self.spec.timeout, task).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(stopped)) => Err(WorkersError::Failed(stopped.to_string())),
            Err(_) => Err(WorkersError::TimedOut(self.spec.timeout)),
        }
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_has_a_handler() {
        Registry::standard().check().unwrap();
        assert!(matches!(Registry::default().check(), Err(WorkersError::NoHandler(_))));
    }
}
