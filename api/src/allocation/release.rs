//! Let go of an allocation, or prolong a lease.

use domain::AllocationId;
use serde::{Deserialize, Serialize};
use store::allocator::{Command, Done, Release, Renew};
use utoipa::ToSchema;

use super::allocate::{account_key, ttl_millis};
use crate::answer::Answer;
use crate::error::{ApiError, Result};
use crate::extract::{Lenient, May, Strict, rights};
use crate::fields::{ApiIdText, Moment, whole};

/// Which allocation ends. Unknown fields are ignored.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct ReleaseRequest {
    /// What this account holds.
    account_id: Option<String>,
    /// The same; wins over `account_id`.
    phone: Option<String>,
    /// The same; wins over `account_id`.
    account_phone: Option<String>,
    /// This allocation; used when no account is named.
    allocation_id: Option<String>,
}

/// What ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedView {
    allocation_id: String,
    api_id: ApiIdText,
    account_id: String,
    released_at: Moment,
}

/// Ends an allocation. A retry may see 3006: treat it as done.
#[utoipa::path(
    post, path = "/api/admin/api-pool/release", tag = "allocation", request_body = ReleaseRequest,
    responses(
        (status = 200, description = "It has ended", body = Answer<ReleasedView>),
        (status = 404, description = "The account holds nothing"),
    )
)]
pub async fn release(
    may: May<rights::Release>,
    Lenient(request): Lenient<ReleaseRequest>,
) -> Result<Answer<ReleasedView>> {
    let accounts = [&request.phone, &request.account_phone, &request.account_id];
    let command = match &request.allocation_id {
        Some(id) if accounts.iter().all(|name| name.as_deref().unwrap_or_default().is_empty()) => {
            Release::Allocation(allocation_id(id)?)
        }
        _ => {
            let [phone, account_phone, account_id] = accounts.map(Option::as_deref);
            Release::Account(account_key(phone, account_phone, account_id)?)
        }
    };
    match may.app.allocator.ask(may.caller.asker(), Command::Release(command)).await? {
        Done::Released(released) => Ok(Answer::new(ReleasedView {
            allocation_id: released.allocation_id.to_string(),
            api_id: ApiIdText(released.api_id),
            account_id: released.account.as_str().to_owned(),
            released_at: Moment(released.released_at),
        })),
        other => Err(ApiError::internal(&format!("{other:?} for a release"))),
    }
}

fn allocation_id(text: &str) -> Result<AllocationId> {
    let id = AllocationId::from(text);
    if id.is_plausible() { Ok(id) } else { Err(ApiError::field("allocation_id", "is not an id of ours")) }
}

/// Which lease, and for how long.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RenewRequest {
    /// Whose lease.
    account_id: Option<String>,
    /// The same; wins over `account_id`.
    phone: Option<String>,
    /// The same; wins over `account_id`.
    account_phone: Option<String>,
    /// Its length in seconds, counting from now; up to a year.
    #[serde(deserialize_with = "whole")]
    #[schema(value_type = i64, required, minimum = 1, maximum = 31_536_000)]
    ttl_seconds: Option<i64>,
}

/// The lease's new end.
#[derive(Debug, Serialize, ToSchema)]
pub struct RenewedView {
    allocation_id: String,
    expires_at: Moment,
}

/// Prolongs a lease, counting from now. An allocation without an end is no lease: 409.
#[utoipa::path(
    post, path = "/api/admin/api-pool/renew", tag = "allocation", request_body = RenewRequest,
    responses(
        (status = 200, description = "Prolonged", body = Answer<RenewedView>),
        (status = 404, description = "The account holds nothing"),
        (status = 409, description = "The allocation is no lease"),
    )
)]
pub async fn renew(may: May<rights::Allocate>, Strict(request): Strict<RenewRequest>) -> Result<Answer<RenewedView>> {
    let account =
        account_key(request.phone.as_deref(), request.account_phone.as_deref(), request.account_id.as_deref())?;
    let seconds = request.ttl_seconds.ok_or_else(|| ApiError::field("ttl_seconds", "is required"))?;
    let command = Command::Renew(Renew { account, ttl_millis: ttl_millis(seconds)? });
    match may.app.allocator.ask(may.caller.asker(), command).await? {
        Done::Renewed(renewed) => Ok(Answer::new(RenewedView {
            allocation_id: renewed.allocation_id.to_string(),
            expires_at: Moment(renewed.expires_at),
        })),
        other => Err(ApiError::internal(&format!("{other:?} for a renewal"))),
    }
}
