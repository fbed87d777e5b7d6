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
            // A server that goes away while a connection is made is heard as one that talks nonsense.
            sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) => Self::Unavailable(error.into()),
            sqlx::Error::Database(e) if is_passing(&e.code().unwrap_or_default()) => Self::Unavailable(error.into()),
            _ => Self::Database(error),
        }
    }
}

/// Whether the database is only away, or can't write for now.
fn is_passing(code: &str) -> bool {
    // SQLSTATEs have five characters, which may all be digits.
    if code.len() == 5 {
        return PASSING_STATES.contains(&code);
    }
    // The extended codes have the primary one in their last byte.
    code.parse::<i64>().is_ok_and(|code| PASSING_CODES.contains(&(code & 0xFF)))
}

/// SQLite: BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN.
const PASSING_CODES: [i64; 7] = [5, 6, 7, 8, 10, 13, 14];

/// PostgreSQL.
const PASSING_STATES: [&str; 15] = [
    // Connection exceptions.
    "08000", "08001", "08003", "08004", "08006", //
    // Read-only, as a standby is after a failover.
    "25006", //
    // Disk full, out of memory, too many connections.
    "53100", "53200", "53300", //
    // Takes no connections; a lock was not to be had in time.
    "55000", "55P03", //
    // Shutting down, crashed, starting up; an I/O error.
    "57P01", "57P02", "57P03", "58030",
];

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_are_told_from_faults() {
        for code in ["5", "517", "10", "778", "13", "14", "25006", "53100", "53300", "55000", "57P01", "57P03", "08006"]
        {
            assert!(is_passing(code), "{code}");
        }
        // A constraint, a damaged file; a unique violation, a syntax error, and one that ends like BUSY.
        for code in ["", "19", "2067", "11", "23505", "42601", "01029"] {
            assert!(!is_passing(code), "{code}");
        }
        let cut_short = sqlx::Error::Protocol("unexpected response from SSLRequest: 0x00".to_owned());
        assert!(matches!(StoreError::from(cut_short), StoreError::Unavailable(_)));
        assert!(matches!(StoreError::from(sqlx::Error::RowNotFound), StoreError::Database(_)));
    }
}
