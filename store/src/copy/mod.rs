//! Moving up: everything of one database into another, which begins empty.
//!
//! Rows keep their ids, so sealed secrets move as they are and open with the same master key. The
//! copy goes table by table in order of the keys, a thousand rows a transaction; one that was stopped
//! goes on where it was. At the end both sides are counted and summed up. Jobs stay behind: the
//! schedule makes them anew, and uploads that wait for theirs get new ones.

mod table;

use domain::TenantId;
use jobs::ImportCredentials;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Store;
use crate::credentials::hex;
use crate::db::{args, sql};
use crate::error::{Result, StoreError};
use crate::open::WORKING;
use table::{Table, is_sqlite};

/// The row of the target's `job_state` that tells of a copy.
const MARK: &str = "copy";

/// Every table of the pool, those that are referred to first; and which of their rows are the
/// pool's. The keyring is the target's own: it was opened with the same keys.
const TABLES: [(&str, &str); 20] = [
    ("tenants", "TRUE"),
    ("heads", "TRUE"),
    ("revision", "TRUE"),
    ("users", "TRUE"),
    ("sessions", "TRUE"),
    ("refresh_tokens", "TRUE"),
    ("service_tokens", "TRUE"),
    ("settings", "TRUE"),
    ("saved_views", "TRUE"),
    ("idempotency_keys", "TRUE"),
    ("credential_groups", "TRUE"),
    ("rules", "TRUE"),
    ("batches", "TRUE"),
    ("credentials", "TRUE"),
    ("credential_health", "TRUE"),
    ("accounts", "TRUE"),
    ("journal", "TRUE"),
    ("results", "TRUE"),
    ("pool_figures", "TRUE"),
    ("job_state", "name <> 'copy'"),
];

/// Tables that a migrated database begins with rows in.
const BEGUN: [&str; 3] = ["tenants", "heads", "revision"];

/// Small tables of which one at least moves whenever a process works on the source.
const TELLING: [&str; 6] = ["tenants", "heads", "revision", "sessions", "service_tokens", "job_state"];

/// What helps when the two sides are not alike.
const EMPTY_IT: &str = "empty the target (DROP DATABASE and CREATE DATABASE) and copy again";

/// What the target knows of a copy into it.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    /// Tells whether it is the same source.
    source: String,
    /// Tells whether the source has changed since. Rows that were copied before are not looked at
    /// again, so a copy can't go on behind a change.
    #[serde(default)]
    state: String,
    done: bool,
}

/// A table that was copied.
#[derive(Clone, Debug)]
pub struct Copied {
    /// Its name.
    pub table: &'static str,
    /// Its rows, on both sides.
    pub rows: u64,
    /// The first digits of the sum of its rows, the same on both sides.
    pub checksum: String,
}

impl Store {
    /// Copies everything of this database, which nobody may be writing to, into `target`. `told`
    /// hears the table, how many of its rows are there, and how many there will be.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the target is not empty, and when the two differ at the end.
    pub async fn copy_into(&self, target: &Store, mut told: impl FnMut(&'static str, u64, u64)) -> Result<Vec<Copied>> {
        if !is_sqlite(self) {
            return Err(StoreError::Conflict("only a SQLite database can be copied".to_owned()));
        }
        let tables = self.tables().await?;
        let mark = Mark { source: self.identity().await?, state: self.state(&tables).await?, done: false };
        target.refuse_in_use().await?;
        target.begin_copy(&mark, &tables).await?;
        // Who starts from now on sees the mark; who has started in between is seen now.
        target.refuse_in_use().await?;
        for table in &tables {
            let (total, mut there) = (table.count(self).await?, table.count(target).await?);
            told(table.name, there, total);
            let progress = |more| {
                there += more;
                told(table.name, there, total);
            };
            table.copy(self, target, progress).await?;
        }
        let mut copied = Vec::with_capacity(tables.len());
        for table in &tables {
            let (here, there) = (table.sum(self).await?, table.sum(target).await?);
            if here != there {
                let (table, here, there) = (table.name, here.rows, there.rows);
                let what = format!("{table} has {here} rows here and {there} there, or other ones; {EMPTY_IT}");
                return Err(StoreError::Conflict(what));
            }
            copied.push(Copied { table: table.name, rows: here.rows, checksum: hex(&here.hash[..8]) });
        }
        target.end_copy(mark).await?;
        Ok(copied)
    }

    async fn tables(&self) -> Result<Vec<Table>> {
        let mut tables = Vec::with_capacity(TABLES.len());
        for (name, without) in TABLES {
            tables.push(Table::of(self, name, without).await?);
        }
        Ok(tables)
    }

    /// Tells one database from another: its first key and when that was made.
    async fn identity(&self) -> Result<String> {
        let (verifier,): (Vec<u8>,) =
            self.db().one(sql!("SELECT verifier FROM keyring ORDER BY key_id LIMIT 1"), args![]).await?;
        Ok(hex(&verifier))
    }

    /// Tells one moment of a database from another.
    async fn state(&self, tables: &[Table]) -> Result<String> {
        let mut hash = Sha256::new();
        for table in tables.iter().filter(|table| TELLING.contains(&table.name)) {
            hash.update(table.sum(self).await?.hash);
        }
        Ok(hex(&hash.finalize()))
    }

    /// Whether a copy into this database was begun and did not come to its end.
    pub async fn is_half_copied(&self) -> Result<bool> {
        Ok(self.mark().await?.is_some_and(|mark| !mark.done))
    }

    async fn mark(&self) -> Result<Option<Mark>> {
        let row: Option<(String,)> =
            self.db().optional(sql!("SELECT value FROM job_state WHERE name = $1"), args![MARK]).await?;
        Ok(row.and_then(|(text,)| serde_json::from_str(&text).ok()))
    }

    /// Makes sure that no other process works on the target.
    async fn refuse_in_use(&self) -> Result<()> {
        if is_sqlite(self) {
            return Ok(());
        }
        let statement =
            sql!("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1");
        match self.db().one(statement, args![WORKING]).await? {
            (0_i64,) => Ok(()),
            (connections,) => Err(StoreError::Conflict(format!(
                "the target is in use: a running api-pool has {connections} connections to it; stop it first"
            ))),
        }
    }

    /// Makes sure that the target is empty, or half filled from the same source.
    async fn begin_copy(&self, mark: &Mark, tables: &[Table]) -> Result<()> {
        match self.mark().await? {
            Some(begun) if begun.done || begun.source != mark.source => {
                return Err(StoreError::Conflict("the target holds a copy already".to_owned()));
            }
            Some(begun) if begun.state != mark.state => {
                let why = "the source has changed since the copy into this target was begun";
                return Err(StoreError::Conflict(format!("{why}; {EMPTY_IT}")));
            }
            Some(_) => return Ok(()),
            None => {}
        }
        for table in tables.iter().filter(|table| !BEGUN.contains(&table.name)) {
            if table.count(self).await? > 0 {
                return Err(StoreError::Conflict(format!("the target is not empty: it has {}", table.name)));
            }
        }
        let mut tx = self.begin().await?;
        for table in tables.iter().filter(|table| BEGUN.contains(&table.name)) {
            table.clear(&mut tx).await?;
        }
        tx.write_mark(mark).await?;
        tx.commit().await
    }

    /// Gives uploads that wait their jobs, and says that all is there.
    async fn end_copy(&self, mark: Mark) -> Result<()> {
        let waiting: Vec<(String, String)> = self
            .db()
            .all(sql!("SELECT id, tenant_id FROM batches WHERE upload IS NOT NULL AND undone_at IS NULL"), args![])
            .await?;
        let mut tx = self.begin().await?;
        for (batch_id, tenant) in waiting {
            let tenant_id = TenantId::from(tenant).as_str().to_owned();
            tx.enqueue(&ImportCredentials { tenant_id, batch_id }, self).await?;
        }
        tx.write_mark(&Mark { done: true, ..mark }).await?;
        tx.commit().await
    }
}

impl crate::db::Tx {
    async fn write_mark(&mut self, mark: &Mark) -> Result<()> {
        let text = serde_json::to_string(mark).unwrap_or_default();
        let statement = sql!(
            "INSERT INTO job_state (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        );
        self.execute(statement, args![MARK, text]).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::Timestamp;
    use rand::SeedableRng;

    use super::*;
    use crate::Ambient;
    use crate::open::{Location, PoolConfig};
    use crate::seal::MasterKey;

    /// Tables of the queue's library and of migrations, and the keyring, which each database has of
    /// its own.
    const NOT_OURS: [&str; 5] = ["Jobs", "Workers", "_apalis_migrations", "_sqlx_migrations", "keyring"];

    #[tokio::test]
    async fn every_table_of_the_pool_is_copied() {
        let dir = tempfile::tempdir().unwrap();
        let ambient = Ambient::new(Timestamp::default, rand::rngs::StdRng::seed_from_u64(1));
        let location = Location::Sqlite(dir.path().join("pool.db"));
        let keys = vec![MasterKey::new(1, [7; 32])];
        let store = Store::open(&location, PoolConfig::default(), keys, ambient).await.unwrap();
        let statement = sql!("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'");
        let rows: Vec<(String,)> = store.db().all(statement, args![]).await.unwrap();
        let there: BTreeSet<String> = rows.into_iter().map(|(name,)| name).collect();
        let known = TABLES.iter().map(|(name, _)| *name).chain(NOT_OURS).map(str::to_owned).collect();
        assert_eq!(there, known);
        for table in store.tables().await.unwrap() {
            assert!(!table.column_names().is_empty(), "{}", table.name);
            for computed in ["is_open", "utilisation", "ranked"] {
                assert!(!table.column_names().contains(&computed), "what is computed is not copied");
            }
        }
        store.close().await;
    }
}
