//! SQLite's write-ahead log, moved into the database file from a connection of its own, so that
//! allocations wait for the last few pages of a long one only.

use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, SqlitePool};
use tokio_util::sync::CancellationToken;

use crate::Store;
use crate::db::Backend;

/// How often. Each pass writes a page once, however often it was written since the last.
const EVERY: Duration = Duration::from_secs(4);
/// Pages in the log beyond which it is begun anew: 256 MiB of 4 KiB each.
const LONGEST: i64 = 65_536;
/// Passes before that, each over what was written during the one before.
const PASSES: usize = 3;
/// Pages for which those who write may be kept waiting: 8 MiB.
const FEW: i64 = 2_048;
/// When the log is so many times as long, because other processes write all the time, they are held back.
const TOO_LONG: i64 = 4;
/// How long that may wait for readers.
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
    let mut log = pass(own, "PASSIVE").await?;
    if log.pages <= longest {
        return Ok(());
    }
    for _ in 0..PASSES {
        log = pass(own, "PASSIVE").await?;
    }
    tracing::debug!(?log, "the write-ahead log is long");
    if log.pages > TOO_LONG * longest {
        pass(own, "RESTART").await?;
    } else if log.pages - log.moved <= FEW {
        // What somebody still reads is not moved, and would all be left to this pass.
        pass(write, "PASSIVE").await?;
    }
    Ok(())
}

/// The log as a pass found it, and how much of it is in the database file.
#[derive(Clone, Copy, Debug)]
struct Log {
    pages: i64,
    moved: i64,
}

async fn pass(pool: &SqlitePool, mode: &'static str) -> sqlx::Result<Log> {
    let statement = AssertSqlSafe(format!("PRAGMA wal_checkpoint({mode})"));
    let (_, pages, moved): (i64, i64, i64) = sqlx::query_as(statement).fetch_one(pool).await?;
    Ok(Log { pages, moved })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;
    use std::sync::atomic::Ordering::Relaxed;

    use sqlx::sqlite::{SqliteAutoVacuum, SqliteJournalMode};
    use sqlx::{Connection, SqliteConnection};
    use tempfile::TempDir;

    use super::*;

    /// A database whose log nobody else shortens.
    async fn database(dir: &TempDir) -> (SqliteConnectOptions, SqlitePool) {
        let options = SqliteConnectOptions::new().filename(dir.path().join("a.db")).create_if_missing(true);
        let options = options.journal_mode(SqliteJournalMode::Wal).pragma("wal_autocheckpoint", "0");
        let options = options.auto_vacuum(SqliteAutoVacuum::Incremental);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await.unwrap();
        sqlx::query("CREATE TABLE t (b BLOB)").execute(&writer).await.unwrap();
        (options, writer)
    }

    /// About a hundred pages.
    const WRITE: &str = "INSERT INTO t VALUES (randomblob(400000))";

    fn length(dir: &Path) -> u64 {
        fs::metadata(dir.join("a.db-wal")).unwrap().len()
    }

    #[tokio::test]
    async fn while_somebody_reads_an_old_state_the_log_goes_on_growing() {
        let dir = tempfile::tempdir().unwrap();
        let (options, writer) = database(&dir).await;
        let own = own_connection(&writer);
        let mut reader = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query("BEGIN").execute(&mut reader).await.unwrap();
        sqlx::query("SELECT COUNT(*) FROM t").execute(&mut reader).await.unwrap();
        sqlx::query(WRITE).execute(&writer).await.unwrap();
        let one = length(dir.path());
        shorten(&own, &writer, 90).await.unwrap();
        sqlx::query(WRITE).execute(&writer).await.unwrap();
        assert!(length(dir.path()) > one + 400_000);
        sqlx::query("COMMIT").execute(&mut reader).await.unwrap();
        // Then it is written over.
        let longest = length(dir.path());
        for _ in 0..6 {
            shorten(&own, &writer, 90).await.unwrap();
            sqlx::query(WRITE).execute(&writer).await.unwrap();
        }
        assert_eq!(length(dir.path()), longest);
    }

    #[tokio::test]
    async fn it_can_be_opened_while_somebody_writes() {
        let dir = tempfile::tempdir().unwrap();
        let (_, writer) = database(&dir).await;
        let _writing = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
        pass(&own_connection(&writer), "PASSIVE").await.unwrap();
    }

    /// Bytes that each round lets be written before it shortens the log.
    const WRITTEN: u64 = 5_000_000;
    const ROUNDS: u32 = 10;

    /// Shortens the log while `busy` writes without a pause. How often it was begun anew.
    async fn beside(dir: &Path, busy: SqlitePool, writer: &SqlitePool, longest: i64) -> u32 {
        let own = own_connection(writer);
        let written = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&written);
        let writing = tokio::spawn(async move {
            loop {
                sqlx::query("INSERT INTO t VALUES (randomblob(40000))").execute(&busy).await.unwrap();
                count.fetch_add(40_000, Relaxed);
            }
        });
        for _ in 0..ROUNDS {
            let before = written.load(Relaxed);
            shorten(&own, writer, longest).await.unwrap();
            while written.load(Relaxed) < before + WRITTEN {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        writing.abort();
        times_begun(dir)
    }

    /// What the log's header says: <https://www.sqlite.org/fileformat.html#the_write_ahead_log>.
    fn times_begun(dir: &Path) -> u32 {
        let log = fs::read(dir.join("a.db-wal")).unwrap();
        u32::from_be_bytes(log[12..16].try_into().unwrap())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn while_we_write_the_log_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (_, writer) = database(&dir).await;
        // Longer than that in every round, but seldom too long.
        let begun = beside(dir.path(), writer.clone(), &writer, 1_000).await;
        // Without the last pass, which waits in our own queue, it is three times.
        assert!(begun > ROUNDS / 2, "{begun} of {ROUNDS}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn while_another_process_writes_the_log_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (options, writer) = database(&dir).await;
        let other = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        // Too long in every round.
        let begun = beside(dir.path(), other, &writer, 250).await;
        // To get in between two writes is a matter of chance, five times of ten on a busy disk. Unless the
        // others are held back it never is.
        assert!(begun > ROUNDS / 4, "{begun} of {ROUNDS}");
    }
}
