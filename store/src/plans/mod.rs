//! The plans of the store's statements, on both databases: none walks over a table that grows.
//!
//! A story uses everything once and every statement that ran is remembered, so none is forgotten
//! here. Then each is explained, on tables with many rows.

mod rows;
mod story;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use domain::{Strategy, Timestamp};
use rand::SeedableRng;
use rand::rngs::StdRng;
use sqlx::{AssertSqlSafe, Row};
use strum::IntoEnumIterator;

use crate::allocator::statements::{
    ACCOUNTS, ACCOUNTS_OF_ALLOCATIONS, ACCOUNTS_OF_CREDENTIAL, CENSUS, CREDENTIAL_IDS, CREDENTIALS, EXPIRED_ACCOUNTS,
    EXPIRED_ON_CREDENTIAL, EXPIRED_ON_SHELVES, KEEP_KEYS, NAMED, SEEN_KEYS, SEEN_RESULTS, Steps, TALLIES, ranking,
    ranking_peek, save, steps,
};
use crate::db::{Backend, Sql};
use crate::open::{Location, PoolConfig};
use crate::rows::RowSql;
use crate::seal::MasterKey;
use crate::{Ambient, Store};

#[path = "../../tests/it/server.rs"]
#[allow(dead_code, reason = "the stories use more of it")]
mod server;

use rows::many_rows;
use story::use_everything;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// Statements with the types of their values.
static RAN: [Mutex<BTreeMap<&'static str, Vec<&'static str>>>; 2] = [const { Mutex::new(BTreeMap::new()) }; 2];

/// Remembers a statement.
pub(crate) fn ran(dialect: Dialect, statement: &'static str, types: Vec<&'static str>) {
    let mut ran = RAN[dialect as usize].lock().unwrap_or_else(PoisonError::into_inner);
    ran.entry(statement).or_insert(types);
}

fn statements(dialect: Dialect) -> Vec<&'static str> {
    RAN[dialect as usize].lock().unwrap().keys().copied().collect()
}

const START: i64 = 1_700_000_000_000;

async fn open(location: Location) -> Store {
    let ambient = Ambient::new(|| Timestamp::from_millis(START), StdRng::seed_from_u64(1));
    Store::open(&location, PoolConfig::default(), vec![MasterKey::new(1, [7; 32])], ambient).await.unwrap()
}

/// What every look at a trend reads: one range of the key, and no more of it than is asked for.
fn trends(dialect: Dialect) -> Vec<&'static str> {
    let all = statements(dialect).into_iter();
    let reading: Vec<_> = all.filter(|text| text.contains("FROM pool_figures") && text.starts_with("SELECT")).collect();
    assert_eq!(reading.len(), 2, "the figures, and the samples");
    reading
}

/// Statements whose purpose is to look at a whole table or a tenant's whole pool, and why that is
/// well.
const WHOLE: &[(&str, &str)] = &[
    ("WHERE deleted_at IS NULL GROUP BY", "figures for monitoring, four times a minute"),
    ("MIN(run_at)", "the queue library's own table, for monitoring"),
    ("pragma_page_count", "no table at all"),
    ("WITH oldest AS", "pruning walks the primary key from the old end, to a limit"),
    ("GROUP BY t.id, t.prior_alpha", "the prior is fitted to every credential, by a job"),
    ("DELETE FROM apalis.jobs", "the queue library's own table, by a job; most of it is finished"),
];

/// The same on PostgreSQL only, which reads a tenth of a table in one go where that is cheaper.
const TENANTS: &[(&str, &str)] = &[
    ("SELECT shelf, standing, cooldown_until", "the census, once a second"),
    ("SUM(CASE WHEN standing = 'banned'", "totals of a tenant"),
    ("AS status, COUNT(*) AS number", "totals of a tenant"),
    ("health_score, COUNT(*)", "totals of a tenant"),
];

fn is_among(statement: &str, list: &[(&str, &str)]) -> bool {
    list.iter().any(|(part, _)| statement.contains(part))
}

fn assert_none(bad: &[String]) {
    assert!(bad.is_empty(), "{} plans are bad:\n\n{}", bad.len(), bad.join("\n\n"));
}

fn assert_used(dialect: Dialect) {
    let ran = statements(dialect);
    let text = |sql: Sql| if dialect == Dialect::Sqlite { sql.sqlite } else { sql.postgres };
    let constants = [
        ACCOUNTS_OF_CREDENTIAL,
        CENSUS,
        EXPIRED_ACCOUNTS,
        EXPIRED_ON_CREDENTIAL,
        EXPIRED_ON_SHELVES,
        KEEP_KEYS[usize::from(dialect == Dialect::Postgres)],
        NAMED,
        SEEN_KEYS,
    ];
    let with_rows = [
        ACCOUNTS,
        ACCOUNTS_OF_ALLOCATIONS,
        CREDENTIAL_IDS,
        CREDENTIALS,
        SEEN_RESULTS,
        TALLIES,
        save::BANNED,
        save::KNOWN_ACCOUNTS,
        save::NEW_ACCOUNTS,
        save::NOTED,
        save::RESULTS,
        save::TAKEN,
        save::TALLIES,
    ];
    let constants = constants.into_iter().map(|constant| text(Sql::expand(constant)));
    for expanded in constants.chain(with_rows.into_iter().map(|constant| RowSql::parse(constant).text(dialect))) {
        assert!(ran.contains(&expanded), "the story does not run\n{expanded}");
    }
    for strategy in Strategy::iter() {
        let used = match steps(strategy).filter(|_| dialect == Dialect::Sqlite) {
            None => vec![ranking(strategy), ranking_peek(strategy)],
            Some(Steps { rough, equals, of_all, .. }) => vec![rough, equals, of_all],
        };
        assert!(used.into_iter().all(|sql| ran.contains(&text(sql))), "{strategy}");
    }
    assert!(ran.len() > 120, "only {} statements ran", ran.len());
}

// ---- SQLite

/// Small tables, virtual ones and intermediate results.
const SMALL: &[&str] = &[
    "e",
    "json_each",
    "tenants",
    "t",
    "leap",
    "chain",
    "keyring",
    "heads",
    "h",
    "revision",
    "settings",
    "service_tokens",
    "credential_groups",
    "g",
    "users",
    "rules",
    "r",
    "u",
    "v",
    "saved_views",
    "CONSTANT",
    "0-ROW",
    "every",
    "counted",
    "slice",
    "Workers",
];

/// The statements that rank, with the index that each must walk along. Only the one that sorts may
/// do anything else.
fn rankings_on_sqlite(strategy: Strategy) -> Vec<(&'static str, String)> {
    let index = |name: &str, equals: &str| format!("INDEX credentials_{name} (tenant_id=? AND shelf=?{equals}");
    let name = strategy.to_string();
    match steps(strategy) {
        None => [ranking(strategy), ranking_peek(strategy)].map(|sql| (sql.sqlite, index(&name, ")"))).to_vec(),
        Some(Steps { rough, equals, of_all, of_few }) => vec![
            (rough.sqlite, index(&name, ")")),
            (equals.sqlite, index(&name, " AND priority=? AND ")),
            (of_all.sqlite, index(&name, " AND priority=? AND ")),
            (of_few.sqlite, index(&name, " AND priority=? AND ")),
        ],
    }
}

async fn sqlite_plan(pool: &sqlx::SqlitePool, statement: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let rows = sqlx::query(explain).fetch_all(pool).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
    rows.iter().map(|row| row.get::<String, _>("detail")).collect()
}

async fn check_sqlite(pool: &sqlx::SqlitePool) {
    let mut bad = Vec::new();
    for statement in statements(Dialect::Sqlite) {
        let plan = sqlite_plan(pool, statement).await;
        let walks = |line: &&String| {
            line.strip_prefix("SCAN ").is_some_and(|rest| {
                let table = rest.split(' ').next().unwrap_or_default();
                !SMALL.contains(&table) && !table.starts_with('(') && !rest.ends_with("CONSTANT ROWS")
            })
        };
        if plan.iter().any(|line| walks(&line)) && !is_among(statement, WHOLE) {
            bad.push(format!("{statement}\n→ {}", plan.join("\n→ ")));
        }
    }
    for (statement, index) in Strategy::iter().flat_map(rankings_on_sqlite) {
        let plan = sqlite_plan(pool, statement).await;
        if !plan.iter().any(|line| line.contains(&index)) || (plan.len() > 1 && !statement.contains("c.ranked AND c."))
        {
            bad.push(format!("{statement}\n→ {}", plan.join("\n→ ")));
        }
    }
    for statement in trends(Dialect::Sqlite) {
        let plan = sqlite_plan(pool, statement).await;
        let range = "USING PRIMARY KEY (tenant_id=? AND at>? AND at<?)";
        if !plan.iter().any(|line| line.contains(range)) {
            bad.push(format!("{statement}\n→ {}", plan.join("\n→ ")));
        }
    }
    for sort in ["c.id", "c.name"] {
        let pages: Vec<_> = statements(Dialect::Sqlite)
            .into_iter()
            .filter(|text| text.contains(&format!("ORDER BY {sort} ")) && text.contains("LIMIT"))
            .filter(|text| text.contains("api_hash_masked"))
            .collect();
        assert_eq!(pages.len(), 4, "{sort}");
        for statement in pages {
            let plan = sqlite_plan(pool, statement).await;
            if plan.iter().any(|line| line.contains("TEMP B-TREE")) {
                bad.push(format!("{statement}\n→ {}", plan.join("\n→ ")));
            }
        }
    }
    assert_none(&bad);
}

/// Each index costs every write. Those that keep something unique would stay without a reader.
fn assert_all_serve(indexes: &[String], plans: &[String]) {
    assert!(indexes.len() > 20, "{indexes:?}");
    let serves = |index: &&String| plans.iter().any(|line| line.split(' ').any(|word| word == index.as_str()));
    let idle: Vec<_> = indexes.iter().filter(|index| !serves(index)).collect();
    assert!(idle.is_empty(), "nobody reads {idle:?}");
}

async fn every_index_serves_on_sqlite(pool: &sqlx::SqlitePool) {
    let mut plans = Vec::new();
    for statement in statements(Dialect::Sqlite) {
        plans.extend(sqlite_plan(pool, statement).await);
    }
    let ours = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE 'CREATE INDEX %'
                AND tbl_name NOT IN ('Jobs', 'Workers')";
    assert_all_serve(&sqlx::query_scalar(ours).fetch_all(pool).await.unwrap(), &plans);
}

#[tokio::test]
async fn sqlite_walks_over_no_table_that_grows() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(Location::Sqlite(dir.path().join("pool.db"))).await;
    use_everything(&store).await;
    assert_used(Dialect::Sqlite);
    let Backend::Sqlite { write, .. } = store.db() else { unreachable!() };
    for rows in many_rows(Dialect::Sqlite, 3_000) {
        sqlx::query(AssertSqlSafe(rows)).execute(write).await.unwrap();
    }
    check_sqlite(write).await;
    every_index_serves_on_sqlite(write).await;
    sqlx::query("ANALYZE").execute(write).await.unwrap();
    // The planner reads what ANALYZE wrote when it reads the schema.
    sqlx::query("ANALYZE sqlite_schema").execute(write).await.unwrap();
    check_sqlite(write).await;
    store.close().await;
}

// ---- PostgreSQL

const GROWING: &[&str] = &[
    "credentials",
    "accounts",
    "journal",
    "results",
    "credential_health",
    "jobs",
    "idempotency_keys",
    "sessions",
    "refresh_tokens",
    "pool_figures",
];

async fn postgres_plan(connection: &mut sqlx::PgConnection, statement: &str) -> Vec<String> {
    let types = RAN[Dialect::Postgres as usize].lock().unwrap()[statement].clone();
    let bracketed = |list: Vec<&str>| if list.is_empty() { String::new() } else { format!("({})", list.join(", ")) };
    let nulls = bracketed(vec!["NULL"; types.len()]);
    let run = async |connection: &mut sqlx::PgConnection, text: String| {
        sqlx::raw_sql(AssertSqlSafe(text.clone())).fetch_all(connection).await.unwrap_or_else(|e| panic!("{e}: {text}"))
    };
    run(connection, format!("PREPARE plan {} AS {statement}", bracketed(types))).await;
    let rows = run(connection, format!("EXPLAIN EXECUTE plan{nulls}")).await;
    run(connection, "DEALLOCATE plan".to_owned()).await;
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

/// Whether a line of a plan goes over a whole table that grows.
fn walks(line: &str) -> bool {
    line.split_once("Seq Scan on ").is_some_and(|(_, rest)| {
        let table = rest.split(' ').next().unwrap_or_default();
        GROWING.contains(&table)
    })
}

/// What goes over a batch's rows goes along an index on a new database already: the plan is kept.
async fn check_new_postgres(connection: &mut sqlx::PgConnection) {
    let mut bad = Vec::new();
    for statement in statements(Dialect::Postgres).into_iter().filter(|text| text.contains("unnest(")) {
        let plan = postgres_plan(connection, statement).await;
        if plan.iter().any(|line| walks(line)) {
            bad.push(format!("{statement}\n→ {}", plan.join("\n→ ")));
        }
    }
    assert_none(&bad);
}

async fn check_postgres(connection: &mut sqlx::PgConnection) {
    let mut bad = Vec::new();
    for statement in statements(Dialect::Postgres) {
        let plan = postgres_plan(connection, statement).await;
        let compiled = plan.iter().any(|line| line.contains("JIT"));
        let exempt = is_among(statement, WHOLE) || is_among(statement, TENANTS);
        if compiled || (plan.iter().any(|line| walks(line)) && !exempt) {
            bad.push(format!("{statement}\n→ {}", plan.join("\n→ ")));
        }
    }
    for strategy in Strategy::iter() {
        for statement in [ranking(strategy).postgres, ranking_peek(strategy).postgres] {
            let plan = postgres_plan(connection, statement).await;
            let indexed = plan.iter().any(|line| line.contains(&format!("using credentials_{strategy} ")));
            if !indexed || plan.iter().any(|line| line.contains("Sort")) {
                bad.push(format!("{statement}\n→ {}", plan.join("\n→ ")));
            }
        }
    }
    for statement in trends(Dialect::Postgres) {
        let plan = postgres_plan(connection, statement).await;
        let range =
            |line: &String| ["Index Cond", "tenant_id = $1", "at >= $2", "at <"].iter().all(|part| line.contains(part));
        if !plan.iter().any(range) {
            bad.push(format!("{statement}\n→ {}", plan.join("\n→ ")));
        }
    }
    assert_none(&bad);
}

async fn every_index_serves_on_postgres(connection: &mut sqlx::PgConnection) {
    let mut plans = Vec::new();
    for statement in statements(Dialect::Postgres) {
        plans.extend(postgres_plan(connection, statement).await);
    }
    let ours = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE 'CREATE INDEX %'";
    assert_all_serve(&sqlx::query_scalar(ours).fetch_all(connection).await.unwrap(), &plans);
}

#[tokio::test]
async fn postgres_walks_over_no_table_that_grows() {
    let migrate = |url| -> futures::future::BoxFuture<'static, ()> {
        Box::pin(async { open(Location::Postgres(url)).await.close().await })
    };
    let name = server::create(migrate).await;
    let store = open(Location::Postgres(server::url(&name))).await;
    use_everything(&store).await;
    assert_used(Dialect::Postgres);
    let Backend::Postgres { write, read } = store.db() else { unreachable!() };
    let (mut writing, mut reading) = (write.acquire().await.unwrap(), read.acquire().await.unwrap());
    // As it plans for any values, not for those of the moment.
    for connection in [&mut writing, &mut reading] {
        sqlx::query("SET plan_cache_mode = force_generic_plan").execute(&mut **connection).await.unwrap();
    }
    check_new_postgres(&mut writing).await;
    for rows in many_rows(Dialect::Postgres, 15_000) {
        sqlx::query(AssertSqlSafe(rows)).execute(&mut *writing).await.unwrap();
    }
    // No VACUUM: a plan must not hang on pages being marked as visible to all.
    sqlx::query("ANALYZE").execute(&mut *writing).await.unwrap();
    // Where the planner is free to go over a table.
    check_postgres(&mut reading).await;
    // And here not free to, where a table is still small.
    every_index_serves_on_postgres(&mut writing).await;
    drop((writing, reading));
    store.close().await;
    server::drop(&name).await;
}
