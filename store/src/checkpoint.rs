//! SQLite's write-ahead log, moved into the database file from a connection of its own, so that no
//! allocation waits for it.

use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tokio_util::sync::CancellationToken;

use crate::open::Location;

/// How often. Each pass writes a page once, however often it was written since the last.
const EVERY: Duration = Duration::from_secs(4);
/// Pages in the log beyond which it is begun anew: 256 MiB of 4 KiB each.
const LONGEST: i64 = 65_536;
/// How long that may wait for readers, while whoever writes waits for it.
const PATIENCE: Duration = Duration::from_millis(50);

/// Runs until cancelled; does nothing on PostgreSQL.
pub async fn checkpoint(location: Location, cancel: CancellationToken) {
    let Location::Sqlite(path) = location else { return };
    let options = SqliteConnectOptions::new().filename(&path).busy_timeout(PATIENCE);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options);
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = shorten(&pool, LONGEST).await {
            tracing::warn!(%error, "the write-ahead log was not checkpointed");
        }
    }
}

/// A passive pass holds nobody up. But while writes go on it never gets to the end, and only there
/// does SQLite start the log anew: for one that has grown too long writers are held back, for as long
/// as the few pages take that have come since. The file keeps its length: writing over what is there
/// spares the file system new blocks.
async fn shorten(pool: &SqlitePool, longest: i64) -> sqlx::Result<()> {
    let (_, pages, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(pool).await?;
    if pages > longest {
        let (busy, ..): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(RESTART)").fetch_one(pool).await?;
        if busy != 0 {
            tracing::debug!(pages, "a reader keeps the write-ahead log from being begun anew; later");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sqlx::sqlite::SqliteJournalMode;

    use super::*;

    #[tokio::test]
    async fn a_log_that_has_grown_too_long_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let writer = options.clone().journal_mode(SqliteJournalMode::Wal).pragma("wal_autocheckpoint", "0");
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(writer).await.unwrap();
        sqlx::query("CREATE TABLE t (b BLOB)").execute(&writer).await.unwrap();
        let write = async || {
            sqlx::query("INSERT INTO t VALUES (randomblob(400000))").execute(&writer).await.unwrap();
        };
        let length = || fs::metadata(dir.path().join("a.db-wal")).unwrap().len();
        let pool = SqlitePool::connect_with(options.busy_timeout(PATIENCE)).await.unwrap();
        // While somebody reads an old state, it goes on growing and nobody fails.
        let mut reader = pool.acquire().await.unwrap();
        sqlx::query("BEGIN").execute(&mut *reader).await.unwrap();
        sqlx::query("SELECT COUNT(*) FROM t").execute(&mut *reader).await.unwrap();
        write().await;
        let one = length();
        shorten(&pool, 50).await.unwrap();
        write().await;
        assert!(length() > one + 400_000, "{} behind {one}", length());
        sqlx::query("COMMIT").execute(&mut *reader).await.unwrap();
        // Then it is written over, and no longer than it was.
        let longest = length();
        for _ in 0..6 {
            shorten(&pool, 50).await.unwrap();
            write().await;
        }
        assert_eq!(length(), longest);
        let (rows,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM t").fetch_one(&pool).await.unwrap();
        assert_eq!(rows, 8);
    }
}
