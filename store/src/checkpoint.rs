//! SQLite's write-ahead log, moved into the database file from a connection of its own, so that no
//! allocation waits for it.

use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tokio_util::sync::CancellationToken;

use crate::Store;
use crate::db::Backend;

/// How often. Each pass writes a page once, however often it was written since the last.
const EVERY: Duration = Duration::from_secs(4);
/// Pages in the log beyond which it is begun anew: 256 MiB of 4 KiB each.
const LONGEST: i64 = 65_536;
/// Passes before that, each over what was written during the one before.
const PASSES: usize = 3;
/// When the log is so many times as long, other processes have to wait, too.
const TOO_LONG: i64 = 4;
/// How long that may wait for readers, while all who write wait for it.
const PATIENCE: Duration = Duration::from_millis(50);

/// Runs until cancelled; does nothing on PostgreSQL.
pub async fn checkpoint(store: Store, cancel: CancellationToken) {
    let Backend::Sqlite { write, .. } = store.db() else { return };
    let own = own_connection(write);
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = shorten(&own, write, LONGEST).await {
            tracing::warn!(%error, "the write-ahead log was not checkpointed");
        }
    }
}

/// It sets up nothing, since that would wait for those who write.
fn own_connection(write: &SqlitePool) -> SqlitePool {
    let path = write.connect_options().get_filename().to_owned();
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(PATIENCE);
    SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options)
}

/// A passive pass holds nobody up. But while writes go on it never gets to the end, and only there
/// does SQLite start the log anew. So when the log has grown long, further passes, each shorter than
/// the one before, leave only a few pages for a last one, which the writing connection makes itself:
/// whoever wants to write waits in its queue, and not for a lock that is tried ever more rarely, up to
/// ten times a second. The file keeps its length: writing over what is there spares the file system new
/// blocks.
async fn shorten(own: &SqlitePool, write: &SqlitePool, longest: i64) -> sqlx::Result<()> {
    let mut log = pass(own, "PRAGMA wal_checkpoint(PASSIVE)").await?;
    if log.pages <= longest {
        return Ok(());
    }
    for _ in 0..PASSES {
        log = pass(own, "PRAGMA wal_checkpoint(PASSIVE)").await?;
    }
    // What somebody still reads can not be written over, and would all be left to the last pass.
    let is_read = log.moved < log.pages;
    if !is_read {
        pass(write, "PRAGMA wal_checkpoint(PASSIVE)").await?;
    }
    if log.pages > TOO_LONG * longest {
        pass(own, "PRAGMA wal_checkpoint(RESTART)").await?;
    }
    tracing::debug!(?log, "the write-ahead log is long");
    Ok(())
}

/// The log as a pass found it, and how much of it is in the database file.
#[derive(Clone, Copy, Debug)]
struct Log {
    pages: i64,
    moved: i64,
}

async fn pass(pool: &SqlitePool, pragma: &'static str) -> sqlx::Result<Log> {
    let (_, pages, moved): (i64, i64, i64) = sqlx::query_as(pragma).fetch_one(pool).await?;
    Ok(Log { pages, moved })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sqlx::sqlite::SqliteJournalMode;
    use sqlx::{Connection, SqliteConnection};

    use super::*;

    #[tokio::test]
    async fn a_log_that_has_grown_long_is_begun_anew() {
        // Of 100 pages a write: once long, once too long.
        for long in [90, 20] {
            let dir = tempfile::tempdir().unwrap();
            let options = SqliteConnectOptions::new().filename(dir.path().join("a.db")).create_if_missing(true);
            let options = options.journal_mode(SqliteJournalMode::Wal).pragma("wal_autocheckpoint", "0");
            let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await.unwrap();
            sqlx::query("CREATE TABLE t (b BLOB)").execute(&writer).await.unwrap();
            let write = async || {
                sqlx::query("INSERT INTO t VALUES (randomblob(400000))").execute(&writer).await.unwrap();
            };
            let length = || fs::metadata(dir.path().join("a.db-wal")).unwrap().len();
            // Even when somebody writes, it can be opened.
            let writing = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
            let own = own_connection(&writer);
            pass(&own, "PRAGMA wal_checkpoint(PASSIVE)").await.unwrap();
            writing.rollback().await.unwrap();
            // While somebody reads an old state, it goes on growing and nobody fails.
            let mut reader = SqliteConnection::connect_with(&options).await.unwrap();
            sqlx::query("BEGIN").execute(&mut reader).await.unwrap();
            sqlx::query("SELECT COUNT(*) FROM t").execute(&mut reader).await.unwrap();
            write().await;
            let one = length();
            shorten(&own, &writer, long).await.unwrap();
            write().await;
            assert!(length() > one + 400_000, "{} behind {one}", length());
            sqlx::query("COMMIT").execute(&mut reader).await.unwrap();
            // Then it is written over, and no longer than it was.
            let longest = length();
            for _ in 0..6 {
                shorten(&own, &writer, long).await.unwrap();
                write().await;
            }
            assert_eq!(length(), longest);
            let (rows,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM t").fetch_one(&own).await.unwrap();
            assert_eq!(rows, 8);
        }
    }
}
