//! What is kept: every SQL statement, transactions, the journal, enqueue, sealed secrets, and the
//! allocator's group commit.
//!
//! What may not enter: HTTP, handlers of jobs, rules (those are `domain`'s: here they are only
//! fed and their outcome kept). A statement is written once for both databases: see [`db`].
//!
//! | module | keeps |
//! | --- | --- |
//! | [`allocator`] | who has which credential; decides in batches, commits once |
//! | [`credentials`], [`groups`], [`batches`] | the pool and its imports |
//! | [`accounts`], [`journal`], [`history`], [`tail`] | who holds what, and all that happened |
//! | [`scores`], [`pool`], [`trend`], [`preview`] | results and health, totals, figures over time, what would happen |
//! | [`people`], [`tokens`] | who may come in |
//! | [`rules`], [`settings`], [`views`] | what people have set |
//! | [`once`] | what an idempotency key made |
//! | [`queue`] | jobs, enqueued in the transaction that asks |
//! | [`doctor`], [`figures`], [`metrics`] | the invariants, checked; how it stands; what is counted |
//! | [`copy`] | everything, into another database |
//! | [`open`], [`checkpoint`], [`compiled`], [`seal`], [`db`] | the ground that the others stand on |

#![allow(clippy::doc_markdown, reason = "SQLite and PostgreSQL are names, not code")]

pub mod accounts;
pub mod allocator;
mod ambient;
pub mod batches;
pub mod checkpoint;
pub mod compiled;
pub mod copy;
pub mod credentials;
pub mod db;
pub mod doctor;
mod error;
pub mod figures;
pub mod groups;
pub mod history;
pub mod journal;
mod logs;
pub mod metrics;
pub mod once;
pub mod open;
mod pace;
pub mod people;
#[cfg(test)]
mod plans;
pub mod pool;
pub mod preview;
mod progress;
mod prune;
mod pulse;
pub mod queue;
mod refusals;
mod rows;
pub mod rules;
pub mod scores;
pub mod seal;
pub mod settings;
mod slice;
pub mod tail;
pub mod tokens;
mod total;
pub mod trend;
pub mod views;

use std::sync::{Arc, OnceLock};

use domain::Timestamp;
use domain::setting::Fixed;

pub use ambient::Ambient;
pub use error::{Result, StoreError};
pub use journal::Origin;
pub use once::Once;
pub use pace::Pace;
pub use refusals::{Asked, Refusal};
pub use slice::Slice;
pub use total::Total;

use db::{Backend, Tx};
use seal::Sealer;

/// An open database, ready to be shared.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Backend,
    sealer: Sealer,
    ambient: Ambient,
    shared: compiled::Shared,
    wake: queue::Wake,
    refusals: refusals::Refusals,
    pulse: pulse::Pulse,
    /// What this process was started with.
    fixed: OnceLock<Fixed>,
    /// Nothing may be written.
    read_only: bool,
}

impl Inner {
    fn new(db: Backend, sealer: Sealer, ambient: Ambient, read_only: bool) -> Self {
        Self {
            db,
            sealer,
            ambient,
            shared: compiled::Shared::default(),
            wake: queue::Wake::default(),
            refusals: refusals::Refusals::default(),
            pulse: pulse::Pulse::default(),
            fixed: OnceLock::new(),
            read_only,
        }
    }
}

impl Store {
    /// Begins a transaction that writes.
    pub async fn begin(&self) -> Result<Tx> {
        if self.inner.read_only { Err(StoreError::ReadOnly) } else { self.inner.db.begin().await }
    }

    /// Whether nothing may be written.
    pub fn is_read_only(&self) -> bool {
        self.inner.read_only
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.inner.ambient.now()
    }

    /// The shared clock and randomness.
    pub fn ambient(&self) -> &Ambient {
        &self.inner.ambient
    }

    /// Seals and opens secrets.
    pub fn sealer(&self) -> &Sealer {
        &self.inner.sealer
    }

    pub(crate) fn db(&self) -> &Backend {
        &self.inner.db
    }

    pub(crate) fn shared(&self) -> &compiled::Shared {
        &self.inner.shared
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.db().one::<(i64,)>(db::sql!("SELECT value FROM revision WHERE id = 1"), vec![]).await.map(|_| ())
    }

    /// Closes all connections, after what runs on them.
    pub async fn close(&self) {
        match &self.inner.db {
            Backend::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Backend::Postgres { write, read } => {
                read.close().await;
                write.close().await;
            }
        }
    }
}
