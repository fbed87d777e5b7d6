//! One body of SQL for both databases.
//!
//! A statement is written once with [`sql!`]; the few words in which the dialects differ are
//! markers that expand per database. Values go in as [`Arg`]s, rows come out as anything that
//! derives `sqlx::FromRow`. No signature outside this module names a driver.
//!
//! | marker | SQLite | PostgreSQL |
//! | --- | --- | --- |
//! | `EACH($1) AS e` | `json_each($1) AS e` | `json_array_elements($1::json) AS e(value)` |
//! | `TEXTS($1)` | `(SELECT value FROM json_each($1))` | `(SELECT value FROM json_array_elements_text($1::json))` |
//! | `FOR_UPDATE(x)` | nothing | `FOR NO KEY UPDATE OF x` |
//! | `SKIP_LOCKED(x)` | nothing | `FOR NO KEY UPDATE OF x SKIP LOCKED` |
//! | `FOR_SHARE(x)` | nothing | `FOR SHARE OF x` |
//! | `LOCK_BY(x.a, x.b)` | nothing | `ORDER BY x.a, x.b FOR NO KEY UPDATE OF x` |
//!
//! Many rows at once go into a statement by a marker of their own: see [`crate::rows`].
//!
//! No row is locked for its key as well, which never changes: the check of a foreign key takes that
//! as late as a row is written for the second time in a transaction, when the one that waits for
//! it would wait in a circle. `FOR_SHARE` is for a row that others are put under: its writers wait,
//! those who put something under it don't wait for each other.

use std::sync::Arc;

use sqlx::postgres::{PgPool, PgRow};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{FromRow, Postgres, Sqlite, Transaction};

use crate::error::Result;

/// One statement in both dialects.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl Sql {
    /// Expands the markers. Meant for statics, so that the texts live as long as the program.
    pub(crate) fn expand(text: &str) -> Self {
        Self { sqlite: expand(text, sqlite_marker).leak(), postgres: expand(text, postgres_marker).leak() }
    }
}

const MARKERS: [&str; 6] = ["EACH(", "TEXTS(", "FOR_UPDATE(", "SKIP_LOCKED(", "FOR_SHARE(", "LOCK_BY("];

/// Replaces `NAME(argument)` for every marker that `dialect` knows.
fn expand(text: &str, dialect: fn(&str, &str) -> String) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some((at, name)) = MARKERS.iter().filter_map(|m| Some((rest.find(m)?, *m))).min() {
        let inside = &rest[at + name.len()..];
        let end = inside.find(')').unwrap_or(inside.len());
        out.push_str(&rest[..at]);
        out.push_str(&dialect(name, &inside[..end]));
        rest = inside.get(end + 1..).unwrap_or_default();
        if name == "EACH(" && rest.starts_with(" AS e") {
            out.push_str(if out.ends_with("::json)") { " AS e(value)" } else { " AS e" });
            rest = &rest[" AS e".len()..];
        }
    }
    out.push_str(rest);
    out
}

fn sqlite_marker(name: &str, argument: &str) -> String {
    match name {
        "EACH(" => format!("json_each({argument})"),
        "TEXTS(" => format!("(SELECT value FROM json_each({argument}))"),
        _ => String::new(),
    }
}

fn postgres_marker(name: &str, argument: &str) -> String {
    match name {
        "EACH(" => format!("json_array_elements({argument}::json)"),
        "TEXTS(" => format!("(SELECT value FROM json_array_elements_text({argument}::json))"),
        "FOR_UPDATE(" => format!("FOR NO KEY UPDATE OF {argument}"),
        "FOR_SHARE(" => format!("FOR SHARE OF {argument}"),
        "LOCK_BY(" => {
            let table = argument.split('.').next().unwrap_or_default();
            format!("ORDER BY {argument} FOR NO KEY UPDATE OF {table}")
        }
        _ => format!("FOR NO KEY UPDATE OF {argument} SKIP LOCKED"),
    }
}

/// A statement in both dialects, expanded once.
macro_rules! sql {
    ($text:expr) => {{
        static SQL: std::sync::LazyLock<$crate::db::Sql> = std::sync::LazyLock::new(|| $crate::db::Sql::expand($text));
        *SQL
    }};
}
pub(crate) use sql;

/// A value to bind.
#[derive(Clone, Debug)]
pub enum Arg {
    /// A number.
    Int(Option<i64>),
    /// A text.
    Text(Option<Arc<str>>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
    /// A truth.
    Bool(bool),
    /// A measure.
    Real(f64),
}

impl Arg {
    pub(crate) fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { *value } else { None }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Self::Text(value) = self { value.as_deref() } else { None }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    #[cfg(test)]
    /// The types of values on PostgreSQL.
    fn types(args: &[Self]) -> Vec<&'static str> {
        let name = |arg: &Self| match arg {
            Self::Int(_) => "BIGINT",
            Self::Text(_) => "TEXT",
            Self::Bytes(_) => "BYTEA",
            Self::Bool(_) => "BOOLEAN",
            Self::Real(_) => "DOUBLE PRECISION",
        };
        args.iter().map(name).collect()
    }
}

macro_rules! arg_from {
    ($($from:ty => $variant:ident($value:ident) $expr:expr;)*) => {
        $(impl From<$from> for Arg {
            fn from($value: $from) -> Self {
                Self::$variant($expr)
            }
        })*
    };
}

arg_from! {
    i64 => Int(v) Some(v);
    Option<i64> => Int(v) v;
    usize => Int(v) Some(v as i64);
    domain::Timestamp => Int(v) Some(v.millis());
    Option<domain::Timestamp> => Int(v) v.map(domain::Timestamp::millis);
    &str => Text(v) Some(v.into());
    Arc<str> => Text(v) Some(v);
    &Arc<str> => Text(v) Some(Arc::clone(v));
    Option<Arc<str>> => Text(v) v;
    String => Text(v) Some(v.into());
    &String => Text(v) Some(v.as_str().into());
    Option<String> => Text(v) v.map(Into::into);
    Option<&str> => Text(v) v.map(Into::into);
    &domain::TenantId => Text(v) Some(v.shared());
    &domain::CredentialId => Text(v) Some(v.shared());
    &domain::AllocationId => Text(v) Some(v.shared());
    &domain::GroupId => Text(v) Some(v.shared());
    &domain::AccountKey => Text(v) Some(v.shared());
    Vec<u8> => Bytes(v) Some(v);
    Option<Vec<u8>> => Bytes(v) v;
    bool => Bool(v) v;
    f64 => Real(v) v;
}

/// The values of a statement, in the order of `$1`, `$2`, …
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::Arg::from($value)),*] };
}
pub(crate) use args;

/// A row type that both drivers can fill.
pub trait Record: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Record for T {}

/// A database, opened.
#[derive(Clone, Debug)]
pub(crate) enum Backend {
    /// One connection that writes, a few that read.
    Sqlite { write: SqlitePool, read: SqlitePool },
    /// Some connections for transactions, some for reading: pages that read much never keep an
    /// allocation waiting for a connection.
    Postgres { write: PgPool, read: PgPool },
}

/// A transaction that writes. Dropped without [`Tx::commit`], it changes nothing.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite, begun IMMEDIATE.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL, at READ COMMITTED.
    Postgres(Transaction<'static, Postgres>),
}

/// Builds a query with its values bound and runs `$run` on it, for whichever driver `$on` is.
macro_rules! dispatch {
    ($on:expr, $sql:expr, $args:expr, $query:path, |$executor:ident, $built:ident| $run:expr) => {
        match $on {
            On::Sqlite($executor) => {
                #[cfg(test)]
                crate::plans::ran(crate::plans::Dialect::Sqlite, $sql.sqlite, Arg::types(&$args));
                let mut $built = $query($sql.sqlite);
                for arg in $args {
                    $built = bind!($built, arg);
                }
                $run
            }
            On::Postgres($executor) => {
                #[cfg(test)]
                crate::plans::ran(crate::plans::Dialect::Postgres, $sql.postgres, Arg::types(&$args));
                let mut $built = $query($sql.postgres);
                for arg in $args {
                    $built = bind!($built, arg);
                }
                $run
            }
        }
    };
}

macro_rules! bind {
    ($query:expr, $arg:expr) => {
        match $arg {
            Arg::Int(v) => $query.bind(v),
            Arg::Text(v) => $query.bind(v),
            Arg::Bytes(v) => $query.bind(v),
            Arg::Bool(v) => $query.bind(v),
            Arg::Real(v) => $query.bind(v),
        }
    };
}

/// Where a statement runs.
pub(crate) enum On<S, P> {
    Sqlite(S),
    Postgres(P),
}

impl Tx {
    pub(crate) fn on(&mut self) -> On<&mut sqlx::SqliteConnection, &mut sqlx::PgConnection> {
        match self {
            Self::Sqlite(tx) => On::Sqlite(&mut **tx),
            Self::Postgres(tx) => On::Postgres(&mut **tx),
        }
    }

    /// All rows.
    pub(crate) async fn all<T: Record>(&mut self, sql: Sql, args: Vec<Arg>) -> Result<Vec<T>> {
        dispatch!(self.on(), sql, args, sqlx::query_as::<_, T>, |on, query| Ok(query.fetch_all(on).await?))
    }

    /// The first row, if any.
    pub(crate) async fn optional<T: Record>(&mut self, sql: Sql, args: Vec<Arg>) -> Result<Option<T>> {
        dispatch!(self.on(), sql, args, sqlx::query_as::<_, T>, |on, query| Ok(query.fetch_optional(on).await?))
    }

    /// The one row there must be.
    pub(crate) async fn one<T: Record>(&mut self, sql: Sql, args: Vec<Arg>) -> Result<T> {
        dispatch!(self.on(), sql, args, sqlx::query_as::<_, T>, |on, query| Ok(query.fetch_one(on).await?))
    }

    /// Runs it; the number of rows it touched.
    pub(crate) async fn execute(&mut self, sql: Sql, args: Vec<Arg>) -> Result<u64> {
        dispatch!(self.on(), sql, args, sqlx::query, |on, query| Ok(query.execute(on).await?.rows_affected()))
    }

    /// Makes it durable.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => Ok(tx.commit().await?),
            Self::Postgres(tx) => Ok(tx.commit().await?),
        }
    }

    /// Undoes it, and waits until that is done.
    pub async fn rollback(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => Ok(tx.rollback().await?),
            Self::Postgres(tx) => Ok(tx.rollback().await?),
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

impl Backend {
    pub(crate) async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            // A deferred transaction that turns to writing fails with BUSY_SNAPSHOT, which no
            // timeout covers.
            Self::Sqlite { write, .. } => Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres { write, .. } => Tx::Postgres(write.begin().await?),
        })
    }

    pub(crate) fn on(&self) -> On<&SqlitePool, &PgPool> {
        match self {
            Self::Sqlite { read, .. } => On::Sqlite(read),
            Self::Postgres { read, .. } => On::Postgres(read),
        }
    }

    /// All rows, outside any transaction.
    pub(crate) async fn all<T: Record>(&self, sql: Sql, args: Vec<Arg>) -> Result<Vec<T>> {
        dispatch!(self.on(), sql, args, sqlx::query_as::<_, T>, |on, query| Ok(query.fetch_all(on).await?))
    }

    /// The first row, if any, outside any transaction.
    pub(crate) async fn optional<T: Record>(&self, sql: Sql, args: Vec<Arg>) -> Result<Option<T>> {
        dispatch!(self.on(), sql, args, sqlx::query_as::<_, T>, |on, query| Ok(query.fetch_optional(on).await?))
    }

    /// The one row there must be, outside any transaction.
    pub(crate) async fn one<T: Record>(&self, sql: Sql, args: Vec<Arg>) -> Result<T> {
        dispatch!(self.on(), sql, args, sqlx::query_as::<_, T>, |on, query| Ok(query.fetch_one(on).await?))
    }
}

/// Reads in a transaction or outside of any.
pub(crate) enum Reader<'a> {
    Db(&'a Backend),
    Tx(&'a mut Tx),
}

impl Reader<'_> {
    pub(crate) async fn all<T: Record>(&mut self, sql: Sql, args: Vec<Arg>) -> Result<Vec<T>> {
        match self {
            Self::Db(db) => db.all(sql, args).await,
            Self::Tx(tx) => tx.all(sql, args).await,
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        match self {
            Self::Db(db) => matches!(db, Backend::Postgres { .. }),
            Self::Tx(tx) => tx.is_postgres(),
        }
    }
}

/// Ids as the JSON text that `TEXTS` and `EACH` take.
pub(crate) fn json_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    serde_json::Value::from_iter(texts).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_expand_per_dialect() {
        let sql = Sql::expand("SELECT a FROM EACH($1) AS e CROSS JOIN t WHERE t.id IN TEXTS($2) FOR_UPDATE(t)");
        assert_eq!(
            sql.sqlite,
            "SELECT a FROM json_each($1) AS e CROSS JOIN t WHERE t.id IN (SELECT value FROM json_each($2)) "
        );
        assert_eq!(
            sql.postgres,
            "SELECT a FROM json_array_elements($1::json) AS e(value) CROSS JOIN t WHERE t.id IN \
             (SELECT value FROM json_array_elements_text($2::json)) FOR NO KEY UPDATE OF t"
        );
    }
}
