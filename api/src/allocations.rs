//! Records of allocations: the standing ones, and those that have ended.

use domain::{ApiId, CredentialId};
use serde::{Deserialize, Serialize};
use store::accounts::{AllocationFilter, AllocationRecord};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::Sealed;
use crate::answer::{Answer, List};
use crate::door::doors;
use crate::end::to_its_end;
use crate::error::Result;
use crate::extract::{Cursor, Id, May, Query, Strict, rights};
use crate::fields::{ApiIdText, Moment};
use crate::journal::JournalSort;

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new().routes(doors!(list)).routes(doors!(release_all))
}

/// An allocation, standing or ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllocationView {
    id: String,
    api_id: Option<ApiIdText>,
    account_id: String,
    allocated_at: Option<Moment>,
    released_at: Option<Moment>,
    /// Who asked for it.
    operator: Option<String>,
    status: AllocationStatus,
    strategy: Option<String>,
    proxy_id: Option<String>,
    expires_at: Option<Moment>,
}

/// Whether it stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, strum::EnumString, strum::Display, strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AllocationStatus {
    /// It stands.
    Allocated,
    /// It has ended.
    Released,
}

impl From<AllocationRecord> for AllocationView {
    fn from(record: AllocationRecord) -> Self {
        let status =
            if record.released_at.is_some() { AllocationStatus::Released } else { AllocationStatus::Allocated };
        Self {
            id: record.id,
            api_id: record.api_id.and_then(ApiId::new).map(ApiIdText),
            account_id: record.account_id,
            allocated_at: record.allocated_at.map(Moment),
            released_at: record.released_at.map(Moment),
            operator: record.operator,
            status,
            strategy: record.strategy,
            proxy_id: record.proxy_id,
            expires_at: record.expires_at.map(Moment),
        }
    }
}

/// Where a page ended: among the standing ones, or among the ended.
#[derive(Debug, Serialize, Deserialize)]
enum Place {
    #[serde(rename = "a")]
    Standing(String),
    #[serde(rename = "r")]
    Ended(Option<i64>),
}

/// Lists allocations: those that stand, the newest first; then those that have ended, the last to
/// end first.
#[utoipa::path(
    get, path = "/api/admin/api-pool/allocations", tag = "allocation",
    params(
        ("q" = Option<String>, Query, description = "An account's key, or an api_id"),
        ("sort" = Option<String>, Query),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query),
        ("status" = Option<String>, Query, description = "By comma"),
        ("status!" = Option<String>, Query, description = "All but these: `status!=a,b`"),
        ("account_id" = Option<String>, Query, description = "The account's key"),
        ("phone" = Option<String>, Query, description = "The same; wins"),
        ("account_phone" = Option<String>, Query, description = "The same"),
        ("api_id" = Option<String>, Query),
    ),
    responses((status = 200, description = "A page", body = Answer<List<AllocationView>>))
)]
pub async fn list(may: May<rights::ReadCredentials>, mut query: Query) -> Result<Answer<List<AllocationView>>> {
    let (account, api_id) = query.account_or_api_id();
    let filter = AllocationFilter { account, api_id };
    query.choice::<JournalSort>("sort");
    let (statuses, unwanted) = (query.choices("status"), query.choices::<AllocationStatus>("status!"));
    let wanted = |status| (statuses.is_empty() || statuses.contains(&status)) && !unwanted.contains(&status);
    let (limit, place) = (query.limit(), query.cursor::<Place>());
    query.end()?;

    let (store, tenant) = (&may.app.store, &may.caller.tenant);
    let mut records = Vec::new();
    let (standing_before, ended_before, skip_standing) = match place {
        None => (None, None, false),
        Some(Place::Standing(id)) => (Some(id), None, false),
        Some(Place::Ended(seq)) => (None, seq, true),
    };
    if !skip_standing && wanted(AllocationStatus::Allocated) {
        records = store.live_allocations(tenant, &filter, standing_before.as_deref(), limit + 1).await?;
    }
    let mut next = None;
    if records.len() > limit {
        records.truncate(limit);
        next = records.last().map(|last| Place::Standing(last.id.clone()));
    } else if wanted(AllocationStatus::Released) {
        if records.len() == limit {
            next = Some(Place::Ended(None));
        } else {
            let left = limit - records.len();
            let (ended, seq) = store.ended_allocations(tenant, &filter, ended_before, left).await?;
            records.extend(ended);
            next = seq.map(|seq| Place::Ended(Some(seq)));
        }
    }
    let standing = wanted(AllocationStatus::Allocated);
    let total = store.count_allocations(tenant, &filter, standing, wanted(AllocationStatus::Released)).await?;
    let items = records.into_iter().map(AllocationView::from).collect();
    Ok(Answer::new(List::new(items, total, next.map(|place| Cursor::write(&place)))))
}

/// How many allocations ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedAll {
    id: String,
    released: usize,
}

/// Releases every account of a credential.
#[utoipa::path(
    post, path = "/api/admin/api-pool/{id}/release-all", tag = "credentials",
    request_body = crate::credentials::Nothing, params(("id" = String, Path)),
    responses((status = 200, description = "Released", body = Answer<ReleasedAll>))
)]
pub async fn release_all(
    may: May<rights::WriteCredentials>,
    Id(id): Id,
    Strict(crate::credentials::Nothing {}): Strict<crate::credentials::Nothing>,
) -> Result<Answer<ReleasedAll>> {
    let (key, store, caller) = (CredentialId::from(id.as_str()), may.app.store.clone(), may.caller);
    let releasing = async move { store.release_all(&caller.tenant, &caller.origin, &key).await };
    let released = to_its_end(releasing).await??;
    Ok(Answer::new(ReleasedAll { id, released }))
}
