//! Statements past the store, for what no function of it does or shows.

use sqlx::postgres::PgPool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row};
use store::db::Record;
use store::open::Location;

/// A connection of its own to a world's database.
pub enum Raw {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Raw {
    pub async fn open(location: &Location) -> Self {
        match location {
            Location::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path).foreign_keys(false);
                Self::Sqlite(SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap())
            }
            Location::Postgres(url) => Self::Postgres(PgPool::connect(url).await.unwrap()),
        }
    }

    /// The queue's table.
    pub fn jobs(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "Jobs",
            Self::Postgres(_) => "apalis.jobs",
        }
    }

    /// Runs a statement; the number of rows it touched.
    pub async fn run(&self, statement: &str) -> u64 {
        let query = AssertSqlSafe(statement.to_owned());
        match self {
            Self::Sqlite(pool) => sqlx::query(query).execute(pool).await.unwrap().rows_affected(),
            Self::Postgres(pool) => sqlx::query(query).execute(pool).await.unwrap().rows_affected(),
        }
    }

    /// All rows of a statement.
    pub async fn all<T: Record>(&self, statement: &str) -> Vec<T> {
        let query = AssertSqlSafe(statement.to_owned());
        match self {
            Self::Sqlite(pool) => sqlx::query_as(query).fetch_all(pool).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_as(query).fetch_all(pool).await.unwrap(),
        }
    }

    /// The one number that a statement selects.
    pub async fn number(&self, statement: &str) -> i64 {
        self.all::<(i64,)>(statement).await[0].0
    }

    /// The bytes of one column, whatever the rest of the rows.
    pub async fn bytes(&self, statement: &str) -> Vec<Vec<u8>> {
        let query = AssertSqlSafe(statement.to_owned());
        match self {
            Self::Sqlite(pool) => {
                sqlx::query(query).fetch_all(pool).await.unwrap().iter().map(|row| row.get(0)).collect()
            }
            Self::Postgres(pool) => {
                sqlx::query(query).fetch_all(pool).await.unwrap().iter().map(|row| row.get(0)).collect()
            }
        }
    }

    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
