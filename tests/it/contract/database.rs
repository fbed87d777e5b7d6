//! The database as somebody sees it who stands beside the program.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, SqliteConnection};

use crate::harness::{Kind, Place};

/// A lock that is let go when dropped.
#[allow(dead_code, reason = "held, not read")]
pub enum Held {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Place {
    async fn sqlite(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.database()).connect().await.unwrap()
    }

    async fn postgres(&self) -> PgConnection {
        PgConnection::connect(self.url.as_ref().unwrap()).await.unwrap()
    }

    /// Changes rows behind the program's back.
    pub async fn execute(&self, sql: &'static str) {
        assert!(self.run_sql(sql).await > 0, "{sql}");
    }

    /// Runs a statement behind the program's back; how many rows it touched.
    pub async fn run_sql(&self, sql: &'static str) -> u64 {
        match self.kind {
            Kind::Sqlite => sqlx::query(sql).execute(&mut self.sqlite().await).await.unwrap().rows_affected(),
            Kind::Postgres => sqlx::query(sql).execute(&mut self.postgres().await).await.unwrap().rows_affected(),
        }
    }

    /// The number that a statement selects, behind the program's back.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let (count,): (i64,) = match self.kind {
            Kind::Sqlite => sqlx::query_as(sql).fetch_one(&mut self.sqlite().await).await.unwrap(),
            Kind::Postgres => sqlx::query_as(sql).fetch_one(&mut self.postgres().await).await.unwrap(),
        };
        count
    }

    /// Holds what every writer needs.
    pub async fn hold(&self) -> Held {
        match self.kind {
            Kind::Sqlite => {
                let mut connection = self.sqlite().await;
                sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
                Held::Sqlite(connection)
            }
            Kind::Postgres => {
                let mut connection = self.postgres().await;
                sqlx::query("BEGIN").execute(&mut connection).await.unwrap();
                sqlx::query("LOCK TABLE heads IN ACCESS EXCLUSIVE MODE").execute(&mut connection).await.unwrap();
                Held::Postgres(connection)
            }
        }
    }

    /// The server refuses to let anybody in, and puts out who is; or lets them in again.
    pub async fn refuse_connections(&self, refuse: bool) {
        let (base, name) = self.url.as_ref().unwrap().rsplit_once('/').unwrap();
        let mut admin = PgConnection::connect(&format!("{base}/postgres")).await.unwrap();
        let alter = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {}", !refuse);
        sqlx::query(sqlx::AssertSqlSafe(alter)).execute(&mut admin).await.unwrap();
        if refuse {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
            sqlx::query(end).bind(name).execute(&mut admin).await.unwrap();
        }
    }

    /// Everything that the database holds: its files as they are, write-ahead log and all, or every
    /// table as text.
    pub async fn dump(&self) -> Vec<u8> {
        match self.kind {
            Kind::Sqlite => {
                let mut bytes = Vec::new();
                for name in ["pool.db", "pool.db-wal", "pool.db-shm"] {
                    bytes.extend(std::fs::read(self.dir.path().join(name)).unwrap_or_default());
                }
                assert!(bytes.len() > 4096);
                bytes
            }
            Kind::Postgres => {
                let query = sqlx::query_scalar("SELECT CAST(database_to_xml(true, false, '') AS TEXT)");
                let text: String = query.fetch_one(&mut self.postgres().await).await.unwrap();
                assert!(text.contains("<credentials>") && text.contains("<journal>"));
                text.into_bytes()
            }
        }
    }
}
