//! Many rows as the values of one statement.
//!
//! A statement with the marker `ROWS(e: id TEXT, n BIGINT)` behind its `WITH` has the rows that it
//! is run with as the table `e`. PostgreSQL gets them as one array for each column; SQLite as
//! `VALUES`, which it reads several times faster than the same rows as JSON (docs/adr/015).

use std::sync::OnceLock;

use sqlx::Arguments;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;

use crate::db::{Arg, Backend, On, Record, Sql, Tx};
use crate::error::Result;

/// The most rows of one statement on SQLite, which knows a statement by its number of values.
const MOST: usize = 256;
/// Statements are prepared for 1, 2, 4, … [`MOST`] rows; what is missing is filled up with nothing.
const SIZES: usize = MOST.ilog2() as usize + 1;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Int,
    Text,
    Bool,
}

/// A statement with rows in it, in both dialects.
#[derive(Debug)]
pub(crate) struct RowSql {
    kinds: Vec<Kind>,
    postgres: &'static str,
    /// What stands before and behind the rows.
    around: [&'static str; 2],
    sqlite: [OnceLock<&'static str>; SIZES],
}

impl RowSql {
    /// Reads a statement with its marker. Meant for statics, so that the texts live as long as the
    /// program.
    pub fn parse(text: &str) -> Self {
        let (before, rest) = text.split_once("ROWS(").unwrap_or(("", text));
        let (marker, behind) = rest.split_once(')').unwrap_or((rest, ""));
        let (name, columns) = marker.split_once(": ").unwrap_or((marker, ""));
        let columns: Vec<(&str, &str)> =
            columns.split(',').filter_map(|column| column.trim().split_once(' ')).collect();
        let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let arrays = columns.iter().enumerate().map(|(i, (_, kind))| format!("${}::{kind}[]", i + 1));
        let arrays = arrays.collect::<Vec<_>>().join(", ");
        let behind = Sql::expand(behind);
        let unnest = format!("{before}{name} ({names}) AS (SELECT * FROM unnest({arrays})){}", behind.postgres);
        let kind_of = |kind| match kind {
            "TEXT" => Kind::Text,
            "BOOLEAN" => Kind::Bool,
            _ => Kind::Int,
        };
        let head = format!("{before}{name} ({names}) AS (SELECT * FROM (VALUES ");
        let tail = format!(") WHERE column1 IS NOT NULL){}", behind.sqlite);
        Self {
            kinds: columns.iter().map(|(_, kind)| kind_of(kind)).collect(),
            postgres: unnest.leak(),
            around: [head.leak(), tail.leak()],
            sqlite: [const { OnceLock::new() }; SIZES],
        }
    }

    /// The statements that take all of `rows`, with their values.
    fn on_sqlite(&self, rows: Rows) -> impl Iterator<Item = Result<(&'static str, SqliteArguments)>> {
        rows.pieces(self.kinds.len()).map(|(number, cells)| {
            let text = self.sqlite(number);
            #[cfg(test)]
            crate::plans::ran(crate::plans::Dialect::Sqlite, text, Vec::new());
            let mut arguments = SqliteArguments::default();
            arguments.reserve(cells.len(), 0);
            for cell in cells {
                let added = match cell {
                    Arg::Int(v) => arguments.add(v),
                    Arg::Text(v) => arguments.add(v),
                    Arg::Bytes(v) => arguments.add(v),
                    Arg::Bool(v) => arguments.add(v),
                    Arg::Real(v) => arguments.add(v),
                };
                added.map_err(sqlx::Error::Encode)?;
            }
            Ok((text, arguments))
        })
    }

    /// The values of the statement on PostgreSQL: the columns of `rows`.
    fn on_postgres(&self, rows: &Rows) -> Result<PgArguments> {
        #[cfg(test)]
        crate::plans::ran(crate::plans::Dialect::Postgres, self.postgres, self.types());
        let mut arguments = PgArguments::default();
        for (kind, column) in self.kinds.iter().zip(rows.columns(self.kinds.len())) {
            let added = match kind {
                Kind::Int => arguments.add(column.map(Arg::as_int).collect::<Vec<_>>()),
                Kind::Text => arguments.add(column.map(Arg::as_text).collect::<Vec<_>>()),
                Kind::Bool => arguments.add(column.map(Arg::as_bool).collect::<Vec<_>>()),
            };
            added.map_err(sqlx::Error::Encode)?;
        }
        Ok(arguments)
    }

    /// The statement for so many rows, or somewhat more.
    fn sqlite(&self, rows: usize) -> &'static str {
        let size = rows.next_power_of_two();
        let make = || {
            let row = format!("({})", vec!["?"; self.kinds.len()].join(", "));
            format!("{}{}{}", self.around[0], vec![row; size].join(", "), self.around[1]).leak() as &'static str
        };
        self.sqlite[size.ilog2() as usize].get_or_init(make)
    }

    /// Its text for one row.
    #[cfg(test)]
    pub fn text(&self, dialect: crate::plans::Dialect) -> &'static str {
        if dialect == crate::plans::Dialect::Sqlite { self.sqlite(1) } else { self.postgres }
    }

    /// The types of its values on PostgreSQL.
    #[cfg(test)]
    fn types(&self) -> Vec<&'static str> {
        let name = |kind: &Kind| match kind {
            Kind::Int => "BIGINT[]",
            Kind::Text => "TEXT[]",
            Kind::Bool => "BOOLEAN[]",
        };
        self.kinds.iter().map(name).collect()
    }
}

/// A statement with rows in it, read once.
macro_rules! rows_sql {
    ($text:expr) => {{
        static SQL: std::sync::LazyLock<$crate::rows::RowSql> =
            std::sync::LazyLock::new(|| $crate::rows::RowSql::parse($text));
        &*SQL
    }};
}
pub(crate) use rows_sql;

/// Rows to go into a statement. The first column is never null.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    cells: Vec<Arg>,
    number: usize,
}

impl Rows {
    /// Adds a row.
    pub fn push<const N: usize>(&mut self, row: [Arg; N]) {
        self.cells.extend(row);
        self.number += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.number == 0
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.number as u64
    }

    /// In pieces that one statement on SQLite may have.
    fn pieces(self, width: usize) -> impl Iterator<Item = (usize, Vec<Arg>)> {
        let mut cells = self.cells.into_iter();
        std::iter::from_fn(move || {
            let piece: Vec<Arg> = cells.by_ref().take(MOST * width).collect();
            (!piece.is_empty()).then(|| (piece.len() / width, piece))
        })
    }

    /// The cells of each column.
    fn columns(&self, width: usize) -> impl Iterator<Item = impl Iterator<Item = &Arg>> {
        (0..width).map(move |column| self.cells.iter().skip(column).step_by(width))
    }
}

impl<const N: usize> FromIterator<[Arg; N]> for Rows {
    fn from_iter<I: IntoIterator<Item = [Arg; N]>>(rows: I) -> Self {
        let mut all = Self::default();
        for row in rows {
            all.push(row);
        }
        all
    }
}

/// A row from anything that can be bound.
macro_rules! row {
    ($($value:expr),* $(,)?) => { [$($crate::db::Arg::from($value)),*] };
}
pub(crate) use row;

macro_rules! all_of {
    ($on:expr, $sql:expr, $rows:expr, |$sqlite:ident| $again:expr) => {{
        let mut all = Vec::new();
        match $on {
            On::Sqlite($sqlite) => {
                for piece in $sql.on_sqlite($rows) {
                    let (text, args) = piece?;
                    all.extend(sqlx::query_as_with::<_, T, _>(text, args).fetch_all($again).await?);
                }
            }
            On::Postgres(_) if $rows.is_empty() => {}
            On::Postgres(on) => {
                let args = $sql.on_postgres(&$rows)?;
                all = sqlx::query_as_with::<_, T, _>($sql.postgres, args).fetch_all(on).await?;
            }
        }
        Ok(all)
    }};
}

impl Tx {
    /// All rows that a statement with rows in it answers.
    pub(crate) async fn all_of<T: Record>(&mut self, sql: &'static RowSql, rows: Rows) -> Result<Vec<T>> {
        all_of!(self.on(), sql, rows, |on| &mut *on)
    }

    /// Runs a statement with rows in it; the number of rows it touched.
    pub(crate) async fn execute_of(&mut self, sql: &'static RowSql, rows: Rows) -> Result<u64> {
        let mut touched = 0;
        match self.on() {
            On::Sqlite(on) => {
                for piece in sql.on_sqlite(rows) {
                    let (text, args) = piece?;
                    touched += sqlx::query_with(text, args).execute(&mut *on).await?.rows_affected();
                }
            }
            On::Postgres(_) if rows.is_empty() => {}
            On::Postgres(on) => {
                let args = sql.on_postgres(&rows)?;
                touched = sqlx::query_with(sql.postgres, args).execute(on).await?.rows_affected();
            }
        }
        Ok(touched)
    }
}

impl Backend {
    /// All rows that a statement with rows in it answers, outside any transaction.
    pub(crate) async fn all_of<T: Record>(&self, sql: &'static RowSql, rows: Rows) -> Result<Vec<T>> {
        all_of!(self.on(), sql, rows, |on| on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_expand_per_dialect_and_size() {
        let sql = RowSql::parse(
            "WITH ROWS(e: id TEXT, n BIGINT) SELECT a FROM e CROSS JOIN t WHERE t.id = e.id FOR_UPDATE(t)",
        );
        assert_eq!(
            sql.sqlite(3),
            "WITH e (id, n) AS (SELECT * FROM (VALUES (?, ?), (?, ?), (?, ?), (?, ?)) WHERE column1 IS NOT NULL) \
                 SELECT a FROM e CROSS JOIN t WHERE t.id = e.id "
        );
        assert_eq!(
            sql.postgres,
            "WITH e (id, n) AS (SELECT * FROM unnest($1::TEXT[], $2::BIGINT[])) \
             SELECT a FROM e CROSS JOIN t WHERE t.id = e.id FOR NO KEY UPDATE OF t"
        );
        assert_eq!(sql.kinds, [Kind::Text, Kind::Int]);
    }

    #[test]
    fn many_rows_come_in_pieces() {
        let rows: Rows = (0..600_i64).map(|n| row![n, "x"]).collect();
        let lengths: Vec<usize> = rows.pieces(2).map(|(rows, cells)| rows * 1_000 + cells.len()).collect();
        assert_eq!(lengths, [256_512, 256_512, 88_176]);
    }
}
