//! A throwaway database for a run, empty or already old.

use std::fmt::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use domain::time::DAY;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::servers::Servers;
use crate::{KEY, raw};

/// The `api_id` of a pool's first credential.
pub const FIRST: usize = 1_000_000;
/// How far back an old database's rows go, in milliseconds; what is kept for less is pruned.
const AGE: i64 = 400 * DAY;

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A database as it is by default: SQLite with `synchronous=FULL`, PostgreSQL with `fsync`.
pub struct Place {
    pub kind: Kind,
    pub credentials: usize,
    /// Rows in the journal that [`Self::grow_old`] has put there.
    pub journal: usize,
    dir: TempDir,
    /// Of a PostgreSQL of its own.
    url: Option<String>,
}

impl Place {
    pub fn new(kind: Kind) -> Result<Self> {
        let dir = TempDir::with_prefix("api-pool-bench-")?;
        let mut place = Self { kind, credentials: 0, journal: 0, dir, url: None };
        if kind == Kind::Postgres {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            place.url = Some(format!("postgres://postgres@127.0.0.1:{port}/postgres"));
            // The user `postgres` has to get in.
            ensure!(Command::new("chmod").arg("755").arg(place.dir.path()).status()?.success());
            let started =
                script().args(["start".as_ref(), place.cluster().as_os_str()]).arg(port.to_string()).status()?;
            ensure!(started.success(), "PostgreSQL must start");
        }
        Ok(place)
    }

    fn cluster(&self) -> PathBuf {
        self.dir.path().join("cluster")
    }

    pub fn file(&self) -> PathBuf {
        self.dir.path().join("pool.db")
    }

    /// As `bench raw` takes it.
    pub fn name(&self) -> String {
        self.url.clone().unwrap_or_else(|| self.file().display().to_string())
    }

    /// The program on this database, with nobody else's environment.
    pub fn program(&self, args: &[&str]) -> Command {
        let mut command = Command::new("target/release/api-pool");
        command.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("DATABASE_PATH", self.file()).env("HTTP_PORT", "0").env("METRICS_PORT", "0");
        command.env("LOG_LEVEL", "warn").env("API_POOL_ADMIN_PASSWORD", "only for this run");
        command.env("API_POOL_MASTER_KEY", base64::engine::general_purpose::STANDARD.encode(KEY));
        if let Some(url) = &self.url {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Fills the pool up to so many credentials, with `slots` for each new one.
    pub fn grow(&mut self, credentials: usize, slots: usize) -> Result<()> {
        if credentials == self.credentials {
            return Ok(());
        }
        let mut lines = "api_id,api_hash,name,max_accounts\n".to_owned();
        for api_id in FIRST + self.credentials..FIRST + credentials {
            writeln!(lines, "{api_id},{:032x},bench-{api_id},{slots}", api_id * 7919)?;
        }
        let file = self.dir.path().join("pool.csv");
        std::fs::write(&file, lines)?;
        let imported = self.program(&["import"]).arg(&file).output()?;
        ensure!(imported.status.success(), "import: {}", String::from_utf8_lossy(&imported.stderr));
        self.credentials = credentials;
        Ok(())
    }

    /// A new token that may do everything.
    pub fn token(&self) -> Result<String> {
        let issued = self.program(&["token", "issue", "bench"]).output()?;
        ensure!(issued.status.success(), "token: {}", String::from_utf8_lossy(&issued.stderr));
        Ok(String::from_utf8(issued.stdout)?.trim().to_owned())
    }

    /// So many processes with the API; the first has the workers, too.
    pub fn serve(&self, processes: usize) -> Result<Servers> {
        let roles = std::iter::once("serve").chain(std::iter::repeat("api"));
        let commands = roles.take(processes).map(|role| self.program(&[role])).collect();
        Servers::start(commands, self.postmaster()?)
    }

    fn postmaster(&self) -> Result<Option<i32>> {
        if self.kind == Kind::Sqlite {
            return Ok(None);
        }
        let text = std::fs::read_to_string(self.cluster().join("data/postmaster.pid"))?;
        Ok(Some(text.lines().next().context("the file is empty")?.parse()?))
    }

    /// As after years: so many accounts with random ids that hold credentials, so many rows in the
    /// journal, and as many results as a fifth of those. The oldest of both may be pruned.
    pub async fn grow_old(&mut self, accounts: usize, journal: usize) -> Result<()> {
        for statement in age(self.kind, self.credentials, accounts, journal) {
            self.execute(statement).await?;
        }
        self.journal += journal;
        Ok(())
    }

    async fn execute(&self, statement: String) -> Result<()> {
        let statement = AssertSqlSafe(statement);
        if let Some(url) = &self.url {
            sqlx::raw_sql(statement).execute(&mut PgConnection::connect(url).await?).await?;
        } else {
            let mut connection = SqliteConnection::connect(&self.name()).await?;
            sqlx::raw_sql(statement).execute(&mut connection).await?;
            connection.close().await?;
        }
        Ok(())
    }

    /// The number of the journal's oldest row.
    pub async fn oldest_entry(&self) -> Result<i64> {
        const OLDEST: &str = "SELECT MIN(seq) FROM journal";
        Ok(if let Some(url) = &self.url {
            sqlx::query_scalar(OLDEST).fetch_one(&mut PgConnection::connect(url).await?).await?
        } else {
            sqlx::query_scalar(OLDEST).fetch_one(&mut SqliteConnection::connect(&self.name()).await?).await?
        })
    }

    /// What `pgbench -N` does in a second with so many clients: small transactions of its own, each
    /// made durable.
    pub fn pgbench(&self, clients: usize, seconds: u64) -> Result<f64> {
        let url = self.url.as_deref().context("only PostgreSQL has it")?;
        if clients == 1 {
            ensure!(Command::new("pgbench").args(["-i", "-q", "-s", "10", url]).output()?.status.success());
        }
        let threads = clients.min(2).to_string();
        // Hundreds of clients take a second only to come in.
        let (clients, seconds) = (clients.to_string(), seconds.max(5).to_string());
        let done =
            Command::new("pgbench").args(["-N", "-n", "-c", &clients, "-j", &threads, "-T", &seconds, url]).output()?;
        let text = String::from_utf8_lossy(&done.stdout);
        let tps = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
        tps.with_context(|| format!("pgbench said {text}"))?.parse().context("a number")
    }
}

fn script() -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/pg.sh"))
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.kind == Kind::Postgres {
            let _ = script().args(["stop".as_ref(), self.cluster().as_os_str()]).status();
        }
    }
}

/// The statements that make a database old. The first thousand credentials hold all accounts.
fn age(kind: Kind, credentials: usize, accounts: usize, journal: usize) -> Vec<String> {
    let holders = credentials.min(1_000);
    let results = journal / 5;
    let sqlite = kind == Kind::Sqlite;
    let numbers = |n: usize| {
        if sqlite {
            format!(
                "(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n}) SELECT i FROM n) n"
            )
        } else {
            format!("generate_series(1::bigint, {n}) n (i)")
        }
    };
    let random_id = if sqlite { "lower(hex(randomblob(8)))" } else { "substr(md5(random()::text), 1, 16)" };
    let number = |prefix: &str| {
        if sqlite { format!("printf('{prefix}%022d', i)") } else { format!("'{prefix}' || lpad(i::text, 22, '0')") }
    };
    let (allocation, request) = (number("OLD1"), number("OLD2"));
    let from = raw::now().plus(-AGE).millis();
    let at = |n: usize| format!("{from} + i * {}", AGE / n as i64);
    let (allocated_at, journal_at, results_at) = (at(accounts), at(journal), at(results));
    let (accounts_from, journal_from, results_from) = (numbers(accounts), numbers(journal), numbers(results));
    let mut statements = vec![
        format!(
            "CREATE TABLE holders AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM credentials
             ORDER BY id LIMIT {holders}; CREATE UNIQUE INDEX holders_n ON holders (n)"
        ),
        format!(
            "INSERT INTO accounts (tenant_id, account_id, allocation_id, credential_id, allocated_at, strategy, operator,
                 member_level, last_seq)
             SELECT 'default', {random_id}, {allocation}, h.id, {allocated_at}, 'balanced', 'svc:bench', 0, i
             FROM {accounts_from} JOIN holders h ON h.n = i % {holders} ORDER BY 2"
        ),
        format!(
            "UPDATE credentials SET current_accounts = {} WHERE id IN (SELECT id FROM holders)",
            accounts.div_ceil(holders)
        ),
        // Pruning goes from the old end: what the import has written must not be newer.
        format!("UPDATE journal SET at = {from}"),
        format!(
            "INSERT INTO journal (seq, tenant_id, at, action, actor, account_id, account_prev, credential_id,
                 credential_prev, ip, request_id)
             SELECT (SELECT journal FROM heads) + i, 'default', {journal_at}, 'api.allocated', 'svc:bench',
                 'old:' || i, 0, h.id, 0, '127.0.0.1', {request}
             FROM {journal_from} JOIN holders h ON h.n = i % {holders} ORDER BY 1"
        ),
        format!(
            "INSERT INTO results (seq, tenant_id, at, credential_id, success, fault, charged, latency_ms, reporter, noted_at)
             SELECT (SELECT results FROM heads) + i, 'default', {results_at}, h.id, i % 10 > 0,
                 CASE WHEN i % 10 > 0 THEN 'none' ELSE 'network' END, FALSE, 120, 'svc:bench', {results_at}
             FROM {results_from} JOIN holders h ON h.n = i % {holders} ORDER BY 1"
        ),
        format!("UPDATE heads SET journal = journal + {journal}, results = results + {results}"),
        "DROP TABLE holders".to_owned(),
    ];
    statements.push(if sqlite { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "VACUUM ANALYZE" }.to_owned());
    statements
}
