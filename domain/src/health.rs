//! Health: 0 to 100, with the parts that made it, so that a person can see why.
//!
//! | part | weight | formula |
//! | --- | --- | --- |
//! | success | 0.50 | lower 20 % bound of the Beta posterior of the success rate, under the pool's empirical prior, results halved in weight every 7 days |
//! | stability | 0.25 | `0.5 ^ (consecutive failures / 3)`, halved while cooling |
//! | trend | 0.15 | 0.5 plus the success rate of the last day less that of the last week, clamped to 0..1, times two, capped at 1 |
//! | freshness | 0.10 | days since the last failure / 7, capped at 1; 1 when it never failed |
//!
//! Load is not in it: a full, faultless credential is excellent. The bound is taken relative to
//! that of a faultless credential with the same evidence, so that a young one is not called poor.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Beta, ContinuousCDF};

use crate::Timestamp;
use crate::credential::Standing;
use crate::time::DAY;

/// Weights and half-lives; the defaults are the design's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthConfig {
    /// Weight of the success part.
    pub success_weight: f64,
    /// Weight of the stability part.
    pub stability_weight: f64,
    /// Weight of the trend part.
    pub trend_weight: f64,
    /// Weight of the freshness part.
    pub freshness_weight: f64,
    /// Half-life of a result's weight, in milliseconds.
    pub half_life_millis: i64,
    /// Half-life of the trend's short window, in milliseconds.
    pub trend_half_life_millis: i64,
    /// The quantile of the posterior that counts.
    pub lower_quantile: f64,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            success_weight: 0.50,
            stability_weight: 0.25,
            trend_weight: 0.15,
            freshness_weight: 0.10,
            half_life_millis: 7 * DAY,
            trend_half_life_millis: DAY,
            lower_quantile: 0.20,
        }
    }
}

impl HealthConfig {
    const fn weights(&self) -> Weights {
        Weights {
            success: self.success_weight,
            stability: self.stability_weight,
            trend: self.trend_weight,
            freshness: self.freshness_weight,
        }
    }
}

/// The pool's own prior of a success rate: a Beta distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// Pseudo-successes.
    pub alpha: f64,
    /// Pseudo-failures.
    pub beta: f64,
}

/// How many pseudo-results the prior weighs. Twenty let 990 of 1,000 stay ahead of 1 of 1 while
/// 50 real results already outweigh the pool's opinion.
const PRIOR_STRENGTH: f64 = 20.0;
/// What a pool without any evidence is taken for: 19 successes of 20.
const COLD_START: (f64, f64) = (19.0, 1.0);

impl Prior {
    /// The prior of a pool with so many charged results in all.
    pub fn of_pool(successes: f64, failures: f64) -> Self {
        let (s, f) = (successes.max(0.0) + COLD_START.0, failures.max(0.0) + COLD_START.1);
        let mean = s / (s + f);
        Self { alpha: PRIOR_STRENGTH * mean, beta: PRIOR_STRENGTH * (1.0 - mean) }
    }

    /// The success rate that it expects, 0 to 1.
    pub fn mean(&self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }

    /// Posterior mean of a success rate, in millionths: what the `success_rate` strategy ranks by.
    pub fn posterior_millionths(&self, successes: i64, failures: i64) -> i64 {
        let s = successes.max(0) as f64 + self.alpha;
        let f = failures.max(0) as f64 + self.beta;
        (s / (s + f) * 1e6).round() as i64
    }
}

impl Default for Prior {
    fn default() -> Self {
        Self::of_pool(0.0, 0.0)
    }
}

/// Successes and failures whose weight halves with age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Decayed {
    /// Weight of the successes.
    pub successes: f64,
    /// Weight of the failures that were charged.
    pub failures: f64,
}

impl Decayed {
    /// The same evidence, `elapsed` milliseconds later.
    #[must_use]
    pub fn aged(self, elapsed: i64, half_life: i64) -> Self {
        let factor = 0.5_f64.powf(elapsed.max(0) as f64 / half_life.max(1) as f64);
        Self { successes: self.successes * factor, failures: self.failures * factor }
    }

    /// Adds one result that is `age` milliseconds old.
    pub fn add(&mut self, success: bool, age: i64, half_life: i64) {
        let weight = 0.5_f64.powf(age.max(0) as f64 / half_life.max(1) as f64);
        if success {
            self.successes += weight;
        } else {
            self.failures += weight;
        }
    }

    fn rate(&self, prior: &Prior) -> f64 {
        (self.successes + prior.alpha) / (self.successes + self.failures + prior.alpha + prior.beta)
    }
}

/// What is known of a credential when it is scored.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    /// Results under the long half-life.
    pub long: Decayed,
    /// Results under the trend's half-life.
    pub short: Decayed,
    /// Charged failures in a row.
    pub consecutive_failures: i64,
    /// When the last charged failure was.
    pub last_failure_at: Option<Timestamp>,
    /// Whether it is cooling now.
    pub cooling: bool,
    /// The stored decision, which caps the score.
    pub standing: Standing,
}

/// The score with its parts, each 0 to 100 before weighting.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// 0 to 100.
    pub score: i64,
    /// The score as a word.
    pub grade: Grade,
    /// How sure we are that it succeeds.
    pub success: f64,
    /// Failures in a row and cooldowns.
    pub stability: f64,
    /// The last day against the last week.
    pub trend: f64,
    /// Days since the last failure.
    pub freshness: f64,
    /// Weight of the results that the score rests on.
    pub sample: f64,
    /// What each part counted for. A score of an earlier release does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Weights>,
}

/// What each part of a score counts for: shares of it, which make 1 together by default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Of [`Score::success`].
    pub success: f64,
    /// Of [`Score::stability`].
    pub stability: f64,
    /// Of [`Score::trend`].
    pub trend: f64,
    /// Of [`Score::freshness`].
    pub freshness: f64,
}

/// A score as a word.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Grade {
    /// At least 90.
    Excellent,
    /// At least 70.
    Good,
    /// At least 50.
    Fair,
    /// At least 30.
    Poor,
    /// Below 30.
    Critical,
}

impl Grade {
    /// The grade of a score.
    pub const fn of(score: i64) -> Self {
        match score {
            90.. => Self::Excellent,
            70..=89 => Self::Good,
            50..=69 => Self::Fair,
            30..=49 => Self::Poor,
            _ => Self::Critical,
        }
    }
}

/// The score that a credential of this standing can't exceed.
pub const fn cap(standing: Standing) -> i64 {
    match standing {
        Standing::Enabled => 100,
        Standing::Disabled => 30,
        Standing::Banned => 20,
    }
}

/// The score of a credential that nothing is known of.
pub const NEW_SCORE: i64 = 100;

/// Scores one credential.
pub fn score(evidence: &Evidence, prior: &Prior, config: &HealthConfig, now: Timestamp) -> Score {
    let success = relative_bound(&evidence.long, prior, config.lower_quantile);
    let stability = stability(evidence);
    let difference = evidence.short.rate(prior) - evidence.long.rate(prior);
    let trend = ((0.5 + difference).clamp(0.0, 1.0) * 2.0).min(1.0);
    let freshness =
        evidence.last_failure_at.map_or(1.0, |at| (now.since(at).max(0) as f64 / (7 * DAY) as f64).min(1.0));

    let weights = config.weights();
    let weighted = weights.success * success
        + weights.stability * stability
        + weights.trend * trend
        + weights.freshness * freshness;
    let score = ((weighted * 100.0).round() as i64).clamp(0, cap(evidence.standing));
    Score {
        score,
        grade: Grade::of(score),
        success: success * 100.0,
        stability: stability * 100.0,
        trend: trend * 100.0,
        freshness: freshness * 100.0,
        sample: evidence.long.successes + evidence.long.failures,
        weights: Some(weights),
    }
}

fn stability(evidence: &Evidence) -> f64 {
    let streak = 0.5_f64.powf(evidence.consecutive_failures.max(0) as f64 / 3.0);
    if evidence.cooling { streak / 2.0 } else { streak }
}

/// The posterior's lower bound, over the bound that a faultless credential with the same amount of
/// evidence would have.
fn relative_bound(evidence: &Decayed, prior: &Prior, quantile: f64) -> f64 {
    let bound = |successes: f64, failures: f64| {
        Beta::new(prior.alpha + successes, prior.beta + failures).map_or(0.5, |beta| beta.inverse_cdf(quantile))
    };
    let total = evidence.successes + evidence.failures;
    let faultless = bound(total, 0.0);
    if faultless <= 0.0 { 0.0 } else { (bound(evidence.successes, evidence.failures) / faultless).clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(successes: f64, failures: f64) -> Evidence {
        let sums = Decayed { successes, failures };
        Evidence {
            long: sums,
            short: sums,
            consecutive_failures: 0,
            last_failure_at: None,
            cooling: false,
            standing: Standing::Enabled,
        }
    }

    fn score_of(evidence: &Evidence) -> Score {
        score(evidence, &Prior::default(), &HealthConfig::default(), Timestamp::from_millis(100 * DAY))
    }

    #[test]
    fn the_parts_make_the_score_by_the_weights_it_tells() {
        let mut evidence = evidence(20.0, 9.0);
        evidence.consecutive_failures = 2;
        for success_weight in [0.50, 0.20, 0.70] {
            let config = HealthConfig { success_weight, ..HealthConfig::default() };
            let told = score(&evidence, &Prior::default(), &config, Timestamp::from_millis(100 * DAY));
            let Weights { success, stability, trend, freshness } = told.weights.unwrap();
            let sum =
                success * told.success + stability * told.stability + trend * told.trend + freshness * told.freshness;
            assert_eq!(told.score, (sum.round() as i64).min(100));
        }
        let old =
            r#"{"score":67,"grade":"fair","success":84.9,"stability":100.0,"trend":0.0,"freshness":0.0,"sample":7.0}"#;
        assert_eq!(serde_json::from_str::<Score>(old).unwrap().weights, None);
    }

    #[test]
    fn little_evidence_ranks_below_much() {
        for pool in [Prior::default(), Prior::of_pool(991.0, 10.0)] {
            let (one, many) = (pool.posterior_millionths(1, 0), pool.posterior_millionths(990, 10));
            assert!(one < many, "{one} < {many}");
        }
    }

    #[test]
    fn a_new_credential_stands_at_the_pools_mean() {
        let prior = Prior::of_pool(8_000.0, 2_000.0);
        let new = prior.posterior_millionths(0, 0);
        assert!((799_000..802_000).contains(&new), "{new}");
    }

    #[test]
    fn new_and_faultless_are_excellent() {
        assert_eq!(score_of(&evidence(0.0, 0.0)).grade, Grade::Excellent);
        assert_eq!(score_of(&evidence(500.0, 0.0)).score, 100);
    }

    #[test]
    fn failures_lower_it_and_standing_caps_it() {
        let mut bad = evidence(50.0, 50.0);
        bad.consecutive_failures = 6;
        bad.last_failure_at = Some(Timestamp::from_millis(100 * DAY));
        assert!(score_of(&bad).score < 50, "{:?}", score_of(&bad));
        let mut good = evidence(500.0, 0.0);
        good.standing = Standing::Disabled;
        assert_eq!(score_of(&good).score, 30);
        good.standing = Standing::Banned;
        assert_eq!(score_of(&good).score, 20);
    }

    #[test]
    fn decay_halves_in_a_half_life() {
        let mut sums = Decayed::default();
        sums.add(true, 7 * DAY, 7 * DAY);
        assert!((sums.successes - 0.5).abs() < 1e-9);
        assert!((sums.aged(7 * DAY, 7 * DAY).successes - 0.25).abs() < 1e-9);
    }
}
