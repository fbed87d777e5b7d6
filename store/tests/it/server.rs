//! The PostgreSQL server that the tests share: the one of `TEST_DATABASE_URL`, else a throwaway
//! cluster that ends with this process. Without one the tests fail; they are never skipped.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use futures::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Databases of this process: `api_pool_test_<process>_<number>`.
const PREFIX: &str = "api_pool_test_";

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
    let dir = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
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

async fn administer(statement: String) {
    let mut connection = PgConnection::connect_with(&options()).await.expect("PostgreSQL answers");
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Databases that a story has left and that were wiped: making a new one takes a while.
static WIPED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A migrated database without contents, from a template that `migrate` makes once. Its name.
pub async fn create(migrate: fn(String) -> BoxFuture<'static, ()>) -> String {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    if let Some(name) = WIPED.lock().unwrap().pop() {
        return name;
    }
    // On a thread of its own, because this one has a runtime that must not be blocked.
    let make = move || tokio::runtime::Runtime::new().unwrap().block_on(make_template(migrate));
    let template = tokio::task::spawn_blocking(move || TEMPLATE.get_or_init(make)).await.unwrap();
    let name = next_name();
    administer(format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    name
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
    sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {EMPTY}; {} COMMIT", seeds.collect::<String>())))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    WIPED.lock().unwrap().push(name.to_owned());
}

/// Drops a database whoever is connected to it.
pub async fn drop(name: &str) {
    administer(format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

fn next_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("{PREFIX}{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

async fn make_template(migrate: fn(String) -> BoxFuture<'static, ()>) -> String {
    drop_leftovers().await;
    let name = next_name();
    administer(format!("CREATE DATABASE {name}")).await;
    migrate(url(&name)).await;
    name
}

/// Databases of test processes that are gone.
async fn drop_leftovers() {
    let mut connection = PgConnection::connect_with(&options()).await.expect("PostgreSQL answers");
    let names: Vec<(String,)> =
        sqlx::query_as("SELECT datname FROM pg_database WHERE datname LIKE 'api\\_pool\\_test\\_%'")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    connection.close().await.unwrap();
    for (name,) in names {
        let process = name[PREFIX.len()..].split('_').next().unwrap_or_default();
        if !Path::new("/proc").join(process).exists() {
            administer(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
}
