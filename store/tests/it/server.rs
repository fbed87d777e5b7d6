//! The PostgreSQL server that the tests share: the one of `TEST_DATABASE_URL`, else a throwaway
//! cluster that ends with this process. Without one the tests fail; they are never skipped.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Databases that a test has: `api_pool_test_<process>_<number>`.
const TAKEN: &str = "api_pool_test_";
/// Databases that were given back: `api_pool_free_<schema>_<process>_<number>`.
const FREE: &str = "api_pool_free_";
/// What databases are copied from: `api_pool_template_<schema>`.
const TEMPLATE: &str = "api_pool_template_";
/// Held by whoever looks for a database, in whichever process: each test may be one of its own.
const LOCK: i64 = 7_205_759_403;

struct Server {
    url: String,
    /// Its input is open as long as this process lives; it stops the cluster when that closes.
    _keeper: Option<Child>,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| match std::env::var("TEST_DATABASE_URL") {
        Ok(url) => Server { url, _keeper: None },
        Err(_) => start(),
    })
}

fn start() -> Server {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/pg.sh");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dir = std::env::temp_dir().join(format!("{TAKEN}{}", std::process::id()));
    let keep = r#"trap '' INT TERM HUP; "$0" start "$1" "$2" >&2 && echo ready; cat >/dev/null; "$0" stop "$1""#;
    let mut keeper = Command::new("bash")
        .arg("-c")
        .arg(keep)
        .args([script.as_os_str(), dir.as_os_str(), port.to_string().as_ref()])
        .env("PG_OPTIONS", "-c fsync=off -c full_page_writes=off")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("bash runs scripts/pg.sh");
    let mut said = String::new();
    BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said.trim(), "ready", "PostgreSQL did not start; its words stand above");
    Server { url: format!("postgres://postgres@127.0.0.1:{port}/postgres"), _keeper: Some(keeper) }
}

fn options() -> PgConnectOptions {
    server().url.parse().expect("TEST_DATABASE_URL is postgres://user:password@host:port/database")
}

/// Where the database of that name is.
pub fn url(name: &str) -> String {
    let (server, _) = server().url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// A migrated database without contents: one that another story has given back, else a copy of the
/// template, which `migrate` makes once for each schema. Its name.
pub async fn create(migrate: fn(String) -> BoxFuture<'static, ()>) -> String {
    let mut admin = PgConnection::connect_with(&options()).await.expect("PostgreSQL answers");
    run(&mut admin, format!("SELECT pg_advisory_lock({LOCK})")).await;
    let names = databases(&mut admin).await;
    let (mine, schema) = (format!("{TAKEN}{}", next()), schema());
    if let Some(free) = names.iter().find(|name| name.starts_with(&format!("{FREE}{schema}_"))) {
        run(&mut admin, format!("ALTER DATABASE {free} RENAME TO {mine}")).await;
    } else {
        let template = format!("{TEMPLATE}{schema}");
        if !names.contains(&template) {
            drop_leftovers(&mut admin, &names).await;
            let unfinished = format!("{TAKEN}{}", next());
            run(&mut admin, format!("CREATE DATABASE {unfinished}")).await;
            migrate(url(&unfinished)).await;
            run(&mut admin, format!("ALTER DATABASE {unfinished} RENAME TO {template}")).await;
        }
        run(&mut admin, format!("CREATE DATABASE {mine} TEMPLATE {template}")).await;
    }
    // With the connection goes the lock.
    admin.close().await.unwrap();
    mine
}

/// Gives a database back: as it was made, for the next story.
pub async fn give_back(name: &str) {
    const EMPTY: &str = "DO $$ DECLARE name TEXT; BEGIN
        SET LOCAL session_replication_role = replica;
        FOR name IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
                    WHERE schemaname IN ('public', 'apalis') AND tablename NOT LIKE '%migrations'
        LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
    END $$";
    let mut connection = PgConnection::connect(&url(name)).await.unwrap();
    let seeds = include_str!("../../../migrations/postgres/0001_base.sql").lines().filter(|l| l.starts_with("INSERT "));
    run(&mut connection, format!("BEGIN; {EMPTY}; {} COMMIT", seeds.collect::<String>())).await;
    connection.close().await.unwrap();
    let mut admin = PgConnection::connect_with(&options()).await.unwrap();
    run(&mut admin, format!("ALTER DATABASE {name} RENAME TO {FREE}{}_{}", schema(), next())).await;
    admin.close().await.unwrap();
}

/// Drops a database whoever is connected to it.
pub async fn drop(name: &str) {
    let mut admin = PgConnection::connect_with(&options()).await.unwrap();
    run(&mut admin, format!("DROP DATABASE {name} WITH (FORCE)")).await;
    admin.close().await.unwrap();
}

async fn run(connection: &mut PgConnection, statements: String) {
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.unwrap();
}

async fn databases(connection: &mut PgConnection) -> BTreeSet<String> {
    let all = "SELECT datname FROM pg_database WHERE datname LIKE 'api\\_pool\\_%'";
    let names: Vec<(String,)> = sqlx::query_as(all).fetch_all(connection).await.unwrap();
    names.into_iter().map(|(name,)| name).collect()
}

/// Databases of test processes that are gone, and of schemas that are not ours.
async fn drop_leftovers(admin: &mut PgConnection, names: &BTreeSet<String>) {
    for name in names {
        let is_left = match name.strip_prefix(TAKEN).and_then(|rest| rest.split('_').next()) {
            Some(process) => !Path::new("/proc").join(process).exists(),
            None => name.starts_with(FREE) || name.starts_with(TEMPLATE),
        };
        if is_left {
            run(admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
}

/// This process and a number, for a name that nobody else has.
fn next() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// A mark of the migrations as they are now: a database made by others is of no use.
fn schema() -> &'static str {
    static SCHEMA: OnceLock<String> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/postgres");
        let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        let mut hasher = DefaultHasher::new();
        for file in files {
            std::fs::read(file).unwrap().hash(&mut hasher);
        }
        format!("{:x}", hasher.finish())
    })
}
