//! One table on its way: its columns as the source has them, its rows as lists of cells.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Store;
use crate::db::{Arg, Backend, Sql, Tx, args, sql};
use crate::error::{Result, StoreError};

/// Rows read, and written in one transaction.
const STEP: usize = 1_000;

/// A column of SQLite that its triggers keep.
const BY_TRIGGER: &str = "ranked";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Int,
    Text,
    Bytes,
    Bool,
    Real,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    kind: Kind,
}

/// A table with the columns that are stored; what the database computes, the other will too.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub name: &'static str,
    columns: Vec<Column>,
    /// Places of the primary key's columns, in its order.
    key: Vec<usize>,
    /// Rows that are not the pool's.
    without: &'static str,
}

/// The cells of a row: numbers, texts, hexadecimal digits for bytes, 0 and 1 for truths.
type Row = Vec<Value>;

/// Rows counted and summed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub rows: u64,
    pub hash: Vec<u8>,
}

impl Table {
    /// Reads from the source, which is SQLite, what the table has.
    pub async fn of(source: &Store, name: &'static str, without: &'static str) -> Result<Self> {
        let rows: Vec<(String, String, i64)> = source
            .db()
            .all(
                sql!("SELECT name, type, pk FROM pragma_table_xinfo($1) WHERE hidden = 0 AND name <> $2 ORDER BY cid"),
                args![name, BY_TRIGGER],
            )
            .await?;
        let kind = |declared: &str| match declared {
            "INTEGER" => Ok(Kind::Int),
            "TEXT" => Ok(Kind::Text),
            "BLOB" => Ok(Kind::Bytes),
            "BOOLEAN" => Ok(Kind::Bool),
            "DOUBLE" => Ok(Kind::Real),
            other => Err(StoreError::Damaged(format!("{name} has a column of type {other}"))),
        };
        let mut key: Vec<(i64, usize)> =
            rows.iter().enumerate().filter(|(_, row)| row.2 > 0).map(|(place, row)| (row.2, place)).collect();
        key.sort_unstable();
        let columns = rows
            .into_iter()
            .map(|(name, declared, _)| Ok(Column { kind: kind(&declared)?, name }))
            .collect::<Result<_>>()?;
        Ok(Self { name, columns, key: key.into_iter().map(|(_, place)| place).collect(), without })
    }

    fn names(&self) -> String {
        self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn keys(&self, ending: &str) -> String {
        let names = self.key.iter().map(|place| format!("{}{ending}", self.columns[*place].name));
        names.collect::<Vec<_>>().join(", ")
    }

    /// A page in order of the key: the first, or what comes behind a row.
    fn select(&self, behind: bool, ending: &str) -> Sql {
        let cells = |dialect: fn(&Column) -> String| self.columns.iter().map(dialect).collect::<Vec<_>>().join(", ");
        let places: Vec<String> = (1..=self.key.len()).map(|place| format!("${place}")).collect();
        let behind = if behind { format!("AND ({}) > ({})", self.keys(""), places.join(", ")) } else { String::new() };
        let rest =
            format!("FROM {} WHERE {} {behind} ORDER BY {} LIMIT {STEP}", self.name, self.without, self.keys(ending));
        Sql {
            sqlite: leak(format!("SELECT json_array({}) {rest}", cells(Column::read_sqlite))),
            postgres: leak(format!("SELECT CAST(json_build_array({}) AS TEXT) {rest}", cells(Column::read_postgres))),
        }
    }

    fn insert(&self) -> Sql {
        let cells = |dialect: fn(&Column, usize) -> String| {
            self.columns.iter().enumerate().map(|(place, column)| dialect(column, place)).collect::<Vec<_>>().join(", ")
        };
        let statement = |cells: String, each: &str| {
            let (name, names) = (self.name, self.names());
            leak(format!("INSERT INTO {name} ({names}) SELECT {cells} FROM {each} WHERE TRUE ON CONFLICT DO NOTHING"))
        };
        Sql {
            sqlite: statement(cells(Column::write_sqlite), "json_each($1) AS e"),
            postgres: statement(cells(Column::write_postgres), "json_array_elements($1::json) AS e(value)"),
        }
    }

    /// The key of a row, to be bound.
    fn key_of(&self, row: &Row) -> Result<Vec<Arg>> {
        let arg = |place: &usize| match self.columns[*place].kind {
            Kind::Int => row[*place].as_i64().map(Arg::from),
            Kind::Text => row[*place].as_str().map(Arg::from),
            Kind::Bytes => row[*place].as_str().and_then(unhex).map(Arg::from),
            Kind::Bool | Kind::Real => None,
        };
        let broken = || StoreError::Damaged(format!("a key of {} can't be read", self.name));
        self.key.iter().map(|place| arg(place).ok_or_else(broken)).collect()
    }

    async fn page(&self, store: &Store, first: Sql, next: Sql, after: Option<&Row>) -> Result<Vec<Row>> {
        let rows: Vec<(String,)> = match after {
            None => store.db().all(first, args![]).await?,
            Some(row) => store.db().all(next, self.key_of(row)?).await?,
        };
        let broken = |_| StoreError::Damaged(format!("a row of {} can't be read", self.name));
        rows.iter().map(|(text,)| serde_json::from_str(text).map_err(broken)).collect()
    }

    /// Copies the rows that the target does not have yet: it was filled in order of the key. `told`
    /// hears how many more there are now.
    pub async fn copy(&self, source: &Store, target: &Store, mut told: impl FnMut(u64)) -> Result<()> {
        let (first, next, insert) = (self.select(false, ""), self.select(true, ""), self.insert());
        let last = self.select(false, " DESC");
        let mut after: Option<Row> = self.page(target, last, next, None).await?.into_iter().next();
        loop {
            let rows = self.page(source, first, next, after.as_ref()).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut tx: Tx = target.begin().await?;
            tx.execute(insert, args![serde_json::to_string(&rows).unwrap_or_default()]).await?;
            tx.commit().await?;
            told(rows.len() as u64);
            after = rows.into_iter().next_back();
        }
    }

    /// Counts and sums up all rows, the same on every database.
    pub async fn sum(&self, store: &Store) -> Result<Sum> {
        let (first, next) = (self.select(false, ""), self.select(true, ""));
        let (mut hash, mut rows, mut after) = (Sha256::new(), 0, None);
        loop {
            let page = self.page(store, first, next, after.as_ref()).await?;
            if page.is_empty() {
                return Ok(Sum { rows, hash: hash.finalize().to_vec() });
            }
            rows += page.len() as u64;
            for row in &page {
                for (column, cell) in self.columns.iter().zip(row) {
                    let text = column.canonical(cell);
                    // With its length, so that two cells never run into one another.
                    hash.update((text.len() as u64).to_be_bytes());
                    hash.update(text);
                }
            }
            after = page.into_iter().next_back();
        }
    }

    /// How many rows it has.
    pub async fn count(&self, store: &Store) -> Result<u64> {
        let text = leak(format!("SELECT COUNT(*) FROM {} WHERE {}", self.name, self.without));
        let (count,): (i64,) = store.db().one(Sql { sqlite: text, postgres: text }, args![]).await?;
        Ok(count.unsigned_abs())
    }

    /// Takes all rows away.
    pub async fn clear(&self, tx: &mut Tx) -> Result<()> {
        let text = leak(format!("DELETE FROM {}", self.name));
        tx.execute(Sql { sqlite: text, postgres: text }, args![]).await.map(drop)
    }

    #[cfg(test)]
    pub fn column_names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }
}

impl Column {
    fn read_sqlite(&self) -> String {
        let name = &self.name;
        match self.kind {
            Kind::Bytes => format!("CASE WHEN {name} IS NULL THEN NULL ELSE lower(hex({name})) END"),
            // As JSON it would lose the last two of its seventeen digits.
            Kind::Real => format!("CASE WHEN {name} IS NULL THEN NULL ELSE printf('%!.17g', {name}) END"),
            _ => name.clone(),
        }
    }

    fn read_postgres(&self) -> String {
        let name = &self.name;
        match self.kind {
            Kind::Bytes => format!("encode({name}, 'hex')"),
            Kind::Bool => format!("CASE WHEN {name} IS NULL THEN NULL WHEN {name} THEN 1 ELSE 0 END"),
            Kind::Real => format!("CAST({name} AS TEXT)"),
            _ => name.clone(),
        }
    }

    fn write_sqlite(&self, place: usize) -> String {
        match self.kind {
            Kind::Bytes => format!("unhex(e.value ->> {place})"),
            _ => format!("e.value ->> {place}"),
        }
    }

    fn write_postgres(&self, place: usize) -> String {
        let cell = format!("e.value ->> {place}");
        match self.kind {
            Kind::Text => cell,
            Kind::Bytes => format!("decode({cell}, 'hex')"),
            Kind::Int => format!("CAST({cell} AS BIGINT)"),
            Kind::Bool => format!("CAST({cell} AS BIGINT) <> 0"),
            Kind::Real => format!("CAST({cell} AS DOUBLE PRECISION)"),
        }
    }

    /// A cell as text that is the same whichever database it came from.
    fn canonical(&self, cell: &Value) -> String {
        match (self.kind, cell) {
            (_, Value::Null) => "null".to_owned(),
            // One writes 19.0, the other 19.
            (Kind::Real, Value::String(text)) => {
                text.parse::<f64>().map_or_else(|_| format!("={text}"), |number| format!("{:x}", number.to_bits()))
            }
            (_, Value::String(text)) => format!("={text}"),
            (_, other) => other.to_string(),
        }
    }
}

/// Statements are made of the schema: a few kilobytes, once for each copy.
fn leak(text: String) -> &'static str {
    text.leak()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Whether it is a SQLite database.
pub(super) fn is_sqlite(store: &Store) -> bool {
    matches!(store.db(), Backend::Sqlite { .. })
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use rand::SeedableRng;

    use crate::db::{args, sql};
    use crate::open::{Location, PoolConfig};
    use crate::seal::MasterKey;
    use crate::{Ambient, Store};

    #[tokio::test]
    async fn doubles_keep_all_their_digits() {
        let dir = tempfile::tempdir().unwrap();
        let ambient = Ambient::new(Timestamp::default, rand::rngs::StdRng::seed_from_u64(1));
        let location = Location::Sqlite(dir.path().join("pool.db"));
        let keys = vec![MasterKey::new(1, [7; 32])];
        let store = Store::open(&location, PoolConfig::default(), keys, ambient).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let odd = sql!("UPDATE tenants SET prior_alpha = 0.1 + 0.2, prior_beta = 1.0 / 3.0");
        assert!(tx.execute(odd, args![]).await.unwrap() > 0);
        tx.commit().await.unwrap();
        let tables = store.tables().await.unwrap();
        let tenants = tables.iter().find(|table| table.name == "tenants").unwrap();
        let (first, next) = (tenants.select(false, ""), tenants.select(true, ""));
        let rows = tenants.page(&store, first, next, None).await.unwrap();
        let cell = |name: &str| {
            let place = tenants.column_names().iter().position(|column| *column == name).unwrap();
            tenants.columns[place].canonical(&rows[0][place])
        };
        assert_eq!(cell("prior_alpha"), format!("{:x}", (0.1_f64 + 0.2).to_bits()));
        assert_eq!(cell("prior_beta"), format!("{:x}", (1.0_f64 / 3.0).to_bits()));
        store.close().await;
    }
}
