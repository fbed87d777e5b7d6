//! A fresh database for each story.
//!
//! `TEST_DATABASE_URL` names a database server that runs already. Without it, one is started for
//! the whole run; a shell that holds the other end of a pipe stops it when this process ends,
//! however it ends.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use sqlx::{Connection, PgConnection};
use store::open::{Location, PoolConfig};
use store::queue::QueuePool;
use store::seal::MasterKey;
use store::{Ambient, Store};
use tokio::sync::Mutex;

/// Short, so that a locked database is soon seen as one that is away.
const PATIENCE: Duration = Duration::from_millis(800);

/// One story's database. Every [`Database::open`] stands for a process of its own.
pub struct Database {
    location: Location,
    directory: Option<tempfile::TempDir>,
    ahead: Arc<AtomicI64>,
}

impl Database {
    pub fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(directory.path().join("pool.db"));
        Self { location, directory: Some(directory), ahead: Arc::default() }
    }

    pub async fn postgres() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("workers_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let server = server();
        admin(&format!("CREATE DATABASE {name} TEMPLATE {}", template(server).await)).await;
        Self { location: Location::Postgres(format!("{server}/{name}")), directory: None, ahead: Arc::default() }
    }

    pub async fn open(&self) -> Store {
        open(&self.location, self.ahead.clone()).await
    }

    /// Moves the clock of all stores of this database.
    pub fn advance(&self, millis: i64) {
        self.ahead.fetch_add(millis, Ordering::SeqCst);
    }

    /// Makes the database unusable for everyone for a while.
    pub async fn go_away_for(&self, time: Duration) {
        match &self.location {
            Location::Sqlite(path) => {
                let options =
                    sqlx::sqlite::SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(5));
                let mut intruder = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                sqlx::query("BEGIN EXCLUSIVE").execute(&mut intruder).await.unwrap();
                tokio::time::sleep(time).await;
                sqlx::query("ROLLBACK").execute(&mut intruder).await.unwrap();
            }
            Location::Postgres(url) => {
                let name = url.rsplit('/').next().unwrap();
                admin(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
                admin(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"))
                    .await;
                tokio::time::sleep(time).await;
                admin(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
            }
        }
    }
}

impl Drop for Database {
    /// A server that was given outlives this process, so nothing but the template stays behind.
    fn drop(&mut self) {
        let (None, Location::Postgres(url)) = (&self.directory, &self.location) else { return };
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", url.rsplit('/').next().unwrap());
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(admin(&drop));
        });
        if dropped.join().is_err() {
            eprintln!("a test database was left behind");
        }
    }
}

async fn open(location: &Location, ahead: Arc<AtomicI64>) -> Store {
    #[allow(clippy::disallowed_methods, reason = "tests are a composition root")]
    let clock = move || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap() + ahead.load(Ordering::SeqCst))
    };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&seed_of_process().to_le_bytes());
    let ambient = Ambient::new(clock, StdRng::from_seed(seed));
    let pool = PoolConfig { connections: 6, patience: PATIENCE, ..PoolConfig::default() };
    Store::open(location, pool, vec![MasterKey::new(1, [7; 32])], ambient).await.unwrap()
}

/// Each store has ids of its own.
fn seed_of_process() -> u64 {
    static OPENED: AtomicUsize = AtomicUsize::new(0);
    u64::from(std::process::id()) << 32 | OPENED.fetch_add(1, Ordering::Relaxed) as u64
}

/// One number, read from the database as it is. The queue's tables are `QUEUE` and `WORKERS`;
/// `ASKED` are the queue's jobs without the clock's, whose minute may fall into any test.
pub async fn count(store: &Store, sql: &str) -> i64 {
    match store.queue_pool() {
        QueuePool::Sqlite(pool) => sqlx::query_scalar(sqlite(sql)).fetch_one(&pool).await.unwrap(),
        QueuePool::Postgres(pool) => sqlx::query_scalar(postgres(sql)).fetch_one(&pool).await.unwrap(),
    }
}

/// Changes one row behind everyone's back.
pub async fn change(store: &Store, sql: &str) {
    let changed = match store.queue_pool() {
        QueuePool::Sqlite(pool) => sqlx::query(sqlite(sql)).execute(&pool).await.unwrap().rows_affected(),
        QueuePool::Postgres(pool) => sqlx::query(postgres(sql)).execute(&pool).await.unwrap().rows_affected(),
    };
    assert_eq!(changed, 1, "{sql}");
}

const ASKED: &str = "(SELECT * FROM QUEUE WHERE idempotency_key IS NULL) AS asked";

fn sqlite(sql: &str) -> sqlx::AssertSqlSafe<String> {
    text(&sql.replace("ASKED", ASKED).replace("QUEUE", "Jobs").replace("WORKERS", "Workers").replace("BYTES", "BLOB"))
}

fn postgres(sql: &str) -> sqlx::AssertSqlSafe<String> {
    text(
        &sql.replace("ASKED", ASKED)
            .replace("QUEUE", "apalis.jobs")
            .replace("WORKERS", "apalis.workers")
            .replace("BYTES", "BYTEA"),
    )
}

fn text(sql: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(sql.to_owned())
}

async fn admin(sql: &str) {
    let mut connection = PgConnection::connect(&format!("{}/postgres", server())).await.unwrap();
    sqlx::query(text(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// A migrated database to copy: migrating takes longer than most stories.
async fn template(server: &str) -> &'static str {
    static MADE: Mutex<bool> = Mutex::const_new(false);
    static NAME: OnceLock<String> = OnceLock::new();
    let name = NAME.get_or_init(|| format!("workers_{}_template", std::process::id()));
    let mut made = MADE.lock().await;
    if !*made {
        admin(&format!("DROP DATABASE IF EXISTS {name}")).await;
        admin(&format!("CREATE DATABASE {name}")).await;
        open(&Location::Postgres(format!("{server}/{name}")), Arc::default()).await.close().await;
        *made = true;
    }
    name
}

fn server() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| match std::env::var("TEST_DATABASE_URL") {
        // With or without the name of a database to connect to.
        Ok(url) => url.trim_end_matches('/').trim_end_matches("/postgres").to_owned(),
        Err(_) => start_server(),
    })
}

fn start_server() -> String {
    static JANITOR: OnceLock<Child> = OnceLock::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/pg.sh");
    let directory = PathBuf::from(format!("/tmp/api-pool-workers-{}", std::process::id()));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut janitor = Command::new("sh");
    janitor.args(["-c", r#"read -r _; cat >/dev/null; "$0" stop "$1""#]).arg(&script).arg(&directory);
    janitor.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // Not stopped by the same Ctrl-C.
    std::os::unix::process::CommandExt::process_group(&mut janitor, 0);
    let mut janitor = janitor.spawn().unwrap();
    janitor.stdin.as_mut().unwrap().write_all(b"ready\n").unwrap();
    JANITOR.get_or_init(|| janitor);
    let started = Command::new(&script)
        .arg("start")
        .arg(&directory)
        .arg(port.to_string())
        .env("PG_OPTIONS", "-c fsync=off")
        .output();
    let started = started.unwrap();
    assert!(started.status.success(), "PostgreSQL did not start: {}", String::from_utf8_lossy(&started.stderr));
    format!("postgres://postgres@127.0.0.1:{port}")
}
