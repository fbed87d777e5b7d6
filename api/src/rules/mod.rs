//! Rules: who may have which credential.

mod wire;

use std::cmp::Ordering;
use std::str::FromStr;

use domain::rule::{Effect, RuleDraft};
use serde::{Deserialize, Serialize};
use store::Total;
use store::rules::Rule;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::allocation::{AllocateRequest, PreviewView, preview_of};
use crate::answer::{Answer, List};
use crate::door::doors;
use crate::error::{ApiError, Result, Wrong};
use crate::extract::{Cursor, Id, IfMatch, May, Object, Query, Strict, one_of, rights};
use crate::fields::{Moment, moment_in, needed, nullable, nullable_whole, whole, words};
use crate::{AppState, Sealed};

use wire::{MatchBody, MatchView, TargetBody, TargetView};

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new()
        .routes(doors!(list, add))
        .routes(doors!(get, update, delete))
        .routes(doors!(toggle))
        .routes(doors!(try_out))
}

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleView {
    id: String,
    name: String,
    #[schema(schema_with = words::<Effect>)]
    effect: Effect,
    r#match: MatchView,
    target: Option<TargetView>,
    /// Higher goes first.
    priority: i64,
    enabled: bool,
    /// It does nothing from then on.
    expires_at: Option<Moment>,
    created_at: Moment,
    updated_at: Moment,
    version: i64,
}

impl From<Rule> for RuleView {
    fn from(rule: Rule) -> Self {
        let draft = rule.draft;
        Self {
            id: rule.id,
            name: draft.name,
            effect: draft.effect,
            r#match: draft.matcher.into(),
            target: draft.target.map(TargetView::from),
            priority: draft.priority,
            enabled: draft.enabled,
            expires_at: draft.expires_at.map(Moment),
            created_at: Moment(rule.created_at),
            updated_at: Moment(rule.updated_at),
            version: rule.version,
        }
    }
}

/// Lists rules in the order in which they go: higher priority first, then the older one.
#[utoipa::path(
    get, path = "/api/admin/api-pool/rules", tag = "rules",
    params(
        ("q" = Option<String>, Query, description = "Part of the name"),
        ("sort" = Option<String>, Query),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, description = "A page", body = Answer<List<RuleView>>))
)]
pub async fn list(may: May<rights::ReadCredentials>, mut query: Query) -> Result<Answer<List<RuleView>>> {
    let sort = query.choice::<RuleSort>("sort").unwrap_or_default();
    let q = query.text("q").unwrap_or_default().to_lowercase();
    let (limit, after) = (query.limit(), query.cursor::<(i64, String)>());
    query.end()?;
    let mut rules = may.app.store.rules(&may.caller.tenant).await?;
    rules.retain(|rule| rule.draft.name.to_lowercase().contains(&q));
    rules.sort_by(|a, b| sort.compare(place(a), place(b)));
    let total = Total { number: rules.len() as i64, is_capped: false };
    if let Some((priority, id)) = &after {
        rules.retain(|rule| sort.compare(place(rule), (*priority, id)).is_gt());
    }
    Ok(Answer::new(List::page(rules, limit, total, |last| Cursor::write(&place(last)), RuleView::from)))
}

/// The orders of the list.
#[derive(Clone, Copy, Debug, Default, strum::EnumString, strum::Display, strum::EnumIter)]
pub(crate) enum RuleSort {
    #[default]
    #[strum(serialize = "-priority")]
    AsTheyGo,
    #[strum(serialize = "-created_at")]
    NewestFirst,
    #[strum(serialize = "created_at")]
    OldestFirst,
}

impl RuleSort {
    fn compare(self, (priority, id): (i64, &str), (other_priority, other_id): (i64, &str)) -> Ordering {
        match self {
            Self::AsTheyGo => other_priority.cmp(&priority).then_with(|| id.cmp(other_id)),
            Self::NewestFirst => other_id.cmp(id),
            Self::OldestFirst => id.cmp(other_id),
        }
    }
}

/// Where a rule stands, by which a page ends.
fn place(rule: &Rule) -> (i64, &str) {
    (rule.draft.priority, &rule.id)
}

/// What a person says of a new rule.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    /// Unique in the tenant; `strategy_used` shows it.
    name: String,
    /// `deny`, `allow`, `bind` or `prefer`.
    effect: String,
    #[schema(value_type = Option<MatchBody>)]
    r#match: Option<Object<MatchBody>>,
    /// Needed by all but `deny`.
    #[schema(value_type = Option<TargetBody>)]
    target: Option<Object<TargetBody>>,
    /// Higher goes first; 0 when absent.
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = -1_000_000, maximum = 1_000_000)]
    priority: Option<i64>,
    /// True when absent.
    enabled: Option<bool>,
    expires_at: Option<String>,
}

impl NewRule {
    fn draft(self) -> Result<RuleDraft> {
        let mut wrong = Wrong::default();
        let effect = wrong.note(effect(&self.effect));
        let target = wrong.note(self.target.map(|Object(body)| body.read()).transpose());
        let draft = RuleDraft {
            name: self.name,
            effect: effect.unwrap_or(Effect::Deny),
            matcher: self.r#match.map(|Object(body)| body).unwrap_or_default().into(),
            target: target.flatten(),
            priority: self.priority.unwrap_or(0),
            enabled: self.enabled.unwrap_or(true),
            expires_at: wrong.or(None, moment_in("expires_at", self.expires_at.as_deref())),
        };
        wrong.note(draft.check());
        wrong.end()?;
        Ok(draft)
    }
}

fn effect(text: &str) -> Result<Effect> {
    Effect::from_str(text.trim()).map_err(|_| ApiError::field("effect", one_of::<Effect>()))
}

async fn one(may: &AppState, tenant: &domain::TenantId, id: &str) -> Result<Answer<RuleView>> {
    let rule = may.store.rule(tenant, id).await?;
    let version = rule.version;
    Ok(Answer::new(RuleView::from(rule)).etag(version))
}

/// Adds a rule, for the next allocation on every process.
#[utoipa::path(
    post, path = "/api/admin/api-pool/rules", tag = "rules", request_body = NewRule,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, description = "Added", body = Answer<RuleView>),
        (status = 409, description = "The name is taken, there are 1,000 rules, or the key was used for another request"),
    )
)]
pub async fn add(may: May<rights::WriteRules>, Strict(new): Strict<NewRule>) -> Result<Answer<RuleView>> {
    let caller = &may.caller;
    let id = may.app.store.add_rule(&caller.tenant, &caller.origin, &new.draft()?).await?;
    one(&may.app, &caller.tenant, &id).await
}

/// One rule.
#[utoipa::path(
    get, path = "/api/admin/api-pool/rules/{id}", tag = "rules", params(("id" = String, Path)),
    responses((status = 200, description = "The rule", body = Answer<RuleView>))
)]
pub async fn get(may: May<rights::ReadCredentials>, Id(id): Id) -> Result<Answer<RuleView>> {
    one(&may.app, &may.caller.tenant, &id).await
}

/// A change: what is absent stays, what is `null` is cleared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(clippy::option_option, reason = "absent, null and a value are three things")]
pub struct RuleChange {
    /// Can't be cleared.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = String)]
    name: Option<Option<String>>,
    /// Can't be cleared.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = String)]
    effect: Option<Option<String>>,
    /// As a whole; `null` matches everybody.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<MatchBody>)]
    r#match: Option<Option<Object<MatchBody>>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<TargetBody>)]
    target: Option<Option<Object<TargetBody>>>,
    /// `null` is 0.
    #[serde(default, deserialize_with = "nullable_whole")]
    #[schema(value_type = Option<i64>, minimum = -1_000_000, maximum = 1_000_000)]
    priority: Option<Option<i64>>,
    /// `null` is true.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<bool>)]
    enabled: Option<Option<bool>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    expires_at: Option<Option<String>>,
}

/// Changes a rule, for the next allocation on every process.
#[utoipa::path(
    put, path = "/api/admin/api-pool/rules/{id}", tag = "rules", request_body = RuleChange,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Changed", body = Answer<RuleView>),
        (status = 409, description = "The name is taken"),
    )
)]
pub async fn update(
    may: May<rights::WriteRules>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Strict(change): Strict<RuleChange>,
) -> Result<Answer<RuleView>> {
    let mut wrong = Wrong::default();
    let name = wrong.or(None, needed("name", change.name));
    let effect = needed("effect", change.effect).and_then(|text| text.map(|text| effect(&text)).transpose());
    let effect = wrong.or(None, effect);
    let target = change.target.map(|target| target.map(|Object(body)| body.read()).transpose()).transpose();
    let target = wrong.or(None, target);
    let expires_at = change.expires_at.map(|text| moment_in("expires_at", text.as_deref())).transpose();
    let expires_at = wrong.or(None, expires_at);
    wrong.end()?;
    let merge = |before: RuleDraft| RuleDraft {
        name: name.unwrap_or(before.name),
        effect: effect.unwrap_or(before.effect),
        matcher: change.r#match.map_or(before.matcher, |m| m.map(|Object(body)| body).unwrap_or_default().into()),
        target: target.unwrap_or(before.target),
        priority: change.priority.map_or(before.priority, Option::unwrap_or_default),
        enabled: change.enabled.map_or(before.enabled, |enabled| enabled.unwrap_or(true)),
        expires_at: expires_at.unwrap_or(before.expires_at),
    };
    let caller = &may.caller;
    may.app.store.update_rule(&caller.tenant, &caller.origin, &id, expected, merge).await?;
    one(&may.app, &caller.tenant, &id).await
}

/// What was removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedRule {
    id: String,
}

/// Removes a rule.
#[utoipa::path(
    delete, path = "/api/admin/api-pool/rules/{id}", tag = "rules",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Removed", body = Answer<RemovedRule>))
)]
pub async fn delete(
    may: May<rights::WriteRules>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
) -> Result<Answer<RemovedRule>> {
    let caller = &may.caller;
    may.app.store.delete_rule(&caller.tenant, &caller.origin, &id, expected).await?;
    Ok(Answer::new(RemovedRule { id }))
}

/// On, off, or the other way round.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Toggle {
    /// When absent, the other way round.
    enabled: Option<bool>,
}

/// Switches a rule on or off.
#[utoipa::path(
    put, path = "/api/admin/api-pool/rules/{id}/toggle", tag = "rules", request_body = Toggle,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Switched", body = Answer<RuleView>))
)]
pub async fn toggle(
    may: May<rights::WriteRules>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Strict(toggle): Strict<Toggle>,
) -> Result<Answer<RuleView>> {
    let merge = |before: RuleDraft| RuleDraft { enabled: toggle.enabled.unwrap_or(!before.enabled), ..before };
    let caller = &may.caller;
    may.app.store.update_rule(&caller.tenant, &caller.origin, &id, expected, merge).await?;
    one(&may.app, &caller.tenant, &id).await
}

/// A rule and a request to try it on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    #[schema(value_type = NewRule)]
    rule: Object<NewRule>,
    /// The rule that it would take the place of.
    replaces: Option<String>,
    #[schema(value_type = TrialRequest)]
    request: Object<TrialRequest>,
}

/// What somebody might ask for.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct TrialRequest {
    #[serde(flatten)]
    asked: AllocateRequest,
    /// Who would ask; you, when absent.
    operator: Option<String>,
    /// From where; your address, when absent.
    ip: Option<String>,
}

/// What an allocation would do without the rule, and with it.
#[derive(Serialize, ToSchema)]
pub struct TrialView {
    without: PreviewView,
    with: PreviewView,
}

/// Tries a rule before it is saved: the same request without it and with it. Changes nothing.
#[utoipa::path(
    post, path = "/api/admin/api-pool/rules/try", tag = "rules", request_body = Trial,
    responses(
        (status = 200, description = "Both", body = Answer<TrialView>),
        (status = 409, description = "No proxy is available"),
    )
)]
pub async fn try_out(may: May<rights::WriteRules>, Strict(trial): Strict<Trial>) -> Result<Answer<TrialView>> {
    let (store, caller) = (&may.app.store, &may.caller);
    let Object(request) = trial.request;
    let mut origin = caller.origin.clone();
    if let Some(operator) = request.operator.filter(|text| !text.is_empty()) {
        origin.actor = operator.into();
    }
    if let Some(ip) = request.ip.filter(|text| !text.is_empty()) {
        ip.parse::<std::net::IpAddr>().map_err(|_| ApiError::field("request.ip", "must be an address"))?;
        origin.ip = Some(ip.into());
    }
    let command = request.asked.command(caller).map_err(|error| error.inside("request"))?;
    if let Some(id) = &trial.replaces {
        store.rule(&caller.tenant, id).await.map_err(|_| ApiError::field("replaces", "is not one of the rules"))?;
    }
    let Object(rule) = trial.rule;
    let draft = rule.draft().map_err(|error| error.inside("rule"))?;
    let replaces = trial.replaces.as_deref();
    let questions = store.questions_of_trial(&caller.tenant, &origin, &command, draft, replaces).await;
    let (without, with) = questions.map_err(|error| ApiError::from(error).inside("rule"))?;
    Ok(Answer::new(TrialView {
        without: preview_of(&may.app, &caller.tenant, &without).await?,
        with: preview_of(&may.app, &caller.tenant, &with).await?,
    }))
}
