//! Enqueues what is scheduled.
//!
//! A tick does nothing but enqueue, under a key made of the job and the tick: so a job that fails
//! or takes long never delays the clock, and a tick is enqueued once, however many processes see
//! it. While the database is away, the tick waits; those that it misses meanwhile are left out.

use std::pin::pin;
use std::time::Duration;

use apalis_cron::timezone::Utc;
use apalis_cron::{CronScheduler, Error, Schedule, Tick};
use chrono::DateTime;
use croner::Cron;
use croner::parser::CronParser;
use futures::StreamExt;
use futures::future::join_all;
use jobs::{Envelope, Spec};
use serde_json::{Map, Value};
use store::queue::Options;
use store::{Store, StoreError};

use crate::error::{Result, WorkersError, chain};
use crate::registry::Registry;

/// How often a tick that can't be enqueued is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// What is scheduled, checked.
#[derive(Debug)]
pub(crate) struct Crontab(Vec<(Spec, Cron)>);

impl Crontab {
    /// Reads the schedules of all jobs that have one.
    pub(crate) fn new(registry: &Registry) -> Result<Self> {
        let mut lines = Vec::new();
        for entry in registry.entries() {
            let (job, Some(schedule)) = (entry.spec.name, entry.spec.schedule) else { continue };
            let wrong = |why| WorkersError::Schedule { job, why };
            if !entry.needs_nothing {
                return Err(wrong("the job can't be started without parameters".to_owned()));
            }
            let cron = CronParser::new().parse(schedule).map_err(|e| wrong(e.to_string()))?;
            lines.push((entry.spec, cron));
        }
        Ok(Self(lines))
    }

    /// Follows all schedules. Never ends.
    pub(crate) async fn follow(&self, store: &Store) {
        join_all(self.0.iter().map(|(spec, cron)| follow(store, spec, cron))).await;
        std::future::pending::<()>().await;
    }
}

/// When a job is due next, by the program's own clock.
struct Times<'a> {
    store: &'a Store,
    cron: &'a Cron,
}

impl Schedule<Utc> for Times<'_> {
    fn next_tick(&mut self, _: &Utc) -> Option<Tick<Utc>> {
        let now = DateTime::<Utc>::from_timestamp_millis(self.store.now().millis())?;
        let next = self.cron.find_next_occurrence(&now, false).ok()?;
        Some(Tick::new(next.timestamp().unsigned_abs()))
    }
}

/// Each tick gets a scheduler of its own: one that is asked too late refuses to go on.
async fn follow(store: &Store, spec: &Spec, cron: &Cron) {
    loop {
        let mut ticks = pin!(CronScheduler::new(Times { store, cron }).into_stream());
        match ticks.next().await {
            Some(Ok(tick)) => enqueue(store, spec, tick.get_timestamp()).await,
            Some(Err(Error::OutOfRange { tick, .. })) => {
                enqueue(store, spec, tick).await;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            None => {
                tracing::error!(job = spec.name, schedule = spec.schedule, "the schedule has no next time");
                return;
            }
        }
    }
}

async fn enqueue(store: &Store, spec: &Spec, tick: u64) {
    let envelope = Envelope { job: spec.name.to_owned(), payload: Value::Object(Map::new()) };
    let options = Options { key: Some(format!("{}:{tick}", spec.name)), after: None };
    while let Err(error) = store.enqueue(spec, &envelope, &options).await {
        let wait = matches!(error, StoreError::Unavailable(_));
        tracing::warn!(job = spec.name, error = chain(&error), "a scheduled job was not enqueued");
        if !wait {
            return;
        }
        tokio::time::sleep(RETRY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedules_of_all_jobs_can_be_followed() {
        let crontab = Crontab::new(&Registry::standard()).unwrap();
        assert_eq!(crontab.0.len(), jobs::REGISTRY.iter().filter(|spec| spec.schedule.is_some()).count());
    }
}
