//! Results folded into the evidence of their credentials, each once.

use std::collections::HashMap;
use std::str::FromStr;

use domain::Timestamp;
use domain::credential::Standing;
use domain::health::{Decayed, Evidence, HealthConfig};
use serde_json::{Value, json};
use sqlx::FromRow;

use super::SCORES_AT_ONCE;
use crate::Store;
use crate::db::{Tx, args, json_texts, sql};
use crate::error::Result;

/// Results read at once.
const RESULTS_AT_ONCE: usize = 5_000;
/// The row of `job_state` that names the last result that was folded.
const CURSOR: &str = "score_health";

#[derive(FromRow)]
pub(super) struct EvidenceRow {
    pub id: String,
    pub tenant_id: String,
    pub standing: String,
    pub success_count: i64,
    pub fail_count: i64,
    pub consecutive_failures: i64,
    pub recent_failures: i64,
    pub forgiven_at: i64,
    pub success_score: i64,
    pub health_score: i64,
    pub last_failure_at: Option<i64>,
    pub cooldown_until: i64,
    pub parts: Option<String>,
    pub long_successes: f64,
    pub long_failures: f64,
    pub short_successes: f64,
    pub short_failures: f64,
    pub as_of: i64,
}

macro_rules! evidence {
    ($rest:literal) => {
        sql!(concat!(
            "SELECT c.id, c.tenant_id, c.standing, c.success_count, c.fail_count, c.consecutive_failures,
                 c.recent_failures, c.forgiven_at, c.success_score, c.health_score, c.last_failure_at, c.cooldown_until, h.parts,
                 COALESCE(h.long_successes, 0.0) AS long_successes, COALESCE(h.long_failures, 0.0) AS long_failures,
                 COALESCE(h.short_successes, 0.0) AS short_successes, COALESCE(h.short_failures, 0.0) AS short_failures,
                 COALESCE(h.as_of, 0) AS as_of
             FROM credentials c LEFT JOIN credential_health h ON h.credential_id = c.id
             WHERE ",
            $rest
        ))
    };
}
pub(super) use evidence;

/// Evidence of one credential under the two half-lives.
type Sums = (Decayed, Decayed);

impl Store {
    /// Folds the next stretch of results into the evidence of their credentials, and moves the
    /// cursor in the same transaction: each result counts once, however often the job dies. How
    /// many there were; `None` at the end, or when another run is ahead.
    pub(super) async fn fold_some_results(&self, config: &HealthConfig) -> Result<Option<u64>> {
        let now = self.now();
        let cursor = self.cursor(CURSOR).await?;
        let rows: Vec<(i64, String, i64, bool, bool)> = self
            .db()
            .all(
                sql!(
                    "SELECT seq, credential_id, at, success, charged FROM results WHERE seq > $1 ORDER BY seq LIMIT $2"
                ),
                args![cursor, RESULTS_AT_ONCE],
            )
            .await?;
        let (mut sums, mut end, mut folded): (HashMap<String, Sums>, i64, u64) = (HashMap::new(), cursor, 0);
        for (seq, credential, at, success, charged) in rows {
            if sums.len() == SCORES_AT_ONCE && !sums.contains_key(&credential) {
                break;
            }
            (end, folded) = (seq, folded + 1);
            if !success && !charged {
                continue;
            }
            let (long, short) = sums.entry(credential).or_default();
            let age = now.since(Timestamp::from_millis(at));
            long.add(success, age, config.half_life_millis);
            short.add(success, age, config.trend_half_life_millis);
        }
        if end == cursor {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        if !tx.move_cursor(CURSOR, cursor, end).await? {
            return Ok(None);
        }
        tx.add_evidence(&sums, config, now).await?;
        tx.commit().await?;
        Ok(Some(folded))
    }
}

impl Tx {
    /// What is known of these credentials, locked in id order.
    pub(super) async fn evidence_of<'a>(&mut self, ids: impl IntoIterator<Item = &'a str>) -> Result<Vec<EvidenceRow>> {
        let locked = evidence!("c.id IN TEXTS($1) AND c.deleted_at IS NULL ORDER BY c.id FOR_UPDATE(c)");
        self.all(locked, args![json_texts(ids)]).await
    }

    async fn add_evidence(&mut self, new: &HashMap<String, Sums>, config: &HealthConfig, now: Timestamp) -> Result<()> {
        let rows = self.evidence_of(new.keys().map(String::as_str)).await?;
        let merged = rows.iter().filter_map(|row| {
            let (mut long, mut short) = row.aged(config, now);
            let (new_long, new_short) = new.get(&row.id)?;
            for (sum, add) in [(&mut long, new_long), (&mut short, new_short)] {
                sum.successes += add.successes;
                sum.failures += add.failures;
            }
            Some(json!({
                "id": row.id, "t": row.tenant_id,
                "ls": long.successes, "lf": long.failures, "ss": short.successes, "sf": short.failures,
            }))
        });
        let merged = merged.collect::<Value>().to_string();
        self.execute(
            sql!(
                "INSERT INTO credential_health (credential_id, tenant_id, long_successes, long_failures, short_successes,
                     short_failures, as_of, computed_at)
                 SELECT e.value ->> 'id', e.value ->> 't', CAST(e.value ->> 'ls' AS DOUBLE PRECISION),
                     CAST(e.value ->> 'lf' AS DOUBLE PRECISION), CAST(e.value ->> 'ss' AS DOUBLE PRECISION),
                     CAST(e.value ->> 'sf' AS DOUBLE PRECISION), $2, $2
                 FROM EACH($1) AS e WHERE TRUE
                 ON CONFLICT (credential_id) DO UPDATE SET long_successes = excluded.long_successes,
                     long_failures = excluded.long_failures, short_successes = excluded.short_successes,
                     short_failures = excluded.short_failures, as_of = excluded.as_of"
            ),
            args![merged, now],
        )
        .await?;
        Ok(())
    }
}

impl EvidenceRow {
    /// The stored evidence, aged to `now`.
    fn aged(&self, config: &HealthConfig, now: Timestamp) -> Sums {
        let elapsed = now.since(Timestamp::from_millis(self.as_of));
        let long = Decayed { successes: self.long_successes, failures: self.long_failures };
        let short = Decayed { successes: self.short_successes, failures: self.short_failures };
        (long.aged(elapsed, config.half_life_millis), short.aged(elapsed, config.trend_half_life_millis))
    }

    pub fn evidence(&self, config: &HealthConfig, now: Timestamp) -> Evidence {
        let (long, short) = self.aged(config, now);
        Evidence {
            long,
            short,
            consecutive_failures: self.consecutive_failures,
            last_failure_at: self.last_failure_at.map(Timestamp::from_millis),
            cooling: self.cooldown_until > now.millis(),
            standing: Standing::from_str(&self.standing).unwrap_or_default(),
        }
    }
}
