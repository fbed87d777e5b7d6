//! Results folded into evidence, and evidence into scores.

mod evidence;

use std::collections::HashMap;

use domain::health::{HealthConfig, Prior, Score, score};
use domain::time::DAY;
use domain::{CredentialId, TenantId, Timestamp};
use serde_json::{Value, json};

use crate::Store;
use crate::db::{args, sql};
use crate::error::Result;
use crate::pace::Pace;
use evidence::{EvidenceRow, evidence};

/// Credentials looked at, and written, at once.
const SCORES_AT_ONCE: usize = 200;
/// The row of `job_state` that says when scores were up to date.
const SCORED_AT: &str = "scored_at";
/// A prior whose mean has moved so little is kept, so that scores are not all written again.
const MOVED: f64 = 0.001;
/// A part that has moved so little, out of 100, is kept as it was written.
const PART_MOVED: f64 = 1.0;

/// Charged failures since a moment of each credential's own.
const RECENT_FAILURES: &str = "
    SELECT r.credential_id, COUNT(*) FROM EACH($1) AS e CROSS JOIN results r
    WHERE r.credential_id = e.value ->> 'id' AND r.at >= CAST(e.value ->> 'from' AS BIGINT) AND r.charged
    GROUP BY r.credential_id";

/// What `score_health` did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scored {
    /// Results that were folded.
    pub results: u64,
    /// Credentials whose place in a ranking changed.
    pub changed: u64,
}

impl Store {
    /// Brings every score up to date: folds new results, refits each tenant's prior, scores.
    pub async fn score_health(&self, config: &HealthConfig) -> Result<Scored> {
        let (mut scored, mut pace) = (Scored::default(), Pace::start());
        while let Some(folded) = self.fold_some_results(config).await? {
            scored.results += folded;
            pace.rest().await;
        }
        let priors = self.refit_priors().await?;
        let (now, mut after) = (self.now(), String::new());
        loop {
            let next = evidence!("c.id > $1 AND c.deleted_at IS NULL ORDER BY c.id LIMIT $2");
            let rows: Vec<EvidenceRow> = self.db().all(next, args![&after, SCORES_AT_ONCE]).await?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.id);
            let recent = self.db().all(sql!(RECENT_FAILURES), args![failing(&rows, now)]).await?;
            let news = news_of(&rows, recent, &priors, config, now);
            let changed: Vec<String> = news.iter().map(|new| new.row.id.clone()).collect();
            if !changed.is_empty() {
                scored.changed += self.write_scores(&changed, &priors, config, now).await?;
            }
            pace.rest().await;
        }
        self.note_scored(now).await?;
        Ok(scored)
    }

    /// Each tenant's prior from what its credentials were charged with in all. A new one is taken
    /// when its mean has moved: every posterior, and with it every ranking, hangs on it.
    async fn refit_priors(&self) -> Result<HashMap<String, Prior>> {
        let totals: Vec<(String, f64, f64, i64, i64)> = self
            .db()
            .all(
                sql!(
                    "SELECT t.id, t.prior_alpha, t.prior_beta,
                         CAST(COALESCE(SUM(c.success_count), 0) AS BIGINT), CAST(COALESCE(SUM(c.fail_count), 0) AS BIGINT)
                     FROM tenants t LEFT JOIN credentials c ON c.tenant_id = t.id AND c.deleted_at IS NULL
                     GROUP BY t.id, t.prior_alpha, t.prior_beta"
                ),
                args![],
            )
            .await?;
        let mut priors = HashMap::new();
        for (tenant, alpha, beta, successes, failures) in totals {
            let (held, fitted) = (Prior { alpha, beta }, Prior::of_pool(successes as f64, failures as f64));
            let moved = (fitted.mean() - held.mean()).abs() >= MOVED;
            if moved {
                let mut tx = self.begin().await?;
                tx.execute(
                    sql!("UPDATE tenants SET prior_alpha = $1, prior_beta = $2 WHERE id = $3"),
                    args![fitted.alpha, fitted.beta, &tenant],
                )
                .await?;
                tx.bump_revision().await?;
                tx.commit().await?;
            }
            priors.insert(tenant, if moved { fitted } else { held });
        }
        Ok(priors)
    }

    /// Scores these credentials, as they are when they are written: between the look that found
    /// them changed and the lock, they may have been charged or banned.
    async fn write_scores(
        &self,
        ids: &[String],
        priors: &HashMap<String, Prior>,
        config: &HealthConfig,
        now: Timestamp,
    ) -> Result<u64> {
        let mut tx = self.begin().await?;
        let rows = tx.evidence_of(ids.iter().map(String::as_str)).await?;
        let recent: Vec<(String, i64)> = tx.all(sql!(RECENT_FAILURES), args![failing(&rows, now)]).await?;
        let news = news_of(&rows, recent, priors, config, now);
        let (mut health, mut ranks) = (Vec::new(), Vec::new());
        for New { row, scored, posterior, recent_failures } in &news {
            let (id, tenant, parts) = (&row.id, &row.tenant_id, json!(scored).to_string());
            health.push(json!({ "id": id, "t": tenant, "s": scored.score, "g": scored.grade, "p": parts }));
            ranks.push(json!({ "id": id, "h": scored.score, "ss": posterior, "rf": recent_failures }));
        }
        tx.execute(
            sql!(
                "INSERT INTO credential_health (credential_id, tenant_id, score, grade, parts, computed_at)
                 SELECT e.value ->> 'id', e.value ->> 't', CAST(e.value ->> 's' AS BIGINT), e.value ->> 'g',
                     e.value ->> 'p', $2
                 FROM EACH($1) AS e WHERE TRUE
                 ON CONFLICT (credential_id) DO UPDATE SET score = excluded.score, grade = excluded.grade,
                     parts = excluded.parts, computed_at = excluded.computed_at"
            ),
            args![Value::Array(health).to_string(), now],
        )
        .await?;
        tx.execute(
            sql!(
                "UPDATE credentials SET health_score = CAST(e.value ->> 'h' AS BIGINT),
                     success_score = CAST(e.value ->> 'ss' AS BIGINT), recent_failures = CAST(e.value ->> 'rf' AS BIGINT)
                 FROM EACH($1) AS e WHERE credentials.id = e.value ->> 'id'"
            ),
            args![Value::Array(ranks).to_string()],
        )
        .await?;
        tx.commit().await?;
        Ok(news.len() as u64)
    }

    /// The last score of a credential with its parts; that of a new one when it was never scored.
    pub async fn health_of(&self, tenant: &TenantId, id: &CredentialId) -> Result<(Option<Score>, Option<Timestamp>)> {
        let row: Option<(String, i64)> = self
            .db()
            .optional(
                sql!("SELECT parts, computed_at FROM credential_health WHERE credential_id = $1 AND tenant_id = $2"),
                args![id, tenant],
            )
            .await?;
        let score = row.as_ref().and_then(|(parts, _)| serde_json::from_str(parts).ok());
        Ok((score, row.map(|(_, at)| Timestamp::from_millis(at))))
    }

    /// Credentials by score, as (score, how many).
    pub async fn score_distribution(&self, tenant: &TenantId) -> Result<Vec<(i64, i64)>> {
        self.db()
            .all(
                sql!(
                    "SELECT health_score, COUNT(*) FROM credentials
                     WHERE tenant_id = $1 AND deleted_at IS NULL GROUP BY health_score"
                ),
                args![tenant],
            )
            .await
    }

    /// When scores were last brought up to date.
    pub async fn scored_at(&self) -> Result<Option<Timestamp>> {
        self.moment(SCORED_AT).await
    }

    async fn note_scored(&self, now: Timestamp) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.note_moment(SCORED_AT, now).await?;
        tx.commit().await
    }
}

/// A credential whose score is to be written.
struct New<'a> {
    row: &'a EvidenceRow,
    scored: Score,
    posterior: i64,
    recent_failures: i64,
}

/// Those whose score, or place in a ranking, is no longer what is written.
fn news_of<'a>(
    rows: &'a [EvidenceRow],
    recent: Vec<(String, i64)>,
    priors: &HashMap<String, Prior>,
    config: &HealthConfig,
    now: Timestamp,
) -> Vec<New<'a>> {
    let recent: HashMap<String, i64> = recent.into_iter().collect();
    let news = rows.iter().map(|row| {
        let prior = priors.get(&row.tenant_id).copied().unwrap_or_default();
        New {
            row,
            scored: score(&row.evidence(config, now), &prior, config, now),
            posterior: prior.posterior_millionths(row.success_count, row.fail_count),
            recent_failures: recent.get(&row.id).copied().unwrap_or(0),
        }
    });
    news.filter(New::is_news).collect()
}

impl New<'_> {
    fn is_news(&self) -> bool {
        let written = (self.row.health_score, self.row.success_score, self.row.recent_failures);
        written != (self.scored.score, self.posterior, self.recent_failures)
            || self.row.parts.as_deref().and_then(|parts| serde_json::from_str(parts).ok()).is_none_or(|old: Score| {
                let moved = |old: f64, new: f64| (old - new).abs() >= PART_MOVED;
                let new = &self.scored;
                old.score != new.score
                    || moved(old.success, new.success)
                    || moved(old.stability, new.stability)
                    || moved(old.trend, new.trend)
                    || moved(old.freshness, new.freshness)
                    || (old.sample - new.sample).abs() > old.sample / 20.0
            })
    }
}

/// `[{"id": id, "from": millis}]` of those that have failures on record: the last day's count, as
/// far as they were not forgiven.
fn failing(rows: &[EvidenceRow], now: Timestamp) -> String {
    let failing = rows.iter().filter(|row| row.recent_failures > 0 || row.consecutive_failures > 0);
    let from = |row: &EvidenceRow| now.plus(-DAY).millis().max(row.forgiven_at + 1);
    failing.map(|row| json!({ "id": row.id, "from": from(row) })).collect::<Value>().to_string()
}
