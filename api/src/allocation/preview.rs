//! What an allocation would do, and why. Changes nothing.

use std::collections::BTreeMap;

use domain::TenantId;
use domain::allocation::explain::{Parts, Ranked, SHOWN};
use domain::allocation::{Census, Decision, Exhausted, Refusal, Request, Via};
use serde::Serialize;
use store::allocator::Refused;
use store::preview::Question;
use strum::IntoEnumIterator;
use utoipa::ToSchema;

use super::allocate::AllocateRequest;
use crate::answer::Answer;
use crate::error::{ApiError, ErrorBody, Result};
use crate::extract::{Lenient, May, rights};
use crate::fields::ApiIdText;
use crate::{AppState, context};

/// What would happen.
#[derive(Serialize, ToSchema)]
pub struct PreviewView {
    /// Which credential it would be; `null` when the request would be refused.
    chosen: Option<Chosen>,
    /// What `strategy_used` would say; `null` when the request would be refused.
    would_use: Option<String>,
    /// Why it would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refusal: Option<ErrorBody>,
    /// The first 50 of the ranking, the best first.
    candidates: Vec<CandidateView>,
    /// Credentials that are out of the choice, counted by reason.
    rejected: BTreeMap<String, i64>,
}

/// The winner.
#[derive(Debug, Serialize, ToSchema)]
pub struct Chosen {
    id: String,
    api_id: Option<ApiIdText>,
    name: Option<String>,
}

/// One place in the ranking.
#[derive(Debug, Serialize, ToSchema)]
pub struct CandidateView {
    id: String,
    api_id: ApiIdText,
    name: Option<String>,
    /// From 1.
    rank: usize,
    /// Taken share of its slots, 0 to 1.
    utilisation: f64,
    /// What the order was decided by.
    #[schema(value_type = Object)]
    parts: Parts,
    /// In words, against the next.
    why: String,
}

/// Explains an allocation: the winner, the runners-up with the parts of their order, and the
/// rejected by reason.
#[utoipa::path(
    post, path = "/api/admin/api-pool/allocate/preview", tag = "allocation", request_body = AllocateRequest,
    responses(
        (status = 200, description = "What would happen", body = Answer<PreviewView>),
        (status = 409, description = "No proxy is available"),
    )
)]
pub async fn preview(
    may: May<rights::Allocate>,
    Lenient(body): Lenient<AllocateRequest>,
) -> Result<Answer<PreviewView>> {
    let command = body.command(&may.caller)?;
    let question = may.app.store.question(&may.caller.tenant, &may.caller.origin, &command).await?;
    Ok(Answer::new(preview_of(&may.app, &may.caller.tenant, &question).await?))
}

/// What would happen to a request under some rules.
pub(crate) async fn preview_of(app: &AppState, tenant: &TenantId, question: &Question) -> Result<PreviewView> {
    let (store, request) = (&app.store, &question.request);
    let preview = store.preview(tenant, question, SHOWN + 1).await?;
    let explanation = preview.explain(request, context::now());
    if let (Some(group), false) = (&request.group, matches!(explanation.outcome, Ok(Decision::Existing(_)))) {
        store.group(tenant, group).await.map_err(|_| ApiError::field("group_id", "is not one of the groups"))?;
    }
    let (chosen, would_use, refusal) = match explanation.outcome {
        Ok(Decision::Existing(id)) => (Some(id), Some("existing".to_owned()), None),
        Ok(Decision::Bind { credential, via }) => (Some(credential), Some(Via::to_string(&via)), None),
        Err(refusal) => (None, None, Some(ApiError::from(refused(&refusal, &preview.census, request)).body())),
    };
    let reason = |r: domain::allocation::Reason| (r.to_string(), explanation.rejected.get(&r).copied().unwrap_or(0));
    Ok(PreviewView {
        chosen: chosen.map(|id| Chosen {
            api_id: preview.api_id(&id).map(ApiIdText),
            name: preview.name(&id).map(str::to_owned),
            id: id.to_string(),
        }),
        would_use,
        refusal,
        candidates: explanation.candidates.into_iter().map(|ranked| candidate(ranked, &preview)).collect(),
        rejected: domain::allocation::Reason::iter().map(reason).collect(),
    })
}

fn candidate(ranked: Ranked, preview: &store::preview::Preview) -> CandidateView {
    CandidateView {
        name: preview.name(&ranked.id).map(str::to_owned),
        id: ranked.id.to_string(),
        api_id: ApiIdText(ranked.api_id),
        rank: ranked.rank,
        utilisation: ranked.utilisation,
        parts: ranked.parts,
        why: ranked.why,
    }
}

fn refused(refusal: &Refusal, census: &Census, request: &Request) -> Refused {
    match refusal {
        Refusal::DeniedByRule(name) => Refused::DeniedByRule(name.clone()),
        Refusal::CredentialBanned => Refused::CredentialBanned,
        Refusal::PinnedUnavailable(problem) => Refused::PinnedUnavailable(*problem),
        Refusal::AccountUnavailable { state, until } => Refused::AccountUnavailable { state: *state, until: *until },
        Refusal::Exhausted => match census.refusal(request) {
            Exhausted::Full => Refused::PoolFull,
            Exhausted::NoneEligible(reasons) => Refused::NoneAvailable(reasons),
        },
    }
}
