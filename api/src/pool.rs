//! The pool as a whole: strategies, health, figures.

use std::collections::BTreeMap;

use domain::blame::Fault;
use domain::health::{Grade, Score};
use domain::time::HOUR;
use domain::{CredentialId, Status, Strategy};
use serde::{Deserialize, Serialize};
use store::credentials::{Filter, Page, Sort};
use strum::IntoEnumIterator;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::answer::Answer;
use crate::door::doors;
use crate::error::{ApiError, Result};
use crate::extract::{Id, May, Query, Strict, rights};
use crate::fields::{ApiIdText, Moment, choice, words};
use crate::{Sealed, context};

/// The most credentials that a summary names.
const NAMED: usize = 20;

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new()
        .routes(doors!(strategies))
        .routes(doors!(set_strategy))
        .routes(doors!(pool_health))
        .routes(doors!(credential_health))
        .routes(doors!(stats))
}

/// A way to choose.
#[derive(Debug, Serialize, ToSchema)]
pub struct StrategyView {
    name: String,
    description: String,
    /// The tenant's present one.
    current: bool,
}

/// The strategies, and which one is the tenant's.
#[derive(Debug, Serialize, ToSchema)]
pub struct StrategiesView {
    current: String,
    strategies: Vec<StrategyView>,
}

/// Lists the strategies.
#[utoipa::path(
    get, path = "/api/admin/api-pool/strategies", tag = "pool",
    responses((status = 200, description = "The strategies", body = Answer<StrategiesView>))
)]
pub async fn strategies(may: May<rights::ReadCredentials>) -> Result<Answer<StrategiesView>> {
    let current = may.app.store.strategy(&may.caller.tenant).await?;
    Ok(Answer::new(view(current)))
}

fn view(current: Strategy) -> StrategiesView {
    let strategy = |s: Strategy| StrategyView {
        name: s.to_string(),
        description: s.description().to_owned(),
        current: s == current,
    };
    StrategiesView { current: current.to_string(), strategies: Strategy::iter().map(strategy).collect() }
}

/// Which strategy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StrategyChange {
    strategy: String,
}

/// Chooses the tenant's strategy, for the next allocation on every process.
#[utoipa::path(
    post, path = "/api/admin/api-pool/strategy", tag = "pool", request_body = StrategyChange,
    responses((status = 200, description = "Chosen", body = Answer<StrategiesView>))
)]
pub async fn set_strategy(
    may: May<rights::WriteSettings>,
    Strict(change): Strict<StrategyChange>,
) -> Result<Answer<StrategiesView>> {
    let strategy =
        choice("strategy", Some(&change.strategy))?.ok_or_else(|| ApiError::field("strategy", "is required"))?;
    may.app.store.set_strategy(&may.caller.tenant, &may.caller.origin, strategy).await?;
    Ok(Answer::new(view(strategy)))
}

/// A credential in a summary.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedCredential {
    id: String,
    api_id: ApiIdText,
    name: String,
    score: i64,
    #[schema(schema_with = words::<Grade>)]
    grade: Grade,
    #[schema(schema_with = words::<Status>)]
    status: Status,
}

/// How well the pool is.
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolHealthView {
    total_apis: i64,
    /// 0 to 100, over all credentials.
    average_score: f64,
    #[schema(schema_with = words::<Grade>)]
    overall_grade: Grade,
    /// How many credentials have each grade.
    grade_distribution: BTreeMap<String, i64>,
    /// The worst of grade critical, at most 20.
    critical_apis: Vec<NamedCredential>,
    /// The worst of grade fair and poor, at most 20.
    needs_attention: Vec<NamedCredential>,
    /// When scores were last computed; `null` before the first time.
    updated_at: Option<Moment>,
}

/// The pool's health.
#[utoipa::path(
    get, path = "/api/admin/api-pool/health", tag = "pool",
    responses((status = 200, description = "Its health", body = Answer<PoolHealthView>))
)]
pub async fn pool_health(may: May<rights::ReadCredentials>) -> Result<Answer<PoolHealthView>> {
    let (store, tenant) = (&may.app.store, &may.caller.tenant);
    let scores = store.score_distribution(tenant).await?;
    let total: i64 = scores.iter().map(|(_, count)| count).sum();
    let sum: i64 = scores.iter().map(|(score, count)| score * count).sum();
    // An empty pool has nothing wrong with it.
    let average = if total == 0 { 100.0 } else { (sum as f64 * 10.0 / total as f64).round() / 10.0 };
    let mut grades: BTreeMap<String, i64> = Grade::iter().map(|grade| (grade.to_string(), 0)).collect();
    for (score, count) in &scores {
        *grades.entry(Grade::of(*score).to_string()).or_default() += count;
    }
    Ok(Answer::new(PoolHealthView {
        total_apis: total,
        average_score: average,
        overall_grade: Grade::of(average.round() as i64),
        grade_distribution: grades,
        critical_apis: worst(&may, &[Grade::Critical]).await?,
        needs_attention: worst(&may, &[Grade::Fair, Grade::Poor]).await?,
        updated_at: store.scored_at().await?.map(Moment),
    }))
}

async fn worst(may: &May<rights::ReadCredentials>, grades: &[Grade]) -> Result<Vec<NamedCredential>> {
    let filter = Filter { grade: grades.iter().map(ToString::to_string).collect(), ..Filter::default() };
    let page = Page { sort: Sort::HealthScore, descending: false, after: None, limit: NAMED };
    let rows = may.app.store.credentials(&may.caller.tenant, &filter, &page).await?;
    let named = rows.into_iter().map(|c| NamedCredential {
        status: c.status(),
        id: c.id.to_string(),
        api_id: ApiIdText(c.api_id),
        name: c.name,
        score: c.health_score,
        grade: c.health_grade,
    });
    Ok(named.collect())
}

/// A credential's health with its parts.
#[derive(Debug, Serialize, ToSchema)]
pub struct CredentialHealthView {
    id: String,
    score: i64,
    #[schema(schema_with = words::<Grade>)]
    grade: Grade,
    /// What made the score, each 0 to 100 before weighting; `null` before the first scoring.
    #[schema(value_type = Option<Object>)]
    parts: Option<Score>,
    /// Taken share of its slots, 0 to 1. Not part of the score.
    load: f64,
    consecutive_failures: i64,
    updated_at: Option<Moment>,
}

/// One credential's health.
#[utoipa::path(
    get, path = "/api/admin/api-pool/{id}/health", tag = "pool", params(("id" = String, Path)),
    responses((status = 200, description = "Its health", body = Answer<CredentialHealthView>))
)]
pub async fn credential_health(may: May<rights::ReadCredentials>, Id(id): Id) -> Result<Answer<CredentialHealthView>> {
    let (store, tenant, key) = (&may.app.store, &may.caller.tenant, CredentialId::from(id.as_str()));
    let credential = store.credential(tenant, &key).await?;
    let (parts, updated_at) = store.health_of(tenant, &key).await?;
    Ok(Answer::new(CredentialHealthView {
        id,
        score: credential.health_score,
        grade: credential.health_grade,
        parts,
        load: credential.current_accounts as f64 / credential.max_accounts as f64,
        consecutive_failures: credential.consecutive_failures,
        updated_at: updated_at.map(Moment),
    }))
}

/// The pool in figures.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatsView {
    /// Hours that the results below cover.
    hours: i64,
    credentials: i64,
    /// How many credentials show each status.
    by_status: BTreeMap<String, i64>,
    /// Slots of the enabled credentials.
    slots: i64,
    used: i64,
    free: i64,
    used_percent: f64,
    results: ResultFigures,
}

/// What was reported.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultFigures {
    /// Reports, those included that are neither: a code mistyped, a wait that the chat asks for.
    total: i64,
    /// There were more, which were not looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_capped: bool,
    successes: i64,
    failures: i64,
    /// Successes of successes and failures, 0 to 1; `null` without any.
    success_rate: Option<f64>,
    /// Failures by whose fault they were.
    by_fault: BTreeMap<String, i64>,
}

/// Figures of the pool, and of the last hours' results.
#[utoipa::path(
    get, path = "/api/admin/api-pool/stats", tag = "pool",
    params(("hours" = Option<i64>, Query, minimum = 1, maximum = 720)),
    responses((status = 200, description = "Figures", body = Answer<StatsView>))
)]
pub async fn stats(may: May<rights::ReadCredentials>, mut query: Query) -> Result<Answer<StatsView>> {
    let hours = query.number("hours", 1, 720).unwrap_or(24);
    query.end()?;
    let (store, tenant) = (&may.app.store, &may.caller.tenant);
    let totals = store.totals(tenant).await?;
    let mut by_status: BTreeMap<String, i64> = Status::iter().map(|status| (status.to_string(), 0)).collect();
    by_status.extend(store.status_counts(tenant).await?);
    let (counts, is_capped) = store.result_counts(tenant, context::now().plus(-hours * HOUR)).await?;
    Ok(Answer::new(StatsView {
        hours,
        credentials: totals.credentials,
        by_status,
        slots: totals.slots,
        used: totals.used,
        free: totals.slots - totals.used,
        used_percent: (totals.used_percent() * 10.0).round() / 10.0,
        results: figures(&counts, is_capped),
    }))
}

fn figures(counts: &[(bool, String, i64)], is_capped: bool) -> ResultFigures {
    let successes: i64 = counts.iter().filter(|(success, ..)| *success).map(|(.., n)| n).sum();
    let total: i64 = counts.iter().map(|(.., n)| n).sum();
    let mut by_fault = BTreeMap::new();
    // What is nobody's fault is no failure: a code mistyped, a wait that the chat asks for.
    for (_, fault, count) in counts.iter().filter(|(success, fault, _)| !success && *fault != Fault::None.to_string()) {
        *by_fault.entry(fault.clone()).or_default() += count;
    }
    let failures = by_fault.values().sum();
    let told = successes + failures;
    ResultFigures {
        total,
        is_capped,
        successes,
        failures,
        success_rate: (told > 0).then(|| successes as f64 / told as f64),
        by_fault,
    }
}
