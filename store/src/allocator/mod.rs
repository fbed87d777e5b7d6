//! The allocator: one task per process through which every allocation, release, renewal and report
//! goes.
//!
//! Fast and durable at once: requests queue, the task takes all that are waiting, decides them in
//! one transaction with a handful of set-based statements, commits once, and only then answers
//! each. The queue is bounded; when it is full, requests are refused at once. The choice itself is
//! [`domain::allocation::decide`].

pub(crate) mod batch;
pub(crate) mod bind;
pub mod command;
pub(crate) mod load;
mod named;
pub(crate) mod ranking;
mod replay;
mod report;
pub(crate) mod save;
pub(crate) mod set;
pub(crate) mod working;

#[cfg(test)]
pub(crate) mod statements {
    //! The hot statements, for the tests that look at their plans.
    pub(crate) use super::load::{
        ACCOUNTS, ACCOUNTS_OF_ALLOCATIONS, ACCOUNTS_OF_CREDENTIAL, CENSUS, CREDENTIAL_IDS, CREDENTIALS,
        EXPIRED_ACCOUNTS, EXPIRED_ON_CREDENTIAL, EXPIRED_ON_SHELVES, NAMED, TALLIES,
    };
    pub(crate) use super::ranking::{Steps, ranking, ranking_peek, steps};
    pub(crate) use super::replay::{KEEP_KEYS, SEEN_KEYS};
    pub(crate) use super::report::SEEN_RESULTS;
    pub(crate) use super::save;
}

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::allocation::Census;
use domain::blame::BlameConfig;
use domain::{TenantId, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub use command::{
    Allocate, Allocated, Asker, Command, Done, Refused, Release, Released, Renew, Renewed, Report, Reported,
};

use crate::error::{Result, StoreError};
use crate::metrics::AllocatorMetrics;
use crate::{Origin, Store};
use batch::Batch;

/// Requests that may wait. At a few thousand allocations a second this is a few seconds' worth.
const QUEUE: usize = 8_192;
/// Requests decided in one transaction: no writer holds the lock long.
const BATCH: usize = 256;
/// How long a request may wait for its batch. Then it is refused, and nothing was done for it.
const DEADLINE: Duration = Duration::from_secs(10);
/// Ended leases that one transaction lets go of.
const EXPIRED_AT_ONCE: usize = 200;
/// How often a batch is tried that PostgreSQL made a deadlock's victim, or that met another
/// process's new account.
const TRIES: usize = 8;
/// How long a census may be used again: an exhausted pool must not get slow.
const CENSUS_AGE: Duration = Duration::from_secs(1);
/// So many results make a burst, after which scores are brought up to date soon.
const BURST: usize = 100;

/// The outcome of one request.
pub type Answer = std::result::Result<Done, Refused>;

/// One request on its way.
#[derive(Debug)]
pub(crate) struct Work {
    asker: Asker,
    command: Command,
    reply: oneshot::Sender<Answer>,
    queued: Instant,
}

/// The way to the allocator's task. Cheap to clone; the task ends when all are gone.
#[derive(Clone, Debug)]
pub struct Allocator {
    queue: mpsc::Sender<Work>,
    metrics: AllocatorMetrics,
}

impl Allocator {
    /// Starts the task. It answers everything that was accepted before it ends.
    pub fn start(store: Store, blame: BlameConfig) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let metrics = AllocatorMetrics::default();
        let task = Task { store, blame, census: CensusCache::default(), results: 0, metrics: metrics.clone() };
        (Self { queue, metrics }, tokio::spawn(task.run(waiting)))
    }

    /// What it counts.
    pub fn metrics(&self) -> &AllocatorMetrics {
        &self.metrics
    }

    /// Does one thing.
    pub async fn ask(&self, asker: Asker, command: Command) -> Answer {
        let (reply, answer) = oneshot::channel();
        let queued = Instant::now();
        if let Err(full) = self.queue.try_send(Work { asker, command, reply, queued }) {
            self.metrics.turned_away(&full.into_inner().command);
            return Err(Refused::Overloaded);
        }
        answer.await.unwrap_or(Err(Refused::Overloaded))
    }

    /// Does many things, in order; each has its own outcome.
    pub async fn ask_all(&self, asker: &Asker, commands: Vec<Command>) -> Vec<Answer> {
        if commands.is_empty() {
            return Vec::new();
        }
        let Ok(room) = self.queue.try_reserve_many(commands.len()) else {
            for command in &commands {
                self.metrics.turned_away(command);
            }
            return commands.iter().map(|_| Err(Refused::Overloaded)).collect();
        };
        let mut answers = Vec::with_capacity(commands.len());
        for (index, (permit, command)) in room.zip(commands).enumerate() {
            let (reply, answer) = oneshot::channel();
            let mut asker = asker.clone();
            asker.origin.once = asker.origin.once.map(|once| once.member(index));
            permit.send(Work { asker, command, reply, queued: Instant::now() });
            answers.push(answer);
        }
        let mut done = Vec::with_capacity(answers.len());
        for answer in answers {
            done.push(answer.await.unwrap_or(Err(Refused::Overloaded)));
        }
        done
    }
}

/// Censuses of the last second.
#[derive(Debug, Default)]
pub(crate) struct CensusCache {
    held: HashMap<TenantId, (Instant, i64, Census)>,
}

impl CensusCache {
    fn get(&self, tenant: &TenantId, revision: i64) -> Option<Census> {
        let (at, of, census) = self.held.get(tenant)?;
        (*of == revision && at.elapsed() < CENSUS_AGE).then(|| census.clone())
    }

    fn put(&mut self, tenant: &TenantId, revision: i64, census: Census) {
        self.held.insert(tenant.clone(), (Instant::now(), revision, census));
    }
}

struct Task {
    store: Store,
    blame: BlameConfig,
    census: CensusCache,
    /// Results since the last burst.
    results: usize,
    metrics: AllocatorMetrics,
}

impl Task {
    async fn run(mut self, mut waiting: mpsc::Receiver<Work>) {
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            // Whoever has hung up is not kept waiting for, nor charged with an allocation.
            batch.retain(|work| !work.reply.is_closed());
            let late = batch.extract_if(.., |work| work.queued.elapsed() > DEADLINE);
            late.for_each(|work| self.answer(work, Err(Refused::Overloaded)));
            self.serve(std::mem::take(&mut batch)).await;
        }
    }

    /// Decides a batch and answers it. When a statement fails, each member is tried alone, so that
    /// one bad request never fails its neighbours.
    async fn serve(&mut self, work: Vec<Work>) {
        match self.try_batch(&work).await {
            Ok(answers) => self.reply(work, answers),
            Err(error) if work.len() > 1 && !matches!(error, StoreError::Unavailable(_) | StoreError::ReadOnly) => {
                tracing::warn!(%error, members = work.len(), "a batch failed; its members are tried alone");
                for member in work {
                    let member = vec![member];
                    match self.try_batch(&member).await {
                        Ok(answers) => self.reply(member, answers),
                        Err(error) => self.fail(member, error),
                    }
                }
            }
            Err(error) => self.fail(work, error),
        }
    }

    async fn try_batch(&mut self, work: &[Work]) -> Result<Vec<Answer>> {
        if work.is_empty() {
            return Ok(Vec::new());
        }
        for attempt in 1.. {
            match self.attempt(work, attempt > 1).await {
                Err(StoreError::Stale) if attempt < TRIES => {}
                Err(error) if error.is_retryable() && attempt < TRIES => {
                    tokio::time::sleep(Duration::from_millis(5 * attempt as u64)).await;
                }
                other => return other,
            }
        }
        Err(StoreError::Stale)
    }

    async fn attempt(&mut self, work: &[Work], careful: bool) -> Result<Vec<Answer>> {
        let mut batch = Batch::begin(&self.store, careful).await?;
        batch.load(work).await?;
        let mut answers = Vec::with_capacity(work.len());
        for Work { asker, command, .. } in work {
            let sealer = self.store.sealer();
            answers.push(match command {
                Command::Allocate(allocate) => batch
                    .allocate(asker, allocate, sealer, &mut self.census)
                    .await?
                    .map(|allocated| Done::Allocated(Box::new(allocated))),
                Command::Release(release) => batch.release(asker, release)?.map(Done::Released),
                Command::Renew(renew) => batch.renew(asker, renew).map(Done::Renewed),
                Command::Report(report) => batch.report(asker, report, &self.blame)?.map(Done::Reported),
            });
        }
        let results = self.results + batch.results.len();
        let burst = results >= BURST;
        if burst {
            batch.tx.enqueue(&jobs::ScoreHealth::SOON, &self.store).await?;
        }
        batch.finish().await?;
        self.results = if burst { 0 } else { results };
        if burst {
            self.store.wake_workers();
        }
        Ok(answers)
    }

    fn reply(&self, work: Vec<Work>, answers: Vec<Answer>) {
        self.metrics.batch(work.len());
        work.into_iter().zip(answers).for_each(|(member, answer)| self.answer(member, answer));
    }

    fn answer(&self, work: Work, answer: Answer) {
        self.metrics.answered(&work.command, &answer, work.queued.elapsed());
        // A client that has gone does not need its answer.
        if work.reply.send(answer).is_err() {
            tracing::debug!("a client left before its answer");
        }
    }

    /// One error for all: the first is told as it is. Where there are others, the database is away.
    fn fail(&self, work: Vec<Work>, error: StoreError) {
        tracing::error!(%error, members = work.len(), "a batch was not decided");
        let read_only = matches!(error, StoreError::ReadOnly);
        let others = || {
            if read_only { StoreError::ReadOnly } else { StoreError::Unavailable("for the whole batch".into()) }
        };
        let errors = std::iter::once(error).chain(std::iter::repeat_with(others));
        let answers = errors.take(work.len()).map(|error| Err(Refused::Store(error))).collect();
        self.reply(work, answers);
    }
}

impl Store {
    /// Lets go of up to `limit` leases that have ended. How many there were.
    pub async fn expire_leases(&self, limit: usize) -> Result<usize> {
        let mut batch = Batch::begin(self, false).await?;
        let lapsed = batch.lapse(limit).await?;
        batch.finish().await?;
        Ok(lapsed)
    }

    /// Lets go of all leases that have ended, in small steps: an ended lease holds nothing.
    pub async fn expire_all_leases(&self) -> Result<usize> {
        let mut expired = 0;
        loop {
            let some = self.expire_leases(EXPIRED_AT_ONCE).await?;
            expired += some;
            if some < EXPIRED_AT_ONCE {
                return Ok(expired);
            }
            // Requests go first.
            tokio::task::yield_now().await;
        }
    }

    /// Releases every account of a credential, in small steps. Those that come back meanwhile stay:
    /// else it would never end. How many there were.
    pub async fn release_all(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        credential: &domain::CredentialId,
    ) -> Result<usize> {
        self.credential(tenant, credential).await?;
        let (mut released, started) = (0, self.now());
        loop {
            let some = self.release_some(tenant, origin, credential, started, BATCH).await?;
            released += some;
            if some == 0 {
                return Ok(released);
            }
        }
    }

    /// Releases up to `limit` accounts that a credential got until then. How many there were.
    pub(crate) async fn release_some(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        credential: &domain::CredentialId,
        until: Timestamp,
        limit: usize,
    ) -> Result<usize> {
        let mut batch = Batch::begin(self, false).await?;
        let asker = Asker { tenant: tenant.clone(), origin: origin.clone() };
        let released = batch.detach_all(&asker, credential, until, limit).await?;
        batch.finish().await?;
        Ok(released)
    }
}
