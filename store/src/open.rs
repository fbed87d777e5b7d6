//! Opening a database: connections, migrations, and the check of the master key.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::db::{Backend, args, sql};
use crate::error::{Result, StoreError};
use crate::seal::{MasterKey, Place, Sealer};
use crate::{Ambient, Inner, Store};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("../migrations/postgres");

/// apalis keeps its own table of migrations, apart from ours.
const APALIS_MIGRATIONS: &str = "_apalis_migrations";

/// Which database.
#[derive(Clone)]
pub enum Location {
    /// A file; made when it is missing.
    Sqlite(PathBuf),
    /// A `postgres://` URL.
    Postgres(String),
}

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe())
    }
}

impl Location {
    /// Whether it can be a place at all, looked at before anything is made for it.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(url) => postgres_options(url).map(drop),
        }
    }

    /// For people: never with a password.
    pub fn describe(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(url) => PgConnectOptions::from_str(url).map_or_else(
                |_| "postgres".to_owned(),
                |o| format!("postgres://{}:{}/{}", o.get_host(), o.get_port(), o.get_database().unwrap_or("")),
            ),
        }
    }
}

/// How many connections, and how patient.
#[derive(Clone, Copy, Debug)]
pub struct PoolConfig {
    /// Connections that read (SQLite), or all connections (PostgreSQL).
    pub connections: u32,
    /// How long a statement waits for another process's lock (SQLite), or a request for a
    /// connection.
    pub patience: Duration,
    /// Nothing is written, not even a migration.
    pub read_only: bool,
    /// What the connections are called on PostgreSQL, whatever the URL says: a copy finds those who
    /// work on its target by [`WORKING`].
    pub name: &'static str,
}

/// What the connections of a process that works on a database are called.
pub const WORKING: &str = "api-pool";
/// What those of a copy are called.
pub const COPYING: &str = "api-pool copy";

impl Default for PoolConfig {
    fn default() -> Self {
        Self { connections: 8, patience: Duration::from_secs(10), read_only: false, name: WORKING }
    }
}

impl Store {
    /// Opens the database, migrates it and checks that `keys` are the ones that sealed it.
    pub async fn open(location: &Location, pool: PoolConfig, keys: Vec<MasterKey>, ambient: Ambient) -> Result<Self> {
        let sealer = Sealer::new(keys, ambient.clone())?;
        let db = connect(location, pool).await?;
        if pool.read_only {
            check_migrated(&db).await?;
        } else {
            migrate(&db).await?;
        }
        let store = Self { inner: Arc::new(Inner::new(db, sealer, ambient, pool.read_only)) };
        if !pool.read_only {
            store.introduce_keys().await?;
        }
        store.check_keys().await?;
        Ok(store)
    }

    /// A new key introduces itself first, so that of two processes that start a new database with
    /// different keys only one goes on.
    async fn introduce_keys(&self) -> Result<()> {
        let mut tx = self.begin().await?;
        for id in self.sealer().key_ids() {
            let verifier = self.sealer().seal_as(id, verifier_place(&id.to_string()), b"api-pool")?;
            tx.execute(
                sql!("INSERT INTO keyring (key_id, verifier, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"),
                args![i64::from(id), verifier, self.now()],
            )
            .await?;
        }
        // Looked at before it is kept: a wrong key leaves nothing behind.
        let known: Vec<(i64, Vec<u8>)> = tx.all(sql!(KEYRING), args![]).await?;
        self.open_verifiers(&known)?;
        tx.commit().await
    }

    async fn check_keys(&self) -> Result<()> {
        let known: Vec<(i64, Vec<u8>)> = self.db().all(sql!(KEYRING), args![]).await?;
        self.open_verifiers(&known)
    }

    /// Every key that was given must open what it sealed; every key that the database knows must be
    /// given.
    fn open_verifiers(&self, known: &[(i64, Vec<u8>)]) -> Result<()> {
        for (id, verifier) in known {
            let name = id.to_string();
            self.sealer().open(verifier_place(&name), verifier).map_err(|_| {
                StoreError::WrongKey(format!("key {id} was given wrong or not at all; use the key of the first start"))
            })?;
        }
        Ok(())
    }
}

const KEYRING: &str = "SELECT key_id, verifier FROM keyring";

fn verifier_place(id: &str) -> Place<'_> {
    Place { tenant: "", table: "keyring", column: "verifier", id }
}

async fn connect(location: &Location, config: PoolConfig) -> Result<Backend> {
    let cannot = |error: sqlx::Error| StoreError::Open { what: location.describe(), why: error.to_string() };
    match location {
        Location::Sqlite(path) => connect_sqlite(path, config).await.map_err(cannot),
        Location::Postgres(url) => {
            let options = postgres_options(url)?
                // The planner takes recursive statements for far more than they are: compiling
                // them takes longer than running them.
                .options([("lock_timeout", "10s"), ("jit", "off")])
                .application_name(config.name);
            let connections = config.connections.max(4);
            let pool = |most| PgPoolOptions::new().max_connections(most).acquire_timeout(config.patience);
            // What is planned on a new database goes on being used while it grows, so tables that are
            // still small are found by their indexes, too.
            let by_index = [("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off")];
            let writing = options.clone().options(by_index);
            let write = match pool(connections / 2).connect_with(writing).await {
                Err(sqlx::Error::PoolTimedOut) => return Err(cannot(why_no_connection(&options).await)),
                opened => opened.map_err(cannot)?,
            };
            let read = pool(connections - connections / 2).connect_lazy_with(options);
            Ok(Backend::Postgres { write, read })
        }
    }
}

/// The pool tries again and again, for the server may be starting, and keeps to itself what it was
/// told: one more try tells.
async fn why_no_connection(options: &PgConnectOptions) -> sqlx::Error {
    match tokio::time::timeout(Duration::from_secs(2), PgConnection::connect_with(options)).await {
        Ok(Err(error)) => error,
        Ok(Ok(_)) | Err(_) => sqlx::Error::PoolTimedOut,
    }
}

fn postgres_options(url: &str) -> Result<PgConnectOptions> {
    // The driver itself takes any scheme.
    let known = url.starts_with("postgres://") || url.starts_with("postgresql://");
    PgConnectOptions::from_str(url).ok().filter(|_| known).ok_or_else(|| StoreError::Open {
        what: "DATABASE_URL".to_owned(),
        why: "must be postgres://user:password@host:port/database".to_owned(),
    })
}

async fn connect_sqlite(path: &Path, config: PoolConfig) -> sqlx::Result<Backend> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(config.patience)
        .foreign_keys(true)
        .pragma("temp_store", "memory")
        .statement_cache_capacity(512)
        // A batch's rows go over to the other thread without waiting for it.
        .row_buffer_size(512);
    if config.read_only {
        let read = connect_reading(path, config, options).await?;
        return Ok(Backend::Sqlite { write: read.clone(), read });
    }
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(config.patience)
        // A full disk makes SQLite roll back by itself; the driver goes on believing in its
        // transaction, and would never begin another on this connection.
        .before_acquire(|connection, _| {
            let is_stuck = connection.is_in_transaction();
            Box::pin(async move { Ok(!is_stuck) })
        })
        .connect_with(
            options
                .clone()
                .create_if_missing(true)
                .auto_vacuum(SqliteAutoVacuum::Incremental)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .pragma("cache_size", "-65536")
                // Checkpoints are another connection's work: see `crate::checkpoint`.
                .pragma("wal_autocheckpoint", "0"),
        )
        .await?;
    let read = SqlitePoolOptions::new()
        .max_connections(config.connections)
        .acquire_timeout(config.patience)
        .connect_with(options.read_only(true).pragma("query_only", "on"))
        .await?;
    Ok(Backend::Sqlite { write, read })
}

/// A file that nobody can write to has no shared memory beside it either; it is read as it stands.
async fn connect_reading(path: &Path, config: PoolConfig, options: SqliteConnectOptions) -> sqlx::Result<SqlitePool> {
    let pool = || SqlitePoolOptions::new().max_connections(config.connections).acquire_timeout(config.patience);
    let options = options.read_only(true).pragma("query_only", "on");
    match pool().connect_with(options.clone()).await {
        Err(error) if !Path::new(&format!("{}-wal", path.display())).exists() => {
            tracing::debug!(%error, "the database is opened as one that never changes");
            pool().connect_with(options.immutable(true)).await
        }
        other => other,
    }
}

async fn migrate(db: &Backend) -> Result<()> {
    match db {
        Backend::Sqlite { write, .. } => {
            SQLITE_MIGRATIONS.run(write).await.map_err(|e| migration_error(e, &SQLITE_MIGRATIONS))?;
            let mut queue = apalis_sqlite::SqliteStorage::migrations();
            queue.dangerous_set_table_name(APALIS_MIGRATIONS);
            queue.run(write).await.map_err(|e| migration_error(e, &queue))
        }
        Backend::Postgres { write, .. } => {
            POSTGRES_MIGRATIONS.run(write).await.map_err(|e| migration_error(e, &POSTGRES_MIGRATIONS))?;
            let mut queue = apalis_postgres::PostgresStorage::migrations();
            queue.dangerous_set_table_name(APALIS_MIGRATIONS);
            queue.run(write).await.map_err(|e| migration_error(e, &queue))
        }
    }
}

/// Without writing: whether the database is one that this program would leave as it is.
async fn check_migrated(db: &Backend) -> Result<()> {
    let statement = sql!("SELECT MAX(version) FROM _sqlx_migrations WHERE success");
    let (found,): (Option<i64>,) = db.one(statement, args![]).await?;
    let known = SQLITE_MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
    match found.unwrap_or(0) {
        found if found == known => Ok(()),
        found if found > known => Err(StoreError::TooNew { found, known }),
        _ => Err(StoreError::Conflict("the database is of an older version: run `api-pool migrate` first".to_owned())),
    }
}

fn migration_error(error: MigrateError, known: &Migrator) -> StoreError {
    match error {
        MigrateError::VersionMissing(found) | MigrateError::VersionTooNew(found, _) => {
            StoreError::TooNew { found, known: known.iter().map(|m| m.version).max().unwrap_or(0) }
        }
        other => StoreError::Damaged(format!("migration failed: {other}")),
    }
}
