//! One action on many credentials: named by id, or found by a filter.

use domain::access::Permission;
use domain::{CredentialId, Status, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::Store;
use store::credentials::{BulkAction, Filter, Reach};
use utoipa::ToSchema;

use super::edit::{filter_in, group};
use crate::answer::Answer;
use crate::end::to_its_end;
use crate::error::{ApiError, ErrorBody, Result};
use crate::extract::{May, Query, Strict, rights};
use crate::fields::{whole, words};

/// The most ids in one request. A filter may find up to 10,000.
const IDS: usize = 500;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::Display, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
enum Action {
    Enable,
    Disable,
    AssignGroup,
    Delete,
}

/// Which credentials, and what is to be done with them.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BulkRequest {
    /// These; up to 500.
    #[schema(min_items = 1, max_items = 500)]
    ids: Option<Vec<String>>,
    /// Those of a list's filter: its parameters by name, values as text, or lists of texts.
    #[schema(value_type = Option<Object>)]
    filter: Option<Map<String, Value>>,
    /// How many the filter finds: when it finds another number, nothing is done. May be left out on a
    /// dry run, which tells it.
    #[serde(deserialize_with = "whole")]
    expected: Option<i64>,
    /// What to do.
    #[schema(schema_with = words::<Action>, required)]
    action: Option<String>,
    /// For `assign_group`; `null` takes them out of any.
    group_id: Option<String>,
    /// Look what it would touch, but change nothing.
    dry_run: Option<bool>,
}

/// What became of one credential.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkLine {
    id: String,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<ErrorBody>,
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkView {
    succeeded: usize,
    failed: usize,
    /// In the order in which they were named or found; none on a dry run.
    results: Vec<BulkLine>,
    /// On a dry run only: what it would touch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    would: Option<BulkReach>,
}

/// What an action on many credentials reaches.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkReach {
    /// Credentials that are there: with a filter, the number to send as `expected`.
    credentials: i64,
    /// Accounts that hold one of them.
    accounts: i64,
    by_status: BulkStatuses,
}

/// Credentials by status.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkStatuses {
    available: i64,
    in_use: i64,
    disabled: i64,
    banned: i64,
}

/// Does one thing to many credentials, each with its own outcome. With a filter it is refused (409)
/// when the filter no longer finds as many as `expected`. With `dry_run` nothing changes, and `would`
/// says what it would touch. Removing needs its own permission.
#[utoipa::path(
    post, path = "/api/admin/api-pool/bulk", tag = "credentials", request_body = BulkRequest,
    responses(
        (status = 200, description = "Every credential answered", body = Answer<BulkView>),
        (status = 409, description = "The filter finds another number"),
    )
)]
pub async fn bulk(
    may: May<rights::WriteCredentials>,
    Strict(mut request): Strict<BulkRequest>,
) -> Result<Answer<BulkView>> {
    let action = action(&request)?;
    if action == BulkAction::Delete {
        may.require(Permission::DeleteCredentials).await?;
    }
    let (store, tenant) = (&may.app.store, &may.caller.tenant);
    let is_dry = request.dry_run.unwrap_or(false);
    let which = which(&mut request, is_dry)?;
    if is_dry {
        return Ok(Answer::new(rehearse(store, tenant, &action, which).await?));
    }
    let ids = match which {
        Which::Ids(ids) => ids,
        Which::Filter(filter, expected) => {
            // Without it the request was refused.
            store.ids_of_filter(tenant, &filter, expected.unwrap_or_default()).await?
        }
    };
    let (store, tenant, origin) = (store.clone(), tenant.clone(), may.caller.origin.clone());
    let outcomes = to_its_end(async move { store.bulk(&tenant, &origin, ids, &action).await }).await??;
    let line = |(id, outcome): (CredentialId, store::Result<()>)| BulkLine {
        id: id.to_string(),
        success: outcome.is_ok(),
        error: outcome.err().map(|error| ApiError::from(error).body()),
    };
    let results: Vec<BulkLine> = outcomes.into_iter().map(line).collect();
    let succeeded = results.iter().filter(|line| line.success).count();
    Ok(Answer::new(BulkView { succeeded, failed: results.len() - succeeded, results, would: None }))
}

/// Which credentials are meant.
enum Which {
    Ids(Vec<CredentialId>),
    /// And how many it was seen to find, which only a dry run may leave open.
    Filter(Box<Filter>, Option<i64>),
}

fn which(request: &mut BulkRequest, is_dry: bool) -> Result<Which> {
    let filter = request.filter.take().map(read).transpose().map_err(|error| error.inside("filter"))?;
    match (request.ids.take(), filter) {
        (Some(_), None) if request.expected.is_some() => Err(ApiError::field("expected", "goes with a filter only")),
        (Some(ids), None) => named(ids).map(Which::Ids),
        (None, Some(_)) if request.expected.is_none() && !is_dry => {
            Err(ApiError::field("expected", "is required with a filter"))
        }
        (None, Some(filter)) => Ok(Which::Filter(Box::new(filter), request.expected)),
        _ => Err(ApiError::field("ids", "or filter is required, one of the two")),
    }
}

/// What it would touch, and the refusals that it would meet.
async fn rehearse(store: &Store, tenant: &TenantId, action: &BulkAction, which: Which) -> Result<BulkView> {
    if let BulkAction::AssignGroup(Some(group)) = action {
        store.check_group_of_bulk(tenant, group).await?;
    }
    let reach = match which {
        Which::Ids(ids) => store.reach_of_ids(tenant, &ids).await?,
        Which::Filter(filter, expected) => store.reach_of_filter(tenant, &filter, expected).await?,
    };
    Ok(BulkView { succeeded: 0, failed: 0, results: Vec::new(), would: Some(BulkReach::from(reach)) })
}

impl From<Reach> for BulkReach {
    fn from(reach: Reach) -> Self {
        let of = |status| reach.by_status.iter().find(|(shown, _)| *shown == status).map_or(0, |(_, count)| *count);
        let by_status = BulkStatuses {
            available: of(Status::Available),
            in_use: of(Status::InUse),
            disabled: of(Status::Disabled),
            banned: of(Status::Banned),
        };
        Self { credentials: reach.credentials, accounts: reach.accounts, by_status }
    }
}

fn action(request: &BulkRequest) -> Result<BulkAction> {
    let action = crate::fields::choice("action", request.action.as_deref())?;
    if request.group_id.is_some() && action != Some(Action::AssignGroup) {
        return Err(ApiError::field("group_id", "is for assign_group only"));
    }
    Ok(match action.ok_or_else(|| ApiError::field("action", "is required"))? {
        Action::Enable => BulkAction::Enable,
        Action::Disable => BulkAction::Disable,
        Action::AssignGroup => BulkAction::AssignGroup(group(request.group_id.clone())?),
        Action::Delete => BulkAction::Delete,
    })
}

fn read(filter: Map<String, Value>) -> Result<Filter> {
    let mut query = Query::of(filter);
    let filter = filter_in(&mut query);
    query.end()?;
    Ok(filter)
}

/// Each id once, in order.
fn named(ids: Vec<String>) -> Result<Vec<CredentialId>> {
    if !(1..=IDS).contains(&ids.len()) {
        return Err(ApiError::field("ids", format!("must have 1 to {IDS} members")));
    }
    let ids: Vec<CredentialId> = ids.into_iter().map(CredentialId::from).collect();
    if !ids.iter().all(CredentialId::is_plausible) {
        return Err(ApiError::field("ids", "must be ids of ours"));
    }
    let mut seen = std::collections::HashSet::new();
    Ok(ids.into_iter().filter(|id| seen.insert(id.clone())).collect())
}
