//! The journal and the results, counted into the figures: each row once, however often a run dies and
//! however many there are at the same time.

use domain::Timestamp;
use domain::trend::{BUCKET, bucket};
use serde_json::{Value, json};

use super::MEASURED_AT;
use crate::Store;
use crate::db::{Sql, Tx, args, sql};
use crate::error::Result;

/// Rows of a log that one statement reads, by default.
pub const SLICE: usize = 20_000;
/// Slices of each log in one run. More than that are left to the next: a database that has been
/// running for a year before it came to have figures must not keep a queue's place for minutes.
const SLICES: usize = 100;
/// Buckets written in one transaction: no writer holds the lock long.
const AT_ONCE: usize = 200;

/// What a run of `measure_pool` did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Rows that were looked at.
    pub rows: u64,
    /// Whether it came to the end of both logs.
    pub is_complete: bool,
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
enum Log {
    Journal,
    Results,
}

impl Log {
    /// The row of `job_state` that names the last row that was counted.
    fn cursor(self) -> &'static str {
        match self {
            Self::Journal => "measure_pool:journal",
            Self::Results => "measure_pool:results",
        }
    }

    /// Counts by tenant and bucket of the next rows: allocated, released, successes, failures; then
    /// how many rows there were, and the number of the last. Every path that binds an account anew
    /// notes `api.allocated`, and every one that ends a binding `api.released`.
    fn counts(self) -> Sql {
        macro_rules! counts {
            ($counts:literal, $at:literal, $columns:literal, $log:literal) => {
                sql!(concat!(
                    "SELECT tenant_id, bucket, ",
                    $counts,
                    ", COUNT(*), MAX(seq)
                     FROM (SELECT seq, tenant_id, ",
                    $at,
                    " - ",
                    $at,
                    " % $3 AS bucket, ",
                    $columns,
                    " FROM ",
                    $log,
                    " WHERE seq > $1 ORDER BY seq LIMIT $2) AS slice
                     GROUP BY tenant_id, bucket ORDER BY tenant_id, bucket"
                ))
            };
        }
        match self {
            Self::Journal => counts!(
                "COUNT(CASE WHEN action = 'api.allocated' THEN 1 END), COUNT(CASE WHEN action = 'api.released' THEN 1 END),
                 CAST(0 AS BIGINT), CAST(0 AS BIGINT)",
                "at",
                "action",
                "journal"
            ),
            // As the figures of results count them: what is nobody's fault is no failure.
            Self::Results => counts!(
                "CAST(0 AS BIGINT), CAST(0 AS BIGINT), COUNT(CASE WHEN success THEN 1 END),
                 COUNT(CASE WHEN NOT success AND fault <> 'none' THEN 1 END)",
                "noted_at",
                "success, fault",
                "results"
            ),
        }
    }
}

/// Tenant, bucket, four counts, rows, last number.
type Line = (String, i64, i64, i64, i64, i64, i64, i64);

/// How one slice went.
enum Step {
    /// So many rows were counted.
    Counted(u64),
    /// There were none.
    End,
    /// Another run counts them.
    Overtaken,
}

impl Store {
    /// Counts what was noted since the last time, `slice` rows at once, and samples the slots.
    pub async fn measure_pool(&self, slice: usize) -> Result<Measured> {
        let mut measured = Measured { rows: 0, is_complete: true };
        for log in [Log::Journal, Log::Results] {
            let mut is_at_end = false;
            for _ in 0..SLICES {
                match self.count_some(log, slice).await? {
                    Step::Counted(rows) => measured.rows += rows,
                    Step::End => {
                        is_at_end = true;
                        break;
                    }
                    Step::Overtaken => break,
                }
            }
            measured.is_complete &= is_at_end;
        }
        self.sample_slots(measured.is_complete).await?;
        Ok(measured)
    }

    /// Counts the next slice, and moves the cursor in the same transaction.
    async fn count_some(&self, log: Log, slice: usize) -> Result<Step> {
        let cursor = self.cursor(log.cursor()).await?;
        let mut limit = slice;
        let lines = loop {
            // Read before the transaction, which so holds its lock for the writing only.
            let lines: Vec<Line> = self.db().all(log.counts(), args![cursor, limit, BUCKET]).await?;
            if lines.len() <= AT_ONCE || limit <= AT_ONCE {
                break lines;
            }
            // A quiet pool's rows are scattered over many buckets.
            limit = (limit / 10).max(AT_ONCE);
        };
        let Some(end) = lines.iter().map(|line| line.7).max() else { return Ok(Step::End) };
        let mut tx = self.begin().await?;
        if !tx.move_cursor(log.cursor(), cursor, end).await? {
            tx.rollback().await?;
            return Ok(Step::Overtaken);
        }
        tx.add_figures(&lines).await?;
        tx.commit().await?;
        Ok(Step::Counted(lines.iter().map(|line| line.6.unsigned_abs()).sum()))
    }

    /// Notes each tenant's slots in the present bucket.
    async fn sample_slots(&self, is_complete: bool) -> Result<()> {
        let now = self.now();
        let mut samples = Vec::new();
        for tenant in self.tenants().await? {
            let totals = self.totals(&tenant).await?;
            samples.push(json!({ "t": tenant.as_str(), "s": totals.slots, "u": totals.used }));
        }
        let mut tx = self.begin().await?;
        for some in samples.chunks(AT_ONCE) {
            tx.keep_samples(some, bucket(now)).await?;
        }
        if is_complete {
            tx.note_moment(MEASURED_AT, now).await?;
        }
        tx.commit().await
    }
}

impl Tx {
    /// Adds counts to their buckets. They come in the order of the key, which is that of the locks.
    async fn add_figures(&mut self, lines: &[Line]) -> Result<()> {
        let told = lines.iter().filter(|(_, _, a, r, s, f, ..)| [*a, *r, *s, *f] != [0; 4]);
        let rows: Vec<Value> =
            told.map(|(t, at, a, r, s, f, ..)| json!({ "t": t, "at": at, "a": a, "r": r, "s": s, "f": f })).collect();
        if rows.is_empty() {
            return Ok(());
        }
        self.execute(
            sql!(
                "INSERT INTO pool_figures (tenant_id, at, allocated, released, successes, failures)
                 SELECT e.value ->> 't', CAST(e.value ->> 'at' AS BIGINT), CAST(e.value ->> 'a' AS BIGINT),
                     CAST(e.value ->> 'r' AS BIGINT), CAST(e.value ->> 's' AS BIGINT), CAST(e.value ->> 'f' AS BIGINT)
                 FROM EACH($1) AS e WHERE TRUE
                 ON CONFLICT (tenant_id, at) DO UPDATE SET allocated = pool_figures.allocated + excluded.allocated,
                     released = pool_figures.released + excluded.released,
                     successes = pool_figures.successes + excluded.successes,
                     failures = pool_figures.failures + excluded.failures"
            ),
            args![Value::Array(rows).to_string()],
        )
        .await?;
        Ok(())
    }

    async fn keep_samples(&mut self, samples: &[Value], at: Timestamp) -> Result<()> {
        self.execute(
            sql!(
                "INSERT INTO pool_figures (tenant_id, at, slots, used)
                 SELECT e.value ->> 't', $2, CAST(e.value ->> 's' AS BIGINT), CAST(e.value ->> 'u' AS BIGINT)
                 FROM EACH($1) AS e WHERE TRUE
                 ON CONFLICT (tenant_id, at) DO UPDATE SET slots = excluded.slots, used = excluded.used"
            ),
            args![Value::from(samples).to_string(), at],
        )
        .await?;
        Ok(())
    }
}
