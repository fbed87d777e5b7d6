//! The one error of this crate.

use domain::Invalid;

/// What can go wrong when something is kept or fetched.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The input breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Nothing of that id or name, in this tenant.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// A unique name or `api_id` is taken.
    #[error("{0} already exists")]
    AlreadyExists(&'static str),
    /// A state forbids it.
    #[error("{0}")]
    Conflict(String),
    /// Somebody changed it in between.
    #[error("the version does not match")]
    Stale,
    /// The database is busy, or away; trying again may help.
    #[error("the database is not available now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// More is waiting for this than can be done soon.
    #[error("too many {0} at once")]
    Busy(&'static str),
    /// The database is open for reading only.
    #[error("the pool is read-only now")]
    ReadOnly,
    /// The master key is not the one that sealed this database.
    #[error("the master key does not open this database: {0}")]
    WrongKey(String),
    /// A stored value can't be read: a damaged database, or a bug.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The database was written by a newer program.
    #[error(
        "the database was migrated by a newer version of api-pool (migration {found}, this program knows {known}); start that version, or restore a backup"
    )]
    TooNew {
        /// The newest migration in the database.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The database can't be opened.
    #[error("cannot open the database {what}: {why}")]
    Open {
        /// Which one, without its password.
        what: String,
        /// The driver's words.
        why: String,
    },
    /// Anything else that the database said.
    #[error("database error: {0}")]
    Database(#[source] sqlx::Error),
}

/// The usual result of this crate.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl StoreError {
    /// Whether the same transaction may well succeed when it is tried again: a deadlock or a
    /// serialization failure of PostgreSQL.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(e)) => matches!(e.code().as_deref(), Some("40001" | "40P01")),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => {
                Self::Unavailable(error.into())
            }
            sqlx::Error::Database(e) if is_passing(&e.code().unwrap_or_default()) => Self::Unavailable(error.into()),
            _ => Self::Database(error),
        }
    }
}

/// SQLite: 5 BUSY and 6 LOCKED with their extended codes. PostgreSQL: connection exceptions,
/// too many connections, shutting down or starting up, lock timeout.
fn is_passing(code: &str) -> bool {
    let sqlite = code.parse::<i64>().is_ok_and(|n| n < 10_000 && matches!(n & 0xFF, 5 | 6));
    sqlite || matches!(code, "08000" | "08003" | "08006" | "53300" | "57P01" | "57P02" | "57P03" | "55P03")
}

/// Turns the violation of a unique index into [`StoreError::AlreadyExists`]. PostgreSQL names the
/// `index`; SQLite names its columns, of which `column` (`table.column`) is the telling one.
pub(crate) fn unique<T>(result: Result<T>, index: &str, column: &str, what: &'static str) -> Result<T> {
    result.map_err(|error| match &error {
        StoreError::Database(sqlx::Error::Database(e))
            if e.is_unique_violation() && (e.constraint() == Some(index) || e.message().contains(column)) =>
        {
            StoreError::AlreadyExists(what)
        }
        _ => error,
    })
}
